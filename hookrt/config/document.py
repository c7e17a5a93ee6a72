"""One YAML file as nodes that keep the written text and its place; the only module that knows PyYAML.

It reads YAML's *events*, not `yaml.load` nor `yaml.compose`: the text of a scalar arrives as it was written, so that
nothing becomes a boolean, a date or a base-60 number behind the writer's back, and depth and aliases are bounded
before anything is built. Whatever is wrong is a problem in the log, never an exception.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hookrt.config.nodes import BrokenNode, Entry, ListNode, MapNode, Node, Style, TextNode
from hookrt.config.problem_log import ProblemLog, TooManyProblems
from hookrt.config.source_text import SourceText, Span
from hookrt.config.suggest import shorten
from hookrt.config.syntax_hints import SyntaxFailure, explain_syntax, written_value

MAX_BYTES = 5 * 1024 * 1024
"""Largest file that is read."""

MAX_DEPTH = 64
"""Deepest nesting, aliases included; the same as an event's JSON."""

MAX_NODES = 1_000_000
"""Most values in one file."""

MAX_ALIASED = 50_000
"""Most values that aliases stand for, all together: a few lines of aliases of aliases could make billions."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")  # listing what fits takes 15 ms
_BREAK = re.compile("\r\n|\r|\n")
_SURROGATE = re.compile("[\ud800-\udfff]")
_STYLES = {"'": Style.SINGLE, '"': Style.DOUBLE, "|": Style.LITERAL, ">": Style.FOLDED}


def read_document(path: Path, log: ProblemLog) -> Node | None:
    """The root of a file; an empty file is an empty mapping, None is a file that cannot be read (and is reported)."""
    name = str(path)
    try:
        with path.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except OSError as error:
        _refuse(log, name, f"the file cannot be read: {error.strerror or type(error).__name__}")
        return None
    except ValueError:
        _refuse(log, name, "the file name holds a NUL character")
        return None
    return parse_document(raw, name, log)


def parse_document(raw: bytes, name: str, log: ProblemLog, *, hidden: bool = False) -> Node | None:
    """The root of a text in UTF-8, as `read_document`; `name` is what its problems call it.

    A `hidden` text is never shown with its problems.
    """
    if len(raw) > MAX_BYTES:
        _refuse(log, name, f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB")
        return None
    text = _decode(raw, name, log)
    if text is None:
        return None
    source = SourceText(name, tuple(_BREAK.split(text)), hidden)
    log.follow(source)
    if found := _UNFIT.search(text):
        _refuse_character(found, source, log)
        return None
    return _build(text, source, log)


def _decode(raw: bytes, name: str, log: ProblemLog) -> str | None:
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
        hint = "it looks like UTF-16: save it as UTF-8" if wide else "save the file as UTF-8"
        log.error(Span(SourceText(name, ()), line, column), f"byte 0x{raw[error.start]:02x} is not UTF-8", hint)
        return None


def _refuse(log: ProblemLog, name: str, message: str) -> None:
    log.error(Span(SourceText(name, ()), 1, 1), message)


def _refuse_character(found: re.Match[str], source: SourceText, log: ProblemLog) -> None:
    before = _BREAK.split(found.string[: found.start()])
    code = ord(found.group())
    hint = f'inside double quotes it can be written "\\u{code:04x}"' if code else "a text file has none: is it binary?"
    log.error(
        Span(source, len(before), len(before[-1]) + 1), f"the character U+{code:04X} cannot stand in a YAML file", hint
    )


def _build(text: str, source: SourceText, log: ProblemLog) -> Node | None:
    builder = _Builder(source, log)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except (_Refused, TooManyProblems):
        return None
    except yaml.MarkedYAMLError as error:
        explain_syntax(_failure(error, source), log)
        return None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        log.error(Span(source, 1, 1), f"this is not YAML: {shorten(str(error), 200)}")
        return None
    return builder.root or MapNode(Span(source, 1, 1))


def _failure(error: yaml.MarkedYAMLError, source: SourceText) -> SyntaxFailure:
    at, opened = error.problem_mark or error.context_mark, error.context_mark
    return SyntaxFailure(
        problem=error.problem or "",
        context=error.context or "",
        at=Span(source, at.line + 1, at.column + 1) if at else Span(source, 1, 1),
        opened=Span(source, opened.line + 1, opened.column + 1) if opened else None,
    )


class _Refused(Exception):  # noqa: N818 - ends the reading of one file; the reason is in the log
    """The file breaks a limit, so that reading it stops."""


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is not complete yet."""

    span: Span
    mapping: bool
    anchor: str | None
    tagged: bool
    counted: int
    height: int = 1
    key: Node | None = None
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)

    def finish(self) -> Node:
        """The node that it has become."""
        if self.tagged:
            return BrokenNode(self.span)
        if self.mapping:
            return MapNode(self.span, self.entries)
        return ListNode(self.span, tuple(self.items))


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an alias stands for, and how much that is."""

    node: Node
    size: int
    height: int


class _Builder:
    """Builds nodes from YAML's events, without recursion."""

    def __init__(self, source: SourceText, log: ProblemLog) -> None:
        self.root: Node | None = None
        self._source = source
        self._log = log
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._count = 0
        self._aliased = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        """Take in one event; raises _Refused, with the reason in the log, when a limit is broken."""
        if isinstance(event, yaml.ScalarEvent):
            self._count_up(1, self._span(event))
            self._place(self._text(event), event.anchor, 1, 0)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._follow_alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._begin_document(event)

    def _begin_document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            span = self._span(event)
            self._log.error(span, "a second YAML document begins here", "put it into a file of its own, without `---`")
            raise _Refused

    def _open(self, event: Any) -> None:
        span = self._span(event)
        self._count_up(1, span)
        self._check_depth(len(self._stack) + 1, span)
        tagged = event.tag is not None
        if tagged:
            self._report_tag(event, span)
        mapping = isinstance(event, yaml.MappingStartEvent)
        self._stack.append(_Frame(span, mapping, event.anchor, tagged, self._count))

    def _close(self) -> None:
        frame = self._stack.pop()
        self._place(frame.finish(), frame.anchor, self._count - frame.counted + 1, frame.height)

    def _follow_alias(self, event: Any) -> None:
        span = self._span(event)
        found = self._anchors.get(event.anchor)
        if found is None:
            value = written_value(span)
            hint = f'a text that begins with `*` must be quoted: "{value}"'
            self._log.error(
                span, f"`*` begins an alias in YAML, and there is no anchor &{event.anchor} before it", hint
            )
            self._place(BrokenNode(span), None, 1, 0)
            return
        self._count_up(found.size, span)
        self._aliased += found.size
        if self._aliased > MAX_ALIASED:
            self._log.error(span, f"the aliases of this file stand for more than {MAX_ALIASED:,} values")
            raise _Refused
        self._check_depth(len(self._stack) + found.height, span)
        self._place(found.node, None, found.size, found.height)

    def _place(self, node: Node, anchor: str | None, size: int, height: int) -> None:
        """Put a complete node where it belongs: a key, a value, an item or the root."""
        if anchor is not None:
            self._anchors[anchor] = _Anchored(node, size, height)
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        frame.height = max(frame.height, height + 1)
        if not frame.mapping:
            frame.items.append(node)
        elif frame.key is None:
            frame.key = self._checked_key(node)
        else:
            self._enter(frame, frame.key, node)
            frame.key = None

    def _checked_key(self, node: Node) -> Node:
        if not isinstance(node, TextNode):
            if not isinstance(node, BrokenNode):
                self._log.error(node, "a key must be text")
            return BrokenNode(node.span)
        if node.plain and node.text == "<<":
            hint = "write the keys out; an anchor `&name` and its alias `*name` work for whole values"
            self._log.error(node, "the merge key `<<` is not supported", hint)
            return BrokenNode(node.span)
        return node

    def _enter(self, frame: _Frame, key: Node, value: Node) -> None:
        if not isinstance(key, TextNode):
            return
        first = frame.entries.get(key.text)
        if first is not None:
            where = f"line {first.key.span.line}"
            self._log.error(key, f"the key {shorten(key.text)} stands here twice, the first time in {where}")
            return
        frame.entries[key.text] = Entry(key, value)

    def _text(self, event: Any) -> Node:
        span = self._span(event)
        if event.tag is not None:
            self._report_tag(event, span)
            return BrokenNode(span)
        if _SURROGATE.search(event.value):
            self._log.error(span, "half of a surrogate pair is no character", "write the character itself")
            return BrokenNode(span)
        style = _STYLES.get(event.style or "", Style.PLAIN)
        return TextNode(span, event.value, style, event.end_mark.line + 1, event.end_mark.column + 1)

    def _report_tag(self, event: Any, span: Span) -> None:
        value = written_value(span)
        if value.startswith("!!"):
            hint = "leave the tag out; quotes make a value text"
        else:
            hint = f"an expression or text that begins with `!` must be quoted: '{value}'"
        self._log.error(span, f"`!` begins a tag in YAML, and there is no tag {shorten(str(event.tag))}", hint)

    def _count_up(self, size: int, span: Span) -> None:
        self._count += size
        if self._count > MAX_NODES:
            self._log.error(span, f"there are more than {MAX_NODES:,} values in this file")
            raise _Refused

    def _check_depth(self, depth: int, span: Span) -> None:
        if depth > MAX_DEPTH:
            self._log.error(span, f"this is nested more than {MAX_DEPTH} levels deep")
            raise _Refused

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        line = start.line + 1
        if start.line == end.line:
            width = end.column - start.column
        else:
            width = len(self._source.lines[start.line]) - start.column if line <= len(self._source.lines) else 1
        return Span(self._source, line, start.column + 1, max(width, 1))
