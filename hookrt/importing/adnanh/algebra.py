"""Conditions in CEL put together: constants folded, parentheses where they are needed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

_ATOM, _COMPARED, _AND, _OR = range(4)


@dataclass(frozen=True, slots=True)
class Condition:
    """A text in CEL, how loosely its parts hold together, and how the opposite is written where that is known."""

    text: str
    level: int = _ATOM
    opposite: str = ""

    def within(self, level: int) -> str:
        """The text as a part of something that binds so tightly."""
        return f"({self.text})" if self.level > level else self.text


TRUE, FALSE = Condition("true", opposite="false"), Condition("false", opposite="true")


def atom(text: str) -> Condition:
    """A call or a name, which needs no parentheses anywhere."""
    return Condition(text)


def equal(left: str, right: str) -> Condition:
    """Whether two values are the same."""
    return Condition(f"{left} == {right}", _COMPARED, f"{left} != {right}")


def unequal(left: str, right: str) -> Condition:
    """Whether they are not."""
    return negate(equal(left, right))


def among(value: str, choices: str) -> Condition:
    """Whether a value is one of a list."""
    return Condition(f"{value} in {choices}", _COMPARED)


def all_of(parts: Iterable[Condition]) -> Condition:
    """Whether all hold; of none, true."""
    return _joined(parts, " && ", _AND, TRUE)


def any_of(parts: Iterable[Condition]) -> Condition:
    """Whether one holds; of none, false."""
    return _joined(parts, " || ", _OR, FALSE)


def _joined(parts: Iterable[Condition], mark: str, level: int, idle: Condition) -> Condition:
    """The parts with the mark between them; `idle` is the constant that adds nothing, its opposite decides alone."""
    kept = list(dict.fromkeys(part for part in parts if part != idle))
    if negate(idle) in kept:
        return negate(idle)
    if len(kept) < 2:
        return kept[0] if kept else idle
    return Condition(mark.join(part.within(level) for part in kept), level)


def negate(part: Condition) -> Condition:
    """The opposite."""
    if part.opposite:
        return Condition(part.opposite, part.level, part.text)
    return Condition(f"!{part.within(_ATOM)}")


def quote(text: str) -> str:
    """A text as a literal of CEL, which reads the escapes of JSON."""
    return json.dumps(text, ensure_ascii=False)
