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


TRUE, FALSE = Condition("true"), Condition("false")


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
    kept = list(dict.fromkeys(part for part in parts if part != TRUE))
    if FALSE in kept:
        return FALSE
    if len(kept) < 2:
        return kept[0] if kept else TRUE
    return Condition(" && ".join(part.within(_AND) for part in kept), _AND)


def any_of(parts: Iterable[Condition]) -> Condition:
    """Whether one holds; of none, false."""
    kept = list(dict.fromkeys(part for part in parts if part != FALSE))
    if TRUE in kept:
        return TRUE
    if len(kept) < 2:
        return kept[0] if kept else FALSE
    return Condition(" || ".join(part.within(_OR) for part in kept), _OR)


def negate(part: Condition) -> Condition:
    """The opposite."""
    if part in (TRUE, FALSE):
        return FALSE if part == TRUE else TRUE
    if part.opposite:
        return Condition(part.opposite, part.level, part.text)
    return Condition(f"!{part.within(_ATOM)}")


def quote(text: str) -> str:
    """A text as a literal of CEL, which reads the escapes of JSON."""
    return json.dumps(text, ensure_ascii=False)
