"""Settings whose text stands in a file of its own: `file: snippets/shape.py` in the place of `code`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hookrt.config.confined import FileRefused, check_written, read_confined
from hookrt.config.expressions import refuse_expression
from hookrt.config.nodes import BrokenNode, Entry, MapNode, Node, Style, TextNode, describe, is_empty
from hookrt.config.problem_log import ProblemLog
from hookrt.config.source_text import SourceText, Span
from hookrt.config.stamp import Stamp, stamp_of

MAX_TEXT = 64 * 1024
"""Bytes of the largest text file."""

_BREAK = re.compile("\r\n|\r")


@dataclass(slots=True)
class TextFiles:
    """The text files of one load, each read once.

    `seen` is how they looked just before they were read, also those that are not there; `texts` are those of each hook.
    """

    folder: Path
    log: ProblemLog
    seen: set[Stamp] = field(default_factory=set)
    texts: dict[str, list[str]] = field(default_factory=dict)
    _read: dict[str, TextNode] = field(default_factory=dict)

    def take_in(self, node: MapNode, pairs: Mapping[str, str], owner: TextNode, hook: str) -> MapNode:
        """Settings with texts in the place of the files that they name; `pairs` lead from a file's key to its text's.

        What is wrong is reported, and leaves something broken there.
        """
        for name, target in pairs.items():
            entry = node.entries.get(name)
            if entry is None:
                continue
            text = self._beside(entry, node.entries.get(target), owner) or self._text(entry, name)
            if isinstance(text, TextNode):
                self.texts.setdefault(hook, []).append(text.text)
            rest = {key: one for key, one in node.entries.items() if key not in (name, target)}
            node = MapNode(node.span, {**rest, target: Entry(entry.key, text)})
        return node

    def _beside(self, file: Entry, text: Entry | None, owner: TextNode) -> Node | None:
        """Something broken, reported, where the text is there as well."""
        if text is None:
            return None
        names = f"`{text.key.text}` and `{file.key.text}`"
        first, second = sorted((text.key, file.key), key=lambda key: (key.span.line, key.span.column))
        hint = f"keep `{first.text}` or `{second.text}`, and leave out the other"
        self.log.error(second, f"`{owner.text}` takes exactly one of {names}", hint)
        return BrokenNode(second.span)

    def _text(self, entry: Entry, name: str) -> Node:
        node = entry.value
        if isinstance(node, TextNode) and is_empty(node):
            self.log.error(node, f"`{name}` has no value", "name a file below the folder of hooks.yaml")
        elif not isinstance(node, TextNode):
            if not isinstance(node, BrokenNode):
                self.log.error(node, f"`{name}` must be the path of a file, this is {describe(node)}")
        elif not refuse_expression(node, f"`{name}`", self.log, "write the path out: it is read with hooks.yaml"):
            try:
                return self._content(node.text)
            except FileRefused as error:
                self.log.error(node, f"`{name}`: {error}", error.hint)
            except _Undecodable as error:
                self.log.error(error.at, str(error), "save the file as UTF-8")
        return BrokenNode(node.span)

    def _content(self, written: str) -> TextNode:
        """The file as a node of its own text, its places those of the file."""
        if written not in self._read:
            check_written(written)
            path = self.folder / written
            self.seen.add(stamp_of(path))  # first: what changes from now on differs from it
            self._read[written] = _as_node(read_confined(self.folder, written, MAX_TEXT), str(path))
        return self._read[written]


class _Undecodable(Exception):  # noqa: N818 - becomes a problem at its place
    """A byte that is not UTF-8."""

    def __init__(self, at: Span, byte: int) -> None:
        super().__init__(f"byte 0x{byte:02x} is not UTF-8")
        self.at = at


def _as_node(raw: bytes, name: str) -> TextNode:
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = _BREAK.sub("\n", raw[: error.start].decode("utf-8")).split("\n")
        raise _Undecodable(Span(SourceText(name), len(before), len(before[-1]) + 1), raw[error.start]) from None
    text = _BREAK.sub("\n", text)
    lines = tuple(text.split("\n"))
    return TextNode(Span(SourceText(name, lines), 1, 1), text, Style.FILE, len(lines), len(lines[-1]) + 1)
