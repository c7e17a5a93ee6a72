"""The lane: the queue of one destination, which must not disturb others."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from hookrt.clock import Clock
from hookrt.model.delivery import Delivery
from hookrt.model.event import Event

BUFFER = 8
"""A lane holds this many times its concurrency in memory, so that the store is asked in batches."""


@dataclass(slots=True)
class Job:
    """A leased delivery in memory, with its event."""

    delivery: Delivery
    event: Event

    @property
    def size(self) -> int:
        """Bytes of payload that it keeps in memory."""
        return len(self.event.content)


class Place:
    """A worker's place at the endpoint of a lane: taken for attempts, free again while results are written."""

    __slots__ = ("_lane", "_on_free", "taken")

    def __init__(self, lane: Lane, on_free: Callable[[Lane], None]) -> None:
        self._lane = lane
        self._on_free = on_free
        self.taken = False

    def take(self) -> bool:
        """Take a place, if the lane has one."""
        if self._lane.active >= self._lane.concurrency:
            return False
        self._lane.active += 1
        self.taken = True
        return True

    def free(self) -> None:
        """The attempt is over, and only its result remains to be written: somebody else may have the place."""
        if self.taken:
            self.taken = False
            self._lane.active -= 1
            self._lane.recording += 1
            self._on_free(self._lane)

    def leave(self) -> None:
        """The delivery is not here any more."""
        if self.taken:
            self.taken = False
            self._lane.active -= 1
        else:
            self._lane.recording -= 1


class Lane:
    """What waits for one destination in this process, and how much of it may run at once.

    `active` are the attempts under way, `recording` those whose result is on its way to the disk: they take room in
    memory, but no place at the endpoint. `starved` says that the store has due deliveries that found no room here.
    """

    def __init__(self, name: str, concurrency: int, rate: float | None = None) -> None:
        self.name = name
        self.concurrency = concurrency
        self.capacity = concurrency * BUFFER
        self.queue: deque[Job] = deque()
        self.reserved = 0
        self.active = 0
        self.recording = 0
        self.starved = False
        self._interval = 1 / rate if rate else 0.0
        self._next_start = 0.0
        self._pacing: set[asyncio.Task[object]] = set()

    @property
    def held(self) -> int:
        """How many deliveries are here, in any state, or on their way here."""
        return len(self.queue) + self.reserved + self.active + self.recording

    @property
    def idle(self) -> bool:
        """Whether nothing is here or on its way here."""
        return not self.held

    @property
    def paced(self) -> bool:
        """Whether it remembers when it started last, and so must outlive its work."""
        return self._interval > 0

    async def pace(self, clock: Clock) -> None:
        """Wait for this lane's next start, where its destination limits the rate; for each attempt anew."""
        if not self._interval:
            return
        now = clock.monotonic()
        start = max(now, self._next_start)
        self._next_start = start + self._interval
        if start > now:
            await self._wait(clock, start - now)

    def return_paced(self) -> None:
        """End the wait of those who have no start yet: their deliveries are returned."""
        for task in self._pacing:
            task.cancel()

    async def _wait(self, clock: Clock, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pacing.add(task)
        try:
            await clock.sleep(seconds)
        finally:
            self._pacing.discard(task)
