"""What every store promises about jobs: long work in steps, each a transaction that also remembers how far it is.

A *position* is a place in the order of commit: everything stored later has a higher one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hookrt.model.delivery import Delivery, Status
from hookrt.model.event import Event
from hookrt.model.job import Job, JobStatus, Progress

if TYPE_CHECKING:
    from hookrt.store.contract import NewDelivery, Page

FINAL_JOBS_KEPT_US = 30 * 24 * 3_600_000_000
"""How long a final job is kept: 30 days; `add` removes older ones."""


@dataclass(frozen=True, slots=True)
class DeliveryWalk:
    """Which deliveries a job is about; empty fields match all, but of `statuses` there is at least one.

    Times are those when they were made. With `unreplayed`, those that have been replayed do not match.
    """

    statuses: Sequence[Status]
    hook: str | None = None
    reason: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    unreplayed: bool = False


@dataclass(frozen=True, slots=True)
class EventWalk:
    """Which events a job is about; empty fields match all. Times are those when they were received.

    Events whose payload has been dropped never match.

    With `without_hook`, events that have a delivery for this hook, in whatever status, do not match.
    """

    type: str | None = None
    source: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    without_hook: str | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """The positions above `after` and up to `last`, of which at most `limit` items are read."""

    after: int
    last: int
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Positions:
    """The highest positions at this moment."""

    events: int
    deliveries: int


@dataclass(frozen=True, slots=True)
class Addition:
    """A delivery to add to a stored event."""

    source: str
    event_id: str
    new: NewDelivery


@dataclass(frozen=True, slots=True)
class JobStep:
    """One step of a job. `seen` is its progress as the caller knows it, `progress` and `status` what they become.

    `progress` counts everything in `add` and `cancel` as done. Cancelled deliveries get `reason`.
    """

    job: str
    seen: Progress
    progress: Progress
    status: JobStatus
    add: Sequence[Addition] = ()
    cancel: Sequence[str] = ()
    reason: str = ""


class JobStore(Protocol):
    """The jobs of a store, and how they find what they are about. Promises of the store hold here too."""

    async def positions(self) -> Positions:
        """Where the order of commit ends now."""
        ...

    async def walk_deliveries(self, walk: DeliveryWalk, stretch: Stretch) -> Sequence[tuple[int, Delivery]]:
        """The matching deliveries of a stretch with their positions, oldest first."""
        ...

    async def count_deliveries(self, walk: DeliveryWalk, stretch: Stretch) -> int:
        """How many deliveries of a stretch match, whatever its limit."""
        ...

    async def walk_events(self, walk: EventWalk, stretch: Stretch) -> Sequence[tuple[int, Event]]:
        """The matching events of a stretch with their positions, oldest first."""
        ...

    async def count_events(self, walk: EventWalk, stretch: Stretch) -> int:
        """How many events of a stretch match, whatever its limit."""
        ...

    async def add(self, job: Job) -> None:
        """Store a new job; durable when it returns. Final ones older than FINAL_JOBS_KEPT_US are removed."""
        ...

    async def find(self, job: str) -> Job | None:
        """One job."""
        ...

    async def recent(self, limit: int = 50, cursor: str | None = None) -> Page[Job]:
        """Jobs, newest first; `cursor` continues after a page."""
        ...

    async def unfinished(self) -> Sequence[Job]:
        """The jobs that are queued or running, oldest first."""
        ...

    async def advance(self, step: JobStep) -> Job | None:
        """Do one step, all or nothing, and return the job as it is then.

        None, and nothing is written, when the job is final or its progress is not `seen`. A delivery whose id is there
        already is not added again, and counts as done. What cannot be added since its event is gone, or cancelled
        since it is final, counts as skipped instead.
        """
        ...

    async def cancel(self, job: str) -> bool:
        """End a job before its time; what it did stays. False when it is final, or not there."""
        ...
