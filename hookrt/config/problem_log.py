"""The problems of one load: collected, never raised, so that all of them are reported at once."""

from __future__ import annotations

from hookrt.config.nodes import Node
from hookrt.config.source_text import SourceText, Span
from hookrt.model.problem import Problem, Severity

MAX_PROBLEMS = 500
"""With so many, reading ends: nobody reads more, and a hostile file could make millions."""


class TooManyProblems(Exception):  # noqa: N818 - ends the reading, and is no fault of its own
    """There are MAX_PROBLEMS problems and one more is an error, so that going on is pointless."""


class ProblemLog:
    """Collects problems; the same message at the same place is kept once."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int, int, str], Problem] = {}
        self._files: dict[str, int] = {}
        self._full = False
        self.has_errors = False

    def error(self, at: Span | Node, message: str, hint: str | None = None) -> None:
        """Something that makes the configuration unusable; raises TooManyProblems when there are enough."""
        self.has_errors = True
        self._add(at, message, hint, Severity.ERROR)
        if self._full:
            raise TooManyProblems

    def warn(self, at: Span | Node, message: str, hint: str | None = None) -> None:
        """Something that deserves a look."""
        self._add(at, message, hint, Severity.WARNING)

    def follow(self, source: SourceText) -> None:
        """Name a text whose problems come after those of the texts named before."""
        self._files.setdefault(source.name, len(self._files))

    def sorted(self) -> tuple[Problem, ...]:
        """All problems in the order of their places; a last one says if there were more."""
        kept = sorted(self._kept.values(), key=self._order)
        if self._full:
            message = f"there are more problems than these {MAX_PROBLEMS}; they are not shown"
            kept.append(Problem(kept[-1].place, message, severity=Severity.WARNING))
        return tuple(kept)

    def _order(self, problem: Problem) -> tuple[int, int, int]:
        place = problem.place
        return self._files.get(place.file, len(self._files)), place.line, place.column

    def _add(self, at: Span | Node, message: str, hint: str | None, severity: Severity) -> None:
        span = at if isinstance(at, Span) else at.span
        place = span.place
        key = (place.file, place.line, place.column, message)
        if key in self._kept:
            return
        if len(self._kept) >= MAX_PROBLEMS:
            self._full = True
            return
        self.follow(span.source)
        hint = None if span.source.hidden else hint  # a hint may repeat what was written
        self._kept[key] = Problem(place, message, span.line_text, hint, severity, _shown_width(span))


def _shown_width(span: Span) -> int:
    """How much of the line to underline: no more than there is."""
    text = span.line_text
    return max(1, min(span.width, len(text) - span.column + 1)) if text else 1
