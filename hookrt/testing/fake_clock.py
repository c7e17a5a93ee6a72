"""A clock that stands still until it is told to go on."""

from __future__ import annotations

import asyncio
import heapq
from datetime import datetime, timedelta
from itertools import count

from hookrt.clock import duration_us, to_us
from hookrt.testing.build_event import NOON

_SETTLING_TURNS = 20
_PATIENCE = 10.0


class FakeClock:
    """Keeps hookrt's Clock promise with a time of its own, for one event loop.

    `advance` moves it, `run_for` moves it from one sleeper to the next, `jump` is what a time server does to wall
    time. `until_sleeping` waits, without wasting time, until somebody sleeps on it.
    """

    def __init__(self, start: datetime = NOON) -> None:
        self._wall_us = to_us(start)
        self._passed_us = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._watchers: list[tuple[int, asyncio.Future[None]]] = []

    def now_us(self) -> int:
        """Wall time in microseconds since the epoch."""
        return self._wall_us

    def monotonic(self) -> float:
        """Seconds that have passed since an arbitrary moment, whatever `jump` did."""
        return 1000.0 + self._passed_us / 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been moved this far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._passed_us + round(seconds * 1_000_000), next(self._numbers), woken))
        self._tell_watchers()
        await woken

    @property
    def sleeping(self) -> int:
        """How many sleep on it now."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    def advance(self, duration: timedelta | float) -> None:
        """Move on by a duration (or seconds) at once, and wake all whose time has come, the earliest first."""
        until = self._passed_us + _in_us(duration)
        self._move_to(until)
        self._wake(until)

    async def run_for(self, duration: timedelta | float) -> None:
        """Move on by a duration, stopping at each sleeper's time for long enough that it can go to sleep again."""
        until = self._passed_us + _in_us(duration)
        await self._settle()
        while (due := self._next_due()) is not None and due <= until:
            self._move_to(due)
            self._wake(due)
            await self._settle()
        self._move_to(until)

    def jump(self, moment: datetime) -> None:
        """Set the wall time only, as a time server may, also backwards."""
        self._wall_us = to_us(moment)

    async def until_sleeping(self, count: int = 1) -> None:
        """Wait until at least `count` sleep on it; raises TimeoutError after ten real seconds."""
        if self.sleeping >= count:
            return
        seen: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers.append((count, seen))
        async with asyncio.timeout(_PATIENCE):
            await seen

    def _move_to(self, passed_us: int) -> None:
        self._wall_us += passed_us - self._passed_us
        self._passed_us = passed_us

    def _next_due(self) -> int | None:
        while self._sleepers and self._sleepers[0][2].done():  # cancelled meanwhile
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def _wake(self, until: int) -> None:
        while (due := self._next_due()) is not None and due <= until:
            heapq.heappop(self._sleepers)[2].set_result(None)

    def _tell_watchers(self) -> None:
        sleeping = self.sleeping
        for wanted, seen in self._watchers:
            if sleeping >= wanted and not seen.done():
                seen.set_result(None)
        self._watchers = [(wanted, seen) for wanted, seen in self._watchers if not seen.done()]

    async def _settle(self) -> None:
        for _ in range(_SETTLING_TURNS):
            await asyncio.sleep(0)


def _in_us(duration: timedelta | float) -> int:
    if isinstance(duration, timedelta):
        return duration_us(duration)
    return round(duration * 1_000_000)
