"""Functions of the standard library that a snippet gets in a tamer form."""

from __future__ import annotations

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
