"""From a place within a text value back to its place in the file, through indentation, quotes, escapes and folding."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from hookrt.config.nodes import Style, TextNode
from hookrt.config.source_text import Span

_SINGLE = re.compile(r"''|[^']+|'")
_DOUBLE = re.compile(r"\\(?:x..|u.{4}|U.{8}|.|$)|[^\\]+")


@dataclass(frozen=True, slots=True)
class _Run:
    """From this offset of the value on, `length` characters stand in the file from this place on."""

    offset: int
    length: int
    line: int
    column: int


def locate(node: TextNode, line: int, column: int, width: int = 1) -> Span:
    """The place in the file of a line and column (from 1) of the node's text; the node's own where it is unknown."""
    return locate_offset(node, _offset(node.text, line, column), width)


def locate_offset(node: TextNode, offset: int, width: int = 1) -> Span:
    """The place in the file of an offset in the node's text."""
    runs = list(_runs(node))
    if not runs:
        return node.span
    run = runs[max(bisect_right([one.offset for one in runs], max(offset, 0)) - 1, 0)]
    inside = min(max(offset - run.offset, 0), run.length)
    return Span(node.span.source, run.line, run.column + inside, width)


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        found = text.find("\n", start)
        if found < 0:
            break
        start = found + 1
    return min(start + column - 1, len(text))


def _runs(node: TextNode) -> Iterator[_Run]:
    """The pieces of the value that stand in the file character by character, in order."""
    text, cursor = node.text, 0
    for line, column, piece in _pieces(node):
        if node.style is Style.DOUBLE and piece.startswith("\\"):
            if len(piece) > 1:
                yield _Run(cursor, 0, line, column)
                cursor += 1
            continue
        shown = "'" if node.style is Style.SINGLE and piece == "''" else piece
        found = text.find(shown, cursor)
        if found >= 0:
            yield _Run(found, len(shown), line, column)
            cursor = found + len(shown)


def _pieces(node: TextNode) -> Iterator[tuple[int, int, str]]:
    """Line, column and text of what the file holds of the value, without indentation, quotes and line ends."""
    for line, column, written in _written_lines(node):
        stripped = written.lstrip(" \t") if line > node.span.line else written
        column += len(written) - len(stripped)
        stripped = stripped.rstrip(" \t") if line < node.end_line else stripped
        if node.style not in (Style.SINGLE, Style.DOUBLE):
            if stripped:
                yield line, column, stripped
            continue
        for found in (_SINGLE if node.style is Style.SINGLE else _DOUBLE).finditer(stripped):
            yield line, column + found.start(), found.group()


def _written_lines(node: TextNode) -> Iterator[tuple[int, int, str]]:
    """Line, first column and text of each line of the file that belongs to the value."""
    lines, start = node.span.source.lines, node.span.line
    quote = 1 if node.style in (Style.SINGLE, Style.DOUBLE) else 0
    first = start + 1 if node.style in (Style.LITERAL, Style.FOLDED) else start
    for line in range(max(first, 1), min(node.end_line, len(lines)) + 1):
        begin = node.span.column - 1 + quote if line == start else 0
        end = node.end_column - 1 - quote if line == node.end_line else len(lines[line - 1])
        yield line, begin + 1, lines[line - 1][begin:end]
