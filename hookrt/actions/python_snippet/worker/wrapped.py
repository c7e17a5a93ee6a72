"""Functions of the standard library that a snippet gets in a tamer form."""

from __future__ import annotations

import collections
import functools
import signal
import time
from collections.abc import Callable
from typing import Any

from hookrt.actions.python_snippet.worker.classes import SnippetType
from hookrt.actions.python_snippet.worker.stops import DeniedError


def bound_sleep(seconds: float, /) -> None:
    """`time.sleep`, but no longer than the run may still take."""
    left = signal.getitimer(signal.ITIMER_REAL)[0]
    if seconds > left:
        raise DeniedError(f"time.sleep({seconds!r}) is longer than the {left:.1f} s that this run has left"[:200])
    time.sleep(seconds)


def hide_cache(function: Any) -> Any:
    """The function itself, or one without its `cache_info`, which would tell of earlier runs."""
    if not isinstance(function, type(_cached)):
        return function

    def call(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return call


@functools.lru_cache
def _cached() -> None:
    """Shows the type of functions with a cache."""


def wraps(_wrapped: Any, /, **_options: Any) -> Callable[[Any], Any]:
    """`functools.wraps`; it has nothing to copy, since a snippet cannot read what it would copy."""
    return lambda wrapper: wrapper


def total_ordering(cls: Any, /) -> Any:
    """`functools.total_ordering`, for the snippet's own classes, since it writes into the class."""
    if type(cls) is not SnippetType:
        raise DeniedError("functools.total_ordering is for the snippet's own classes")
    return functools.total_ordering(cls)


def lru_cache(maxsize: Any = 128, typed: bool = False) -> Any:
    """`functools.lru_cache`, for functions and the snippet's own classes: it reads what a class has and so makes it."""
    if callable(maxsize):
        return _remember(maxsize, 128, typed=typed)
    return lambda function: _remember(function, maxsize, typed=typed)


def cache(function: Any, /) -> Any:
    """`functools.cache`, for what `lru_cache` is for."""
    return _remember(function, None, typed=False)


def _remember(function: Any, maxsize: int | None, *, typed: bool) -> Any:
    if isinstance(function, type) and type(function) is not SnippetType:
        raise DeniedError("a cache is for functions and the snippet's own classes")
    return functools.lru_cache(maxsize, typed)(function)


def copied(value: Any, /) -> Any:
    """`copy.copy` of plain containers; what cannot change is itself."""
    return value.copy() if _is_plain(value) else value


def deeply_copied(value: Any, /) -> Any:
    """`copy.deepcopy` of plain containers in each other."""
    return _deeply(value, {})


def _deeply(value: Any, seen: dict[int, Any]) -> Any:
    if type(value) is tuple:
        return tuple(_deeply(each, seen) for each in value)
    if not _is_plain(value) or id(value) in seen:
        return seen.get(id(value), value)
    made = seen[id(value)] = value.copy()
    if isinstance(made, dict):
        for key in made:
            made[key] = _deeply(made[key], seen)
    elif isinstance(made, list | collections.deque):
        for place, each in enumerate(value):
            made[place] = _deeply(each, seen)
    return made


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if type(kind) is SnippetType or kind is collections.ChainMap:
        raise DeniedError(f"a {kind.__name__} cannot be copied: copy what it holds"[:200])
    return kind in _CONTAINERS


_CONTAINERS = frozenset(
    {dict, list, set, bytearray, collections.Counter, collections.OrderedDict, collections.defaultdict}
    | {collections.deque}
)
