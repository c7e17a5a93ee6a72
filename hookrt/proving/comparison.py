"""What is not as expected: pure. Of objects the given keys count, of all else everything does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hookrt.model.hook_test import Expected, ValuePath


class Absent:
    """Nothing at all, which is not the same as null."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = Absent()
"""What a value is that is not there."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of a value that is not as expected."""

    path: ValuePath
    expected: Any
    actual: Any


def differences(expected: Expected, actual: Any) -> list[Difference]:
    """Every part that differs: a key that is missing, a list of another length, another value.

    Keys that nobody expects are passed over. Null is also fulfilled by a key that is not there.
    """
    return list(_compare(expected.value, actual, ()))


def _compare(expected: Any, actual: Any, path: ValuePath) -> Iterator[Difference]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            yield from _compare(value, actual.get(key, ABSENT), (*path, key))
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from _compare(one, other, (*path, index))
    elif not _equal(expected, actual):
        yield Difference(path, expected, actual)


def _equal(expected: Any, actual: Any) -> bool:
    if expected is None:
        return actual is None or actual is ABSENT
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    return bool(expected == actual)
