"""The soft deadline: an exception inside the run when its time is up. The service kills from outside if it fails."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hookrt.actions.python_snippet.worker.stops import DeadlineReached

REPEAT = 0.05
"""Seconds until it is raised again in a run that swallowed it."""


class Deadline:
    """An alarm that raises DeadlineReached in whatever runs between `start` and `stop`, again and again.

    `fired` tells afterwards, also when the snippet swallowed the exception. There is one per process.
    """

    def __init__(self) -> None:
        self.fired = False
        self._armed = False
        self._held = False
        signal.signal(signal.SIGALRM, self._ring)

    def start(self, seconds: float) -> None:
        """Begin to count; at least a millisecond."""
        self.fired = self._held = False
        self._armed = True
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), REPEAT)

    def stop(self) -> None:
        """Raise no more."""
        self._armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raise nothing within, where it would cut a frame in two; whoever waits there is woken in time by others."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self.fired:
            raise DeadlineReached

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        if self._armed:
            self.fired = True
            if not self._held:
                raise DeadlineReached
