"""What a job does next: a few deliveries to make or to cancel, and how far it is then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from hookrt.errors import UsageError
from hookrt.matching.router import Router
from hookrt.model.event import Event
from hookrt.model.hook import Hook
from hookrt.model.ids import derived_id
from hookrt.model.job import MAX_ERRORS, Job, JobError, JobKind, Progress
from hookrt.runtime.jobs.requests import (
    CancelDeliveries,
    ReplayDeliveries,
    ReplayEvents,
    Request,
    decode_request,
)
from hookrt.runtime.replaying import Replay, deliver_anew, replay_delivery
from hookrt.store.contract import NewDelivery, Store
from hookrt.store.job_contract import Addition, Stretch

CANCELLED_BY_HAND = "cancelled-by-hand"
"""The reason of deliveries that somebody cancelled, one or many."""

PAGE = 50
"""How many events are read at once; each may be as large as the service takes them."""

Fires = Callable[[Hook, Event], bool]
"""Whether a hook fires for an event."""


@dataclass(slots=True)
class Plan:
    """The next step of a job. `after` is the position up to which it has looked; `ended` says that this is all."""

    after: int
    ended: bool = False
    add: list[Addition] = field(default_factory=list)
    cancel: list[str] = field(default_factory=list)
    skipped: int = 0
    errors: list[JobError] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many deliveries it touches."""
        return len(self.add) + len(self.cancel)

    def applied_to(self, seen: Progress) -> Progress:
        """The progress after this step; at the end, what was counted at first and is not there any more is skipped."""
        after = replace(
            seen,
            after=self.after,
            done=seen.done + self.size,
            skipped=seen.skipped + self.skipped,
            failed=seen.failed + len(self.errors),
            errors=(*seen.errors, *self.errors)[:MAX_ERRORS],
        )
        looked_at = after.done + after.skipped + after.failed
        total = max(after.total, looked_at)
        return replace(after, total=total, skipped=after.skipped + (total - looked_at if self.ended else 0))


class Planner(Protocol):
    """Says what one job does next."""

    @property
    def request(self) -> Request:
        """What was asked for."""
        ...

    async def plan(self, progress: Progress, most: int) -> Plan:
        """The next step, which touches at most so many deliveries. Raises UsageError when the job cannot go on."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What planners work with."""

    store: Store
    router: Router
    fires: Fires


class ReplayDeliveriesPlanner:
    """Replays deliveries. The new ids follow from the job's and the old ones', so that a repetition is recognised."""

    def __init__(self, job: Job, tools: Tools) -> None:
        self.request = decode_request(job, ReplayDeliveries)
        self._job = job
        self._tools = tools

    async def plan(self, progress: Progress, most: int) -> Plan:
        """The next deliveries, oldest first."""
        stretch = Stretch(progress.after, progress.last, most)
        found = await self._tools.store.jobs.walk_deliveries(self.request.walk, stretch)
        plan = Plan(found[-1][0] if found else progress.last, ended=len(found) < most)
        for _, old in found:
            identity = derived_id("dlv", self._job.id, old.id)
            salt = identity if self.request.new_message_id else None
            how = Replay(identity, self._tools.store.now_us(), self.request.from_start, salt)
            try:
                new = replay_delivery(old, self._tools.router, how)
            except UsageError as error:
                plan.errors.append(JobError(old.id, str(error)))
            else:
                plan.add.append(Addition(old.event_source, old.event_id, new))
        return plan


class CancelDeliveriesPlanner:
    """Cancels deliveries."""

    def __init__(self, job: Job, tools: Tools) -> None:
        self.request = decode_request(job, CancelDeliveries)
        self._tools = tools

    async def plan(self, progress: Progress, most: int) -> Plan:
        """The next deliveries, oldest first."""
        stretch = Stretch(progress.after, progress.last, most)
        found = await self._tools.store.jobs.walk_deliveries(self.request.walk, stretch)
        plan = Plan(found[-1][0] if found else progress.last, ended=len(found) < most)
        plan.cancel += [delivery.id for _, delivery in found]
        return plan


class ReplayEventsPlanner:
    """Runs events through one hook as it is now."""

    def __init__(self, job: Job, tools: Tools) -> None:
        self.request = decode_request(job, ReplayEvents)
        self._job = job
        self._tools = tools

    async def plan(self, progress: Progress, most: int) -> Plan:
        """Looks at the next events until enough of them fire."""
        hook = self._tools.router.get(self.request.hook)
        if hook is None:
            raise UsageError(f"there is no hook {self.request.hook!r} any more")
        found = await self._tools.store.jobs.walk_events(
            self.request.walk, Stretch(progress.after, progress.last, PAGE)
        )
        plan = Plan(progress.after)
        for position, event in found:
            if plan.size >= most:
                return plan
            plan.after = position
            if self._tools.fires(hook, event):
                plan.add.append(Addition(event.source, event.id, self._delivery(hook, event)))
            else:
                plan.skipped += 1
        plan.ended = len(found) < PAGE
        return plan

    def _delivery(self, hook: Hook, event: Event) -> NewDelivery:
        identity = derived_id("dlv", self._job.id, event.source, event.id)
        salt = identity if self.request.new_message_id else None
        return deliver_anew(hook, self._job.id, Replay(identity, self._tools.store.now_us(), salt=salt))


def make_planner(job: Job, tools: Tools) -> Planner:
    """The planner of a job; raises UsageError when its request cannot be read."""
    if job.kind is JobKind.REPLAY_DELIVERIES:
        return ReplayDeliveriesPlanner(job, tools)
    if job.kind is JobKind.CANCEL_DELIVERIES:
        return CancelDeliveriesPlanner(job, tools)
    return ReplayEventsPlanner(job, tools)
