"""What every store promises about removing what is old; a part of the contract.

A *position* is a place in the order of commit, as for jobs: everything stored later has a higher one. No position is
ever given twice, so that the newest event and the newest delivery always stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hookrt.clock import duration_us
from hookrt.model.retention import SHORTEST, Retention
from hookrt.store.job_contract import Stretch


@dataclass(slots=True)
class Aged:
    """An event as retention sees it. Times are microseconds.

    The last three say when the last of its deliveries ended with this status, 0 for none. `deliveries` is how many it
    has, `size` the bytes of its data. `dropped` says that its payload is gone, `open` that a delivery is not final.
    """

    position: int
    received_us: int
    size: int
    dropped: bool
    deliveries: int
    open: bool
    succeeded_us: int
    cancelled_us: int
    dead_us: int

    @property
    def ended_us(self) -> int:
        """When the last of its deliveries ended; when it came in where there is none."""
        return max(self.received_us, self.succeeded_us, self.cancelled_us, self.dead_us)


@dataclass(frozen=True, slots=True)
class Ages:
    """How long what is final is kept, in microseconds; `least_us` counts from when the event came in."""

    least_us: int
    succeeded_us: int = 0
    cancelled_us: int = 0
    dead_us: int = 0
    unmatched_us: int = 0
    payload_us: int | None = None

    @classmethod
    def of(cls, retention: Retention) -> Ages:
        """The ages that were set."""
        return cls(
            least_us=duration_us(SHORTEST),
            succeeded_us=duration_us(retention.succeeded),
            cancelled_us=duration_us(retention.cancelled),
            dead_us=duration_us(retention.dead),
            unmatched_us=duration_us(retention.unmatched),
            payload_us=None if retention.payload is None else duration_us(retention.payload),
        )

    @property
    def shortest_us(self) -> int:
        """Nothing happens to an event sooner than this after it came in."""
        shortest = min(self.succeeded_us, self.cancelled_us, self.dead_us, self.unmatched_us)
        shortest = max(shortest, self.least_us)
        return shortest if self.payload_us is None else min(shortest, self.payload_us)

    def removable_us(self, aged: Aged) -> int:
        """From when on an event whose deliveries are all final may be removed."""
        return max(
            aged.received_us + (self.least_us if aged.deliveries else max(self.least_us, self.unmatched_us)),
            aged.succeeded_us and aged.succeeded_us + self.succeeded_us,
            aged.cancelled_us and aged.cancelled_us + self.cancelled_us,
            aged.dead_us and aged.dead_us + self.dead_us,
        )

    def droppable_us(self, aged: Aged) -> int | None:
        """From when on its payload may be dropped; None for never."""
        return None if aged.dropped or self.payload_us is None else aged.ended_us + self.payload_us

    def removes(self, aged: Aged, now_us: int) -> bool:
        """Whether it may be removed now."""
        return not aged.open and self.removable_us(aged) <= now_us

    def drops(self, aged: Aged, now_us: int) -> bool:
        """Whether its payload may be dropped now."""
        due_us = self.droppable_us(aged)
        return not aged.open and due_us is not None and due_us <= now_us

    def next_us(self, aged: Aged, now_us: int) -> int:
        """When it is worth another look: an open delivery ends after now, and is kept from then on."""
        if aged.open:
            return now_us + self.shortest_us
        due_us = self.droppable_us(aged)
        return self.removable_us(aged) if due_us is None else min(self.removable_us(aged), due_us)


@dataclass(frozen=True, slots=True)
class Removed:
    """How many rows are gone."""

    events: int = 0
    deliveries: int = 0
    attempts: int = 0

    def rows(self) -> tuple[tuple[str, int], ...]:
        """The same by table."""
        return (("events", self.events), ("deliveries", self.deliveries), ("attempts", self.attempts))

    def plus(self, other: Removed) -> Removed:
        """Both together."""
        return Removed(self.events + other.events, self.deliveries + other.deliveries, self.attempts + other.attempts)


@dataclass(frozen=True, slots=True)
class Figures:
    """How many rows there are."""

    events: int
    deliveries: int


@dataclass(frozen=True, slots=True)
class Size:
    """How many bytes the store takes, and how many of them are free to be used again."""

    bytes: int
    free: int


class RetentionStore(Protocol):
    """Looks for what is old, and removes it in small transactions. Promises of the store hold here too."""

    async def look(self, stretch: Stretch) -> Sequence[Aged]:
        """The events of a stretch, lowest position first."""
        ...

    async def remove(self, positions: Sequence[int], ages: Ages, now_us: int) -> Removed:
        """Remove the events at these positions with all that belongs to them, where they still may go, at once."""
        ...

    async def drop_payloads(self, positions: Sequence[int], ages: Ages, now_us: int) -> int:
        """Empty what the events at these positions carried, where that still may be: their data, the outputs of their
        deliveries' steps, the exchanges and the log lines of attempts. The rows stay, and a second event of the same
        identity is a duplicate as before, but nothing can be added to them. Returns how many events.
        """
        ...

    async def figures(self) -> Figures:
        """How many events and deliveries there are, without counting them."""
        ...

    async def forget_values(self, limit: int) -> int:
        """Remove small values that have expired, so many at most; returns how many."""
        ...

    async def forget_hours(self, before_us: int, limit: int) -> int:
        """Remove the hooks' figures of hours before this time, so many at most; returns how many."""
        ...

    async def size(self) -> Size:
        """How much space the store takes."""
        ...

    async def give_back(self, most: int) -> int:
        """Give about so many free bytes back to the device; returns how many, 0 when nothing is free."""
        ...
