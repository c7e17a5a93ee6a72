"""What a YAML document consists of here: texts as they were written, lists and mappings, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hookrt.config.source_text import Span


class Style(StrEnum):
    """How a text was written."""

    PLAIN = "plain"
    SINGLE = "single"
    DOUBLE = "double"
    LITERAL = "literal"
    FOLDED = "folded"
    FILE = "file"
    """Not written in YAML at all: the whole content of a text file."""


@dataclass(frozen=True, slots=True, eq=False)
class TextNode:
    """A scalar: its text as written (escapes and folding undone, nothing else), and how it was written.

    `end_line` and `end_column` (from 1) are where it ends, its quotes included.
    """

    span: Span
    text: str
    style: Style = Style.PLAIN
    end_line: int = 0
    end_column: int = 0

    @property
    def plain(self) -> bool:
        """Whether it stands without quotes, so that it may be a number, true, false or null."""
        return self.style is Style.PLAIN


@dataclass(frozen=True, slots=True, eq=False)
class ListNode:
    """A list."""

    span: Span
    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A key with its value."""

    key: TextNode
    value: Node


@dataclass(frozen=True, slots=True, eq=False)
class MapNode:
    """A mapping, in the order written."""

    span: Span
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        """The value of a key, None where it is not there."""
        entry = self.entries.get(key)
        return entry.value if entry else None


@dataclass(frozen=True, slots=True, eq=False)
class BrokenNode:
    """Something that could not be read and has been reported: whoever meets it says nothing more of it."""

    span: Span


Node = TextNode | ListNode | MapNode | BrokenNode
Path = tuple[str | int, ...]
"""The way from a node down to another: keys and indices."""


def node_at(node: Node, path: Path) -> Node:
    """The node at the end of a path, or the deepest one on the way; what is no key there is skipped.

    So a path that goes through names of union members, as pydantic's do, still leads to its value.
    """
    for part in path:
        if isinstance(node, MapNode) and isinstance(part, str) and part in node.entries:
            node = node.entries[part].value
        elif isinstance(node, ListNode) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
    return node


def real_path(node: Node, path: Path) -> Path:
    """The parts of a path that are keys and indices of the document."""
    kept: list[str | int] = []
    for part in path:
        below = node_at(node, (part,))
        if below is not node:
            kept.append(part)
            node = below
    return tuple(kept)


def key_at(node: Node, path: Path) -> TextNode | None:
    """The key that the path's last part names, None where there is no such key."""
    parent = node_at(node, path[:-1]) if path else None
    entry = parent.entries.get(str(path[-1])) if isinstance(parent, MapNode) else None
    return entry.key if entry else None


def is_empty(node: Node) -> bool:
    """Whether this is a key without a value."""
    return isinstance(node, TextNode) and node.plain and node.text in ("", "null")


def describe(node: Node) -> str:
    """What kind of thing this is, in a word or two for people."""
    if isinstance(node, ListNode):
        return "a list"
    if isinstance(node, MapNode):
        return "a mapping"
    return "nothing" if is_empty(node) else "text"
