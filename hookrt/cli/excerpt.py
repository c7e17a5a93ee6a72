"""The line of a problem with a caret below the place: aligned as a terminal shows it, cut around it if it is long."""

from __future__ import annotations

from dataclasses import dataclass

from hookrt.cli.render import escape
from hookrt.model.problem import Problem

_TAB = 8
_CUT = "…"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A line, or a part of it, and the line below it that marks the place; both without control characters."""

    line: str
    marks: str


def cut_out(problem: Problem, room: int) -> Excerpt:
    """As much of a problem's line around its place as `room` columns hold (ten at least), and what marks the place.

    A wide character (most of Chinese, Japanese and Korean are) takes two columns of a terminal, a combining one none.
    """
    cells = _lay_out(problem.line_text or "")
    start = min(max(problem.place.column - 1, 0), len(cells))
    first, last = _choose(cells, start, room)
    before, behind = _CUT if first else "", _CUT if last < len(cells) else ""
    shown = "".join(cell.text for cell in cells[first:last])
    indent = len(before) + _columns(cells[first:start])
    marked = _columns(cells[start : min(start + problem.width, last)])
    return Excerpt(before + shown + behind, " " * indent + "^" * max(marked, 1))


@dataclass(frozen=True, slots=True)
class _Cell:
    """A character as it is shown, and how many columns that takes."""

    text: str
    width: int


def _lay_out(text: str) -> list[_Cell]:
    cells: list[_Cell] = []
    at = 0
    for character in text:
        shown = " " * (_TAB - at % _TAB) if character == "\t" else escape(character)
        cells.append(_Cell(shown, _width(shown)))
        at += cells[-1].width
    return cells


def _choose(cells: list[_Cell], start: int, room: int) -> tuple[int, int]:
    """Which cells to show: all where there is room, else those around the one at `start`, two thirds of them behind."""
    if _columns(cells) + (start == len(cells)) <= room:
        return 0, len(cells)
    room -= 2 * len(_CUT)
    first = last = start
    used = 0
    while first > 0 and used + cells[first - 1].width <= room // 3:
        first -= 1
        used += cells[first].width
    while last < len(cells) and used + cells[last].width <= room:
        used += cells[last].width
        last += 1
    while first > 0 and used + cells[first - 1].width <= room:
        first -= 1
        used += cells[first].width
    return first, last


def _columns(cells: list[_Cell]) -> int:
    return sum(cell.width for cell in cells)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
