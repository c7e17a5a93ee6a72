"""The lane: the queue of one destination, which must not disturb others."""

from __future__ import annotations

from collections import deque
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


class Lane:
    """What waits for one destination in this process, and how much of it may run at once.

    `starved` says that the store has due deliveries that found no room here.
    """

    def __init__(self, name: str, concurrency: int, rate: float | None = None) -> None:
        self.name = name
        self.concurrency = concurrency
        self.capacity = concurrency * BUFFER
        self.queue: deque[Job] = deque()
        self.reserved = 0
        self.active = 0
        self.starved = False
        self._interval = 1 / rate if rate else 0.0
        self._next_start = 0.0

    @property
    def held(self) -> int:
        """How many deliveries are here, under way, or on their way here."""
        return len(self.queue) + self.reserved + self.active

    @property
    def idle(self) -> bool:
        """Whether nothing is here or on its way here."""
        return not self.held

    @property
    def paced(self) -> bool:
        """Whether it remembers when it started last, and so must outlive its work."""
        return self._interval > 0

    async def pace(self, clock: Clock) -> None:
        """Wait for this lane's next start, where its destination limits the rate."""
        if not self._interval:
            return
        now = clock.monotonic()
        start = max(now, self._next_start)
        self._next_start = start + self._interval
        if start > now:
            await clock.sleep(start - now)
