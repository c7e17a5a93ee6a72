"""A problem in the configuration, with its place and the way out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from hookrt.model.hook import Place

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What could steer a terminal, hide text in it, or not be written to it at all."""


class Severity(StrEnum):
    """Whether the configuration cannot be used, or only deserves a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: where, what, the line with a caret below it, and what to do.

    `width` is how many characters the caret line underlines, wide ones over their whole width. `str()` is the form for
    people.
    """

    place: Place
    message: str
    line_text: str | None = None
    hint: str | None = None
    severity: Severity = Severity.ERROR
    width: int = 1

    def __str__(self) -> str:
        lines = [f"{self.place}: {self.severity.value}: {self.message}"]
        if self.line_text is not None:
            number = f"{self.place.line:5} | "
            start = self.place.column - 1
            before, marked = self.line_text[:start], self.line_text[start : start + self.width]
            indent = "".join("\t" if character == "\t" else " " * _columns(character) for character in before)
            marks = "^" * max(_columns(marked) + self.width - len(marked), 1)
            lines.append(number + self.line_text)
            lines.append(" " * (len(number) - 3) + " | " + indent + marks)
        if self.hint:
            lines.append(f"        hint: {self.hint}")
        return _UNPRINTABLE.sub("\ufffd", "\n".join(lines))


def _columns(text: str) -> int:
    """How many columns a text takes: a wide character (most of Chinese, Japanese and Korean) two, a combining none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.category(character) in {"Mn", "Me"} for character in text)
