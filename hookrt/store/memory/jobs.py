"""Jobs in memory, for tests and simulations: a look at every row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hookrt.errors import StoreError
from hookrt.model.delivery import Delivery, Status
from hookrt.model.event import Event
from hookrt.model.job import Job, JobStatus
from hookrt.store.contract import Page
from hookrt.store.cursor import page_size
from hookrt.store.job_contract import (
    FINAL_JOBS_KEPT_US,
    Addition,
    DeliveryWalk,
    EventWalk,
    JobStep,
    Positions,
    Stretch,
)
from hookrt.store.memory.memory import Memory
from hookrt.store.memory.rows import DeliveryRow, EventRow

Cancel = Callable[[DeliveryRow, str], None]
"""Makes a delivery cancelled, for a reason."""


class MemoryJobs:
    """The jobs of one memory; see `hookrt.store.job_contract` for what it promises."""

    def __init__(self, ready: Callable[[], Memory], now_us: Callable[[], int], cancel: Cancel) -> None:
        self._ready = ready
        self._now_us = now_us
        self._cancel_row = cancel

    async def positions(self) -> Positions:
        """Where the order of commit ends now."""
        memory = self._ready()
        events = max((row.seq + 1 for row in memory.events.values()), default=0)
        return Positions(events, max((row.seq + 1 for row in memory.in_order), default=0))

    async def walk_deliveries(self, walk: DeliveryWalk, stretch: Stretch) -> Sequence[tuple[int, Delivery]]:
        """The matching deliveries of a stretch."""
        found = [(row.seq + 1, row.delivery) for row in self._ready().in_order if _takes_delivery(walk, row, stretch)]
        return found[: stretch.limit]

    async def count_deliveries(self, walk: DeliveryWalk, stretch: Stretch) -> int:
        """How many deliveries of a stretch match."""
        return sum(_takes_delivery(walk, row, stretch) for row in self._ready().in_order)

    async def walk_events(self, walk: EventWalk, stretch: Stretch) -> Sequence[tuple[int, Event]]:
        """The matching events of a stretch."""
        rows = sorted(self._ready().events.values(), key=lambda row: row.seq)
        return [(row.seq + 1, row.event) for row in rows if _takes_event(walk, row, stretch)][: stretch.limit]

    async def count_events(self, walk: EventWalk, stretch: Stretch) -> int:
        """How many events of a stretch match."""
        return sum(_takes_event(walk, row, stretch) for row in self._ready().events.values())

    async def add(self, job: Job) -> None:
        """Store a new job."""
        jobs, oldest_us = self._ready().jobs, self._now_us() - FINAL_JOBS_KEPT_US
        for old in [one for one in jobs.values() if one.status.final and one.updated_us < oldest_us]:
            del jobs[old.id]
        if job.id in jobs:
            raise StoreError("there is a job with this id already")
        jobs[job.id] = job

    async def find(self, job: str) -> Job | None:
        """One job."""
        return self._ready().jobs.get(job)

    async def recent(self, limit: int = 50, cursor: str | None = None) -> Page[Job]:
        """Jobs, newest first."""
        size = page_size(limit)
        jobs = sorted(self._ready().jobs.values(), key=lambda job: job.id, reverse=True)
        found = [job for job in jobs if cursor is None or job.id < cursor]
        return Page(tuple(found[:size]), found[size - 1].id if len(found) > size else None)

    async def unfinished(self) -> Sequence[Job]:
        """The jobs that are queued or running."""
        return sorted((job for job in self._ready().jobs.values() if not job.status.final), key=lambda job: job.id)

    async def advance(self, step: JobStep) -> Job | None:
        """Do one step."""
        memory = self._ready()
        job = memory.jobs.get(step.job)
        if job is None or job.status.final or job.progress != step.seen:
            return None
        vain = sum(not self._add(memory, addition) for addition in step.add)
        vain += sum(not self._cancel(memory, delivery, step.reason) for delivery in step.cancel)
        progress = replace(step.progress, done=step.progress.done - vain, skipped=step.progress.skipped + vain)
        memory.jobs[job.id] = replace(job, status=step.status, progress=progress, updated_us=self._now_us())
        return memory.jobs[job.id]

    async def cancel(self, job: str) -> bool:
        """End a job before its time."""
        jobs = self._ready().jobs
        found = jobs.get(job)
        if found is None or found.status.final:
            return False
        jobs[job] = replace(found, status=JobStatus.CANCELLED, updated_us=self._now_us())
        return True

    def _add(self, memory: Memory, addition: Addition) -> bool:
        if addition.new.id in memory.deliveries:
            return True
        event = memory.events.get((addition.source, addition.event_id))
        if event is None or event.event.payload_dropped:
            return False
        memory.add_delivery(event, addition.new, self._now_us())
        return True

    def _cancel(self, memory: Memory, delivery: str, reason: str) -> bool:
        row = memory.deliveries.get(delivery)
        if row is None or row.delivery.status.final:
            return False
        self._cancel_row(row, reason)
        return row.delivery.status is Status.CANCELLED


def _takes_delivery(walk: DeliveryWalk, row: DeliveryRow, stretch: Stretch) -> bool:
    delivery = row.delivery
    if not stretch.after < row.seq + 1 <= stretch.last or delivery.status not in walk.statuses:
        return False
    if walk.hook not in {None, delivery.hook} or walk.reason not in {None, delivery.reason}:
        return False
    if walk.unreplayed and any(other.delivery.replay_of == delivery.id for other in row.event.deliveries):
        return False
    return _lies_within(delivery.created_us, walk.since_us, walk.until_us)


def _takes_event(walk: EventWalk, row: EventRow, stretch: Stretch) -> bool:
    if not stretch.after < row.seq + 1 <= stretch.last or row.event.payload_dropped:
        return False
    if walk.type not in {None, row.event.type} or walk.source not in {None, row.event.source}:
        return False
    if walk.without_hook is not None and any(one.delivery.hook == walk.without_hook for one in row.deliveries):
        return False
    return _lies_within(row.received_us, walk.since_us, walk.until_us)


def _lies_within(time_us: int, since_us: int | None, until_us: int | None) -> bool:
    return (since_us is None or time_us >= since_us) and (until_us is None or time_us < until_us)
