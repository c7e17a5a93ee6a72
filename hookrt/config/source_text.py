"""Where something was written: the text of a file, and a span in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hookrt.model.hook import Place

LONGEST_SHOWN = 2_000
"""A longer line is not shown with a problem; its place is enough to find it."""

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, eq=False)
class SourceText:
    """A text that was read: its name as the user wrote it, and its lines without their ends.

    A `hidden` text (the value of a variable, say, which may hold a token) is never shown with a problem.
    """

    name: str
    lines: tuple[str, ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text and how many characters of its line are meant; line and column count from 1.

    Both are 0 for a text as a `whole`.
    """

    source: SourceText
    line: int
    column: int
    width: int = 1

    @classmethod
    def whole(cls, name: str, *, hidden: bool = False) -> Span:
        """All of a text that has no lines to point at: a variable, a flag."""
        return cls(SourceText(name, hidden=hidden), 0, 0)

    @property
    def place(self) -> Place:
        """The place, as the model keeps it."""
        return Place(self.source.name, self.line, self.column)

    @property
    def line_text(self) -> str | None:
        """The line, None where there is none or it is too long; what could trick a terminal is replaced."""
        if self.source.hidden or not 1 <= self.line <= len(self.source.lines):
            return None
        text = self.source.lines[self.line - 1]
        return _CONTROL.sub("\ufffd", text) if len(text) <= LONGEST_SHOWN else None
