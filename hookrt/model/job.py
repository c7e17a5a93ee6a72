"""The job: long work that somebody asked for once, such as the replay of many deliveries, done in small steps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_ERRORS = 20
"""How many of its errors a job keeps; the others are only counted."""


class JobKind(StrEnum):
    """What a job does."""

    REPLAY_DELIVERIES = "deliveries.replay"
    CANCEL_DELIVERIES = "deliveries.cancel"
    REPLAY_EVENTS = "events.replay"


class JobStatus(StrEnum):
    """Where a job stands: `queued` has not begun, `running` is under way, the others are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self not in {JobStatus.QUEUED, JobStatus.RUNNING}


@dataclass(frozen=True, slots=True)
class JobError:
    """What a job could not do: `of` is the delivery or event, empty where it is the job as a whole."""

    of: str
    message: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    It has looked at everything up to the position `after`, and goes on to `last`, which was fixed when it was made, so
    that it never meets what it makes itself. `total` was counted then. `done` are the deliveries that it made or
    cancelled, `skipped` those that needed nothing or had changed meanwhile, `failed` those that could not be done, of
    which `errors` are the first.
    """

    after: int = 0
    last: int = 0
    total: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0
    errors: tuple[JobError, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """Durable work in steps. `request` is what was asked for, as JSON. Times are microseconds since the epoch."""

    id: str
    kind: JobKind
    status: JobStatus
    request: bytes
    progress: Progress
    created_us: int
    updated_us: int
