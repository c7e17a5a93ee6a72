"""What the library is handed of an event: only the paths that the expression names, in a form that it can bear.

Its readers have traps, measured with cel-expr-python 0.1.3: a text is cut at its first NUL, an integer beyond 64 bits
fails the whole event, deep nesting overruns the stack, and a macro's cost can grow with the square of a list. So
every value is looked at on its way in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hookrt.errors import ExpressionError
from hookrt.matching.paths import EVENT_READERS, Miss, Path, follow, format_path, read_root, read_secret
from hookrt.matching.survey import MAX_ELEMENTS, Mention, Use
from hookrt.model.hook import Scope
from hookrt.model.json_depth import MAX_DEPTH

MAX_REPEATED_TEXT = 16 * 1024
"""Characters of a text that is looked at once for every element of a list."""

_LARGEST, _SMALLEST = (1 << 64) - 1, -(1 << 63)


class _Unfit(Exception):  # noqa: N818 - it never leaves this module
    """A value that cannot be handed over; the text says why, and fits behind the path."""


@dataclass(slots=True)
class _Branch:
    """One segment of the mentioned paths. `whole` hands over all that is there, `presence` only that it is there."""

    path: Path
    children: dict[str, _Branch] = field(default_factory=dict)
    whole: bool = False
    presence: bool = False
    repeated: bool = False


class Handover:
    """The values that one expression needs; `take` collects them from a scope."""

    __slots__ = ("_looped", "_roots")

    def __init__(self, mentions: Iterable[Mention]) -> None:
        self._roots: dict[str, _Branch] = {}
        self._looped: list[Path] = []
        for mention in mentions:
            self._grow(mention)
        for root in self._roots.values():
            _tighten(root)

    def _grow(self, mention: Mention) -> None:
        root = str(mention.path[0])
        branch = self._roots.setdefault(root, _Branch((root,)))
        for segment in mention.path[1:]:
            if not isinstance(segment, str):  # a list is handed over whole, so that its indices stay
                break
            branch = branch.children.setdefault(segment, _Branch((*branch.path, segment)))
        exact = all(isinstance(segment, str) for segment in mention.path)
        branch.presence |= mention.use is Use.PRESENCE and exact
        branch.whole |= mention.use is not Use.PRESENCE or not exact
        branch.repeated |= mention.use is Use.REPEATED
        if mention.use is Use.LOOPED:
            self._looped.append(mention.path)

    def take(self, scope: Scope) -> dict[str, Any]:
        """The variables for the library; raises ExpressionError naming the value that cannot be handed over."""
        for path in self._looped:
            _check_length(path, follow(scope, path))
        return {root: _take_root(scope, root, branch) for root, branch in self._roots.items()}


def _tighten(branch: _Branch) -> bool:
    """What is handed over whole is bounded if any part of it has to be; returns whether one has."""
    inner = [_tighten(child) for child in branch.children.values()]
    branch.repeated |= branch.whole and any(inner)
    return branch.repeated or any(inner)


def _check_length(path: Path, value: Any) -> None:
    if isinstance(value, list | dict) and len(value) > MAX_ELEMENTS:
        raise ExpressionError(
            f"{format_path(path)} has {len(value):,} elements: a macro goes over {MAX_ELEMENTS:,} at most"
        )


def _take_root(scope: Scope, root: str, branch: _Branch) -> Any:
    """One variable. Its fields are read one by one, since making all of them costs more than the expression."""
    if branch.whole:
        return _take(read_root(scope, root), branch)
    taken: dict[str, Any] = {}
    for name, child in branch.children.items():
        value = _read(scope, root, name)
        if not isinstance(value, Miss):
            taken[name] = _take(value, child)
    return taken


def _read(scope: Scope, root: str, name: str) -> Any:
    if root == "event" and name in EVENT_READERS:
        return EVENT_READERS[name](scope.event)
    if root == "secrets":
        return read_secret(scope, name)
    return follow(scope, (root, name))


def _take(value: Any, branch: _Branch) -> Any:
    """The mentioned part of a value. What is no map is handed over as it is, so that the library judges it."""
    if not branch.whole:
        if branch.presence and not branch.children:
            return True
        if type(value) is dict:
            return {name: _take(value[name], child) for name, child in branch.children.items() if name in value}
    try:
        return _fit(value, 0, repeated=branch.repeated)
    except _Unfit as unfit:
        raise ExpressionError(f"{format_path(branch.path)} {unfit}") from None


def _fit(value: Any, depth: int, *, repeated: bool) -> Any:
    """The value as the library can bear it.

    An integer beyond 64 bits goes in as the bytes of its digits: equal to its like, text with `string()`, and an
    error in arithmetic; on its way out it becomes the integer again.
    """
    kind = type(value)
    if kind is str:
        return _fit_text(value, repeated=repeated)
    if value is None or kind is bool or kind is float:
        return value
    if kind is int:
        return value if _SMALLEST <= value <= _LARGEST else _digits(value)
    if depth >= MAX_DEPTH + 8:
        raise _Unfit(f"is nested more than {MAX_DEPTH} levels deep")
    if repeated and isinstance(value, list | dict) and len(value) > MAX_ELEMENTS:
        raise _Unfit(f"holds {len(value):,} elements: beside a macro {MAX_ELEMENTS:,} at most")
    if kind is list:
        return [_fit(element, depth + 1, repeated=repeated) for element in value]
    if isinstance(value, Mapping):
        return {
            _fit_text(str(key), repeated=repeated): _fit(element, depth + 1, repeated=repeated)
            for key, element in value.items()
        }
    raise _Unfit(f"holds a {kind.__name__}, which is no JSON value")


def bearable(value: Any) -> Any:
    """A value that a function returned, as the library can bear it; raises ValueError where it cannot."""
    try:
        return _fit(value, 0, repeated=False)
    except _Unfit as unfit:
        raise ValueError(str(unfit)) from None


def _digits(number: int) -> bytes:
    try:
        return str(number).encode()
    except ValueError:  # Python converts some thousand digits at most
        raise _Unfit("holds an integer of some thousand digits") from None


def _fit_text(text: str, *, repeated: bool) -> str:
    if "\0" in text:
        raise _Unfit("holds a NUL character")
    if repeated and len(text) > MAX_REPEATED_TEXT:
        raise _Unfit(f"holds a text of {len(text):,} characters: beside a macro {MAX_REPEATED_TEXT:,} at most")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _Unfit("holds a text that is not valid Unicode") from None
    return text
