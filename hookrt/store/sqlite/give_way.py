"""Letting the store's threads run beside a busy event loop."""

from __future__ import annotations

import asyncio
import time

_STEP_S = 0.002
_PAUSE_S = 0.00005
_BUSY = 0.5


class GiveWay:
    """Lets go of the interpreter lock now and then while a thread of the store has work.

    A thread that comes back from SQLite waits for the lock until its holder gives it up. An event loop that polls its
    sockets more often than the switch interval (5 ms) gives it up at every poll for a moment too short to wake
    anybody, and every such moment starts the wait anew: a commit was seen to take seconds. So while there is work
    and the loop's thread is busy, it pauses for 50 us every 2 ms. An idle loop needs no pause and makes none.
    """

    def __init__(self) -> None:
        self._working = 0
        self._timer: asyncio.TimerHandle | None = None
        self._cpu_s = self._wall_s = 0.0

    def begin(self, pieces: int = 1) -> None:
        """A thread got so many pieces of work. Call it in the event loop."""
        self._working += pieces
        if self._timer is None:
            self._cpu_s, self._wall_s = time.thread_time(), time.perf_counter()
            self._timer = asyncio.get_running_loop().call_later(_STEP_S, self._tick)

    def end(self, pieces: int = 1) -> None:
        """It has done so many."""
        self._working -= pieces

    def _tick(self) -> None:
        if not self._working:
            self._timer = None
            return
        cpu_s, wall_s = time.thread_time(), time.perf_counter()
        if cpu_s - self._cpu_s > _BUSY * (wall_s - self._wall_s):
            time.sleep(_PAUSE_S)
        self._cpu_s, self._wall_s = cpu_s, time.perf_counter()
        self._timer = asyncio.get_running_loop().call_later(_STEP_S, self._tick)
