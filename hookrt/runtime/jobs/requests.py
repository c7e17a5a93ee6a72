"""What can be asked of a job, and how it is kept in the job's row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec

from hookrt.errors import UsageError
from hookrt.model.delivery import Status
from hookrt.model.job import Job, JobKind
from hookrt.store.job_contract import DeliveryWalk, EventWalk

T = TypeVar("T")

REPLAYABLE = (Status.DEAD, Status.CANCELLED, Status.SUCCEEDED)
"""What a delivery must be to be replayed."""

CANCELLABLE = (Status.PENDING, Status.RUNNING, Status.WAITING, Status.HELD)
"""What a delivery must be to be cancelled."""


class Request(Protocol):
    """What one job was asked for. `rate` is in deliveries a second, None for as fast as it goes."""

    @property
    def rate(self) -> float | None:
        """Most deliveries a second."""
        ...


@dataclass(frozen=True, slots=True)
class ReplayDeliveries:
    """Replay all that match. Times are microseconds; empty fields match all.

    Those that have been replayed already are passed over unless `again`.
    """

    statuses: Sequence[Status] = (Status.DEAD,)
    hook: str | None = None
    reason: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    from_start: bool = False
    new_message_id: bool = False
    again: bool = False
    rate: float | None = None

    @property
    def walk(self) -> DeliveryWalk:
        """The same for the store."""
        _check_statuses(self.statuses, REPLAYABLE, "replayed: only what is dead, cancelled or succeeded is")
        return DeliveryWalk(
            tuple(self.statuses),
            self.hook,
            self.reason,
            since_us=self.since_us,
            until_us=self.until_us,
            unreplayed=not self.again,
        )


@dataclass(frozen=True, slots=True)
class CancelDeliveries:
    """Cancel all that match."""

    statuses: Sequence[Status] = CANCELLABLE
    hook: str | None = None
    reason: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    rate: float | None = None

    @property
    def walk(self) -> DeliveryWalk:
        """The same for the store."""
        _check_statuses(self.statuses, CANCELLABLE, "cancelled: it is final")
        return DeliveryWalk(
            tuple(self.statuses), self.hook, self.reason, since_us=self.since_us, until_us=self.until_us
        )


@dataclass(frozen=True, slots=True)
class ReplayEvents:
    """Run recorded events through one hook as it is when the job looks at them.

    Events that have a delivery for it already, in whatever status, are passed over unless `again`.
    """

    hook: str
    type: str | None = None
    source: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    new_message_id: bool = False
    again: bool = False
    rate: float | None = None

    @property
    def walk(self) -> EventWalk:
        """The same for the store."""
        return EventWalk(self.type, self.source, self.since_us, self.until_us, None if self.again else self.hook)


def kind_of(request: Request) -> JobKind:
    """The kind of job that does it."""
    if isinstance(request, ReplayDeliveries):
        return JobKind.REPLAY_DELIVERIES
    return JobKind.CANCEL_DELIVERIES if isinstance(request, CancelDeliveries) else JobKind.REPLAY_EVENTS


def encode_request(request: Request) -> bytes:
    """The request as it is kept."""
    return msgspec.json.encode(request)


def decode_request(job: Job, as_type: type[T]) -> T:
    """What a job was asked for; raises UsageError when another version of hookrt wrote what this one cannot read."""
    try:
        return msgspec.json.decode(job.request, type=as_type)
    except msgspec.MsgspecError as error:
        raise UsageError(f"the request of the job {job.id} cannot be read: {error}") from None


def _check_statuses(statuses: Sequence[Status], allowed: Sequence[Status], rule: str) -> None:
    if not statuses:
        raise UsageError("no status is named")
    for status in statuses:
        if status not in allowed:
            raise UsageError(f"what is {status.value} cannot be {rule}")
