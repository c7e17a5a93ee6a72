"""A worker that has nothing to do does nothing: one that computes all the same is ended."""

from __future__ import annotations

import asyncio
from typing import Protocol

from hookrt.actions.python_snippet.spawn import cpu_seconds

LOOK_EVERY = 5.0
"""Seconds between two looks."""

MOST_AT_REST = 0.05
"""The share of them that a worker may compute for."""

_AT_WORK = -1


class Watched(Protocol):
    """What is watched: a worker. `runs` counts what it was given, `load` is what it has to do now."""

    @property
    def pid(self) -> int:
        """The process id."""
        ...

    @property
    def runs(self) -> int:
        """How many runs it has been given."""
        ...

    @property
    def load(self) -> int:
        """How many runs it has under way."""
        ...

    def kill(self) -> None:
        """End it."""
        ...


class RestWatch:
    """Looks at the CPU time of a worker that has answered, now and then.

    Without the language policy, a snippet could answer and go on: the time of its run is over then, and the kernel's
    limit of CPU time is a signal, which can be ignored.
    """

    def __init__(self, worker: Watched) -> None:
        self._worker = worker
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """It has answered, and has nothing to do; from now on it is looked at until `stop`."""
        if self._timer is None:
            self._wait()

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        worker = self._worker
        runs = _AT_WORK if worker.load else worker.runs
        self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look, runs, cpu_seconds(worker.pid))

    def _look(self, runs: int, before: float) -> None:
        worker = self._worker
        at_rest = runs == worker.runs and not worker.load
        if at_rest and cpu_seconds(worker.pid) - before > MOST_AT_REST * LOOK_EVERY:
            worker.kill()
        else:
            self._wait()
