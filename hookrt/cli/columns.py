"""Which columns of a table a terminal has room for, and how wide each is.

What has to be read or copied whole is never cut: there is a column that stays whole, one that folds into more lines,
and one that is cut visibly. Where that is not enough, columns go, those of the highest rank first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

GAP = 2
"""Spaces between two columns."""


class Fit(Enum):
    """What becomes of a column for which there is too little room."""

    WHOLE = auto()
    FOLD = auto()
    CUT = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and what a narrow terminal does to it.

    `least` is how narrow it gets, in characters, where it folds or is cut. One with a `rank` above 0 may be left out.
    """

    name: str
    fit: Fit = Fit.WHOLE
    least: int = 10
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """The numbers of the columns that are shown, and their widths."""

    shown: tuple[int, ...]
    widths: tuple[int, ...]

    @property
    def width(self) -> int:
        """How wide the table is, in characters; more than the room there is where nothing else may go."""
        return sum(self.widths) + GAP * (len(self.widths) - 1)


def lay_out(columns: Sequence[Column], widest: Sequence[int], room: int) -> Layout:
    """The columns that fit into so many characters; `widest` is how wide each would be by itself."""
    least = [
        wide if column.fit is Fit.WHOLE else min(wide, max(column.least, len(column.name)))
        for column, wide in zip(columns, widest, strict=True)
    ]
    shown = list(range(len(columns)))
    for number in sorted(shown, key=lambda one: -columns[one].rank):
        if columns[number].rank and Layout(tuple(shown), tuple(least[one] for one in shown)).width > room:
            shown.remove(number)
    widths = [least[number] for number in shown]
    spare = room - Layout(tuple(shown), tuple(widths)).width
    return Layout(tuple(shown), tuple(_widen(widths, [widest[number] for number in shown], spare)))


def _widen(widths: list[int], widest: Sequence[int], spare: int) -> list[int]:
    """Give what room is left to the narrow ones first, a character at a time."""
    while spare > 0:
        wanting = [number for number, width in enumerate(widths) if width < widest[number]]
        if not wanting:
            break
        widths[min(wanting, key=lambda number: widths[number])] += 1
        spare -= 1
    return widths
