"""What is still running when the program ends is stopped while threads can still be used."""

from __future__ import annotations

import atexit
import concurrent.futures.thread  # noqa: F401 - its own end must be registered before ours: the last one comes first
import threading
import weakref
from collections.abc import Callable
from typing import Any


def stop_at_exit(stop: Callable[[], Any]) -> None:
    """Call this method when the program ends, if its object is still there.

    `atexit` comes too late for whatever works with executors: they take nothing any more by then. So this is one of the
    calls that the interpreter makes before it waits for threads, where it has them.
    """
    method = weakref.WeakMethod(stop)

    def end() -> None:
        if (found := method()) is not None:
            found()

    register: Callable[[Callable[[], None]], Any] = getattr(threading, "_register_atexit", atexit.register)
    register(end)
