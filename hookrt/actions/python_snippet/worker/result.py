"""From whatever a snippet returned to plain JSON values, by exact types and within a budget."""

from __future__ import annotations

import math
from typing import Any

from hookrt.actions.python_snippet.worker.stops import BadResultError
from hookrt.actions.python_snippet.worker.wire import MAX_DEPTH

MAX_NODES = 100_000
MAX_BITS = 256
_RETURNED = "the result"
_ADVICE = "plain values only (dict with text keys, list, str, int, float, bool, None)"

Path = tuple[str | int, ...]


class Normaliser:
    """Copies one value into plain JSON values; raises BadResultError naming the place.

    Exact types only, since a subclass could change what it shows. `limit` is in bytes of JSON; what the walk sees
    is a lower bound of it, so that a value that shares its parts ends the walk early. `name` is what errors call it.
    """

    def __init__(self, limit: int, depth: int = MAX_DEPTH, name: str = _RETURNED) -> None:
        self._name = name
        self._advice = f"return {_ADVICE}" if name == _RETURNED else _ADVICE
        self._limit = limit
        self._depth = depth
        self._room = limit
        self._nodes = MAX_NODES

    def copy(self, value: Any, path: Path = ()) -> Any:
        """The value as plain JSON values; tuples become lists."""
        self._nodes -= 1
        if self._nodes < 0:
            raise BadResultError(f"{self._name} has more than {MAX_NODES:,} values")
        kind = type(value)
        if kind is str:
            return self._text(value, path)
        if kind is dict:
            return self._object(value, path)
        if kind is list or kind is tuple:
            self._check_depth(path)
            return [self.copy(item, (*path, index)) for index, item in enumerate(value)]
        if value is None or kind is bool or (kind is float and math.isfinite(value)):
            return value
        if kind is int and value.bit_length() <= MAX_BITS:
            return value
        raise BadResultError(f"{self._place(path)} is {_describe(value)}: {self._advice}")

    def _object(self, value: dict[Any, Any], path: Path) -> dict[str, Any]:
        self._check_depth(path)
        made = {}
        for key, item in value.items():
            if type(key) is not str:
                raise BadResultError(f"{self._place(path)} has the key {key!r}"[:120] + ": keys must be text")
            made[self._text(key, path)] = self.copy(item, (*path, key))
        return made

    def _text(self, value: str, path: Path) -> str:
        self._room -= len(value) + 2
        if self._room < 0:
            raise BadResultError(f"{self._name} has more than {self._limit:,} bytes as JSON")
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                raise BadResultError(f"{self._place(path)} has half of a surrogate pair, which is no text") from None
        return value

    def _check_depth(self, path: Path) -> None:
        if len(path) >= self._depth:
            raise BadResultError(f"{self._name} is nested more than {self._depth} levels deep")

    def _place(self, path: Path) -> str:
        return self._name + "".join(f"[{part!r}]"[:60] for part in path[:8]) + ("..." if len(path) > 8 else "")


def _describe(value: Any) -> str:
    kind = type(value)
    if kind is float:
        return f"{value}, which JSON does not have"
    if kind is int:
        return f"a number of more than {MAX_BITS} bits"
    name = kind.__name__[:60]
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
