"""The lane: the queue of one destination, which must not disturb others."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from hookrt.clock import Clock
from hookrt.delivery.gate import Gate, Refusal
from hookrt.model.delivery import Delivery
from hookrt.model.event import Event
from hookrt.model.hook import Destination

BUFFER = 8
"""A lane holds this many times its concurrency in memory, so that the store is asked in batches."""

PACED_S = 10.0
"""A lane with a rate holds no more in memory than it starts in so many seconds."""

LOOK_S = 5.0
"""Who waits for a start looks this often whether the limits have changed."""

NO_LIMITS = Destination("", breaker=None)
"""What holds for a lane of which nothing is known."""


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
    `leads_anywhere` says that its name does not tell where its requests go. `gate` is that of its endpoint.
    """

    def __init__(self, name: str, concurrency: int, gate: Gate | None = None, *, leads_anywhere: bool = False) -> None:
        self.name = name
        self.gate = gate if gate is not None else Gate(name, NO_LIMITS)
        self.leads_anywhere = leads_anywhere
        self.queue: deque[Job] = deque()
        self.reserved = 0
        self.active = 0
        self.recording = 0
        self.starved = False
        self._waiting: set[asyncio.Task[object]] = set()
        self.set_concurrency(concurrency)

    def set_concurrency(self, concurrency: int) -> None:
        """Let so many attempts be under way from now on; what is under way already goes on."""
        self.concurrency = concurrency
        self.capacity = concurrency * BUFFER
        if self.gate.paced:  # no more than it starts in a while: what waits long, waits in the store
            self.capacity = max(min(self.capacity, int(self.gate.rate * PACED_S)), 1)

    @property
    def held(self) -> int:
        """How many deliveries are here, in any state, or on their way here."""
        return len(self.queue) + self.reserved + self.active + self.recording

    @property
    def idle(self) -> bool:
        """Whether nothing is here or on its way here."""
        return not self.held

    async def start(self, clock: Clock) -> Refusal | None:
        """Wait for this lane's next start, as its rate and a short rest have it; or say why there is none soon.

        For each attempt anew, where its gate is watchful.
        """
        gate = self.gate
        while True:
            now = clock.monotonic()
            gate.end_rest(now)
            refusal = gate.refuse(now)
            if refusal is not None:
                return refusal
            start, changes = gate.book(now), gate.changes
            while gate.changes == changes and (left := start - clock.monotonic()) > 0:
                await self._wait(clock, min(left, LOOK_S))
            now = clock.monotonic()
            if gate.changes == changes and not gate.resting(now):
                return gate.begin(now)

    def return_waiting(self) -> None:
        """End the wait of those who have no start yet: their deliveries are returned."""
        for task in self._waiting:
            task.cancel()

    async def _wait(self, clock: Clock, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._waiting.add(task)
        try:
            await clock.sleep(seconds)
        finally:
            self._waiting.discard(task)
