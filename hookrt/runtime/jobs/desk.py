"""Where jobs are asked for: made with a fixed filter, looked at before, cancelled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hookrt.delivery.ports import Ports
from hookrt.delivery.rehearse import Rehearsal, RehearsedStep
from hookrt.errors import NotFound, UsageError
from hookrt.matching.router import Router
from hookrt.model.decision import is_question
from hookrt.model.delivery import Delivery
from hookrt.model.event import Event
from hookrt.model.hook import Hook
from hookrt.model.job import Job, JobStatus, Progress
from hookrt.runtime.jobs.plans import PAGE
from hookrt.runtime.jobs.requests import CancelDeliveries, ReplayDeliveries, ReplayEvents, encode_request, kind_of
from hookrt.runtime.jobs.runner import JobRunner
from hookrt.store.contract import DeliveryQuery
from hookrt.store.job_contract import Stretch

MOST_LOOKED_AT = 10_000
"""How many events a look at a replay of events evaluates; the rest is only counted."""


@dataclass(frozen=True, slots=True)
class DeliveriesPreview:
    """How many deliveries a job would touch now, and the first of them."""

    total: int
    items: Sequence[Delivery]


@dataclass(frozen=True, slots=True)
class EventPreview:
    """An event that would fire the hook, and what that would do, step by step."""

    event: Event
    steps: Sequence[RehearsedStep]


@dataclass(frozen=True, slots=True)
class EventsPreview:
    """What a replay of events would do now.

    `total` events match the filter, of which `delivered` have a delivery for the hook already and are passed over;
    `looked_at` of the others were evaluated, and `reasons` counts what came of it (`fires`, `type`, `condition`, ...).
    """

    total: int
    delivered: int
    looked_at: int
    reasons: Mapping[str, int]
    items: Sequence[EventPreview]


class JobDesk:
    """Takes orders for jobs."""

    def __init__(self, ports: Ports, runner: JobRunner, rehearsal: Rehearsal) -> None:
        self._ports = ports
        self._runner = runner
        self._rehearsal = rehearsal

    async def replay_deliveries(self, request: ReplayDeliveries) -> Job:
        """Begin to replay all deliveries that match now.

        Raises UsageError for statuses that are not final, NotFound for a hook that never was.
        """
        return await self._begin(request)

    async def cancel_deliveries(self, request: CancelDeliveries) -> Job:
        """Begin to cancel all deliveries that match now.

        Raises UsageError for statuses that are final, NotFound for a hook that never was.
        """
        return await self._begin(request)

    async def replay_events(self, request: ReplayEvents) -> Job:
        """Begin to run all events that match now through a hook. Raises NotFound, UsageError."""
        self._hook(request.hook)
        last = (await self._ports.store.jobs.positions()).events
        total = await self._ports.store.jobs.count_events(request.walk, Stretch(0, last))
        return await self._add(request, Progress(last=last, total=total))

    async def look_at_deliveries(self, request: ReplayDeliveries | CancelDeliveries, most: int) -> DeliveriesPreview:
        """What such a job would touch; changes nothing. Raises NotFound, UsageError as the job does."""
        now = await self._count(request)
        jobs = self._ports.store.jobs
        found = await jobs.walk_deliveries(request.walk, Stretch(0, now.last, most)) if most else ()
        return DeliveriesPreview(now.total, [delivery for _, delivery in found])

    async def look_at_events(self, request: ReplayEvents, most: int) -> EventsPreview:
        """What such a job would do, and what the first `most` would send; changes nothing. Raises NotFound."""
        hook = self._hook(request.hook)
        jobs = self._ports.store.jobs
        last = (await jobs.positions()).events
        total = await jobs.count_events(replace(request.walk, without_hook=None), Stretch(0, last))
        left = await jobs.count_events(request.walk, Stretch(0, last))
        one, reasons, firing = Router([hook]), Counter[str](), list[Event]()
        after, looked_at = 0, 0
        while looked_at < MOST_LOOKED_AT and (
            found := await jobs.walk_events(request.walk, Stretch(after, last, PAGE))
        ):
            after = found[-1][0]
            looked_at += len(found)
            for _, event in found:
                reason = "decide" if is_question(event) else one.explain(event, self._ports.env)[0].reason
                reasons[reason] += 1
                if reason == "fires" and len(firing) < most:
                    firing.append(event)
        items = [EventPreview(event, await self._rehearsal.rehearse(event, hook)) for event in firing]
        return EventsPreview(total, total - left, looked_at, dict(reasons), items)

    async def cancel(self, job: str) -> Job:
        """End a job before its time; what it did stays. Raises NotFound, UsageError when it is final."""
        cancelled = await self._ports.store.jobs.cancel(job)
        found = await self._ports.store.jobs.find(job)
        if found is None:
            raise NotFound(f"no job has the id {job!r}")
        if not cancelled:
            raise UsageError(f"the job {job} is {found.status.value} already")
        return found

    async def _begin(self, request: ReplayDeliveries | CancelDeliveries) -> Job:
        return await self._add(request, await self._count(request))

    async def _count(self, request: ReplayDeliveries | CancelDeliveries) -> Progress:
        """Where such a job would begin now: how many deliveries match, and which is the last of them."""
        await self._check_hook(request.hook)
        jobs = self._ports.store.jobs
        last = (await jobs.positions()).deliveries
        return Progress(last=last, total=await jobs.count_deliveries(request.walk, Stretch(0, last)))

    async def _add(self, request: ReplayDeliveries | CancelDeliveries | ReplayEvents, progress: Progress) -> Job:
        now_us = self._ports.store.now_us()
        identity, kind = self._ports.ids.new("job"), kind_of(request)
        job = Job(identity, kind, JobStatus.QUEUED, encode_request(request), progress, now_us, now_us)
        await self._ports.store.jobs.add(job)
        self._runner.wake()
        return job

    async def _check_hook(self, name: str | None) -> None:
        """Raise NotFound for a hook that neither is nor was; one that was removed may have left deliveries."""
        if name is None or self._ports.router.get(name) is not None:
            return
        if not (await self._ports.store.deliveries(DeliveryQuery(hook=name, limit=1))).items:
            raise NotFound(f"no hook is named {name!r}, and no delivery is of one")

    def _hook(self, name: str) -> Hook:
        hook = self._ports.router.get(name)
        if hook is None:
            raise NotFound(f"no hook is named {name!r}")
        if hook.decides:
            raise UsageError(f"the hook {name!r} has `mode: decide`: only decisions ask it, and no event fires it")
        return hook


def fires_now(hook: Hook, event: Event, ports: Ports) -> bool:
    """Whether this hook, alone, fires for an event."""
    return not is_question(event) and bool(Router([hook]).match(event, ports.env).hooks)
