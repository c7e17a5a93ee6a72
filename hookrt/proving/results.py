"""What came of tests."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from hookrt.model.hook_test import HookTest, Written
from hookrt.model.problem import Problem
from hookrt.proving.comparison import ABSENT

LONGEST_SHOWN = 2_000
"""Characters of a value that are shown."""

LONGEST_LINE = 200
"""Characters of a line of a diff that are shown."""

MOST_LINES = 60
"""Lines of a diff that are shown."""

MOST_COMPARED = 5_000
"""Lines of a value that are compared."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that is not as a test expects it: what it is about, where that is written, and why it may be so.

    Without `compared` it is a sentence about the test as a whole.
    """

    subject: str
    written: Written
    expected: Any = None
    actual: Any = None
    why: str | None = None
    compared: bool = True

    @property
    def problem(self) -> Problem:
        """The same as a problem of hooks.yaml, with its place."""
        written = self.written
        return Problem(written.place, self._message(), written.line_text, self.why, width=written.width)

    def _message(self) -> str:
        if not self.compared:
            return self.subject
        if _is_long(self.expected) and _is_long(self.actual) and (diff := _diff(self.expected, self.actual)):
            return "\n".join((f"{self.subject} is not as expected", "    - expected, + got", *diff))
        return (
            f"{self.subject} is not as expected\n"
            f"    expected  {shown(self.expected)}\n"
            f"    got       {shown(self.actual)}"
        )


@dataclass(frozen=True, slots=True)
class TestResult:
    """A test that was run, how long that took, and everything that was not as expected."""

    test: HookTest
    duration_ms: float
    mismatches: tuple[Mismatch, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.mismatches


@dataclass(frozen=True, slots=True)
class Report:
    """All tests that were run, and the hooks that have none."""

    results: Sequence[TestResult]
    untested: Sequence[str] = ()

    @property
    def failed(self) -> int:
        """How many were not as expected."""
        return sum(not result.passed for result in self.results)

    @property
    def duration_ms(self) -> float:
        """How long they took together."""
        return sum(result.duration_ms for result in self.results)


def shown(value: Any) -> str:
    """A value as one writes it in JSON, cut where it is very long."""
    if value is ABSENT:
        return "nothing"
    return _cut(json.dumps(value, ensure_ascii=False), LONGEST_SHOWN)


def _is_long(value: Any) -> bool:
    return isinstance(value, (dict, list)) or (isinstance(value, str) and "\n" in value)


def _lines(value: Any) -> list[str]:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return text.splitlines()[:MOST_COMPARED]


def _diff(expected: Any, actual: Any) -> list[str]:
    """What differs, each with three lines of what is around it; nothing where only ends of lines do."""
    found = difflib.unified_diff(_lines(expected), _lines(actual), lineterm="")
    hunks = ["…" if line.startswith("@@") else f"{line[:1]} {line[1:]}" for line in islice(found, 3, MOST_LINES)]
    more = ["…"] if next(found, None) is not None else []
    return [f"    {_cut(line, LONGEST_LINE)}".rstrip() for line in [*hunks, *more]]


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
