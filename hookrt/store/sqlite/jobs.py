"""Jobs in SQLite: a step of a job and the deliveries that it makes or cancels are one transaction."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from hookrt.model.delivery import Delivery, Status
from hookrt.model.event import Event
from hookrt.model.job import Job, JobKind, JobStatus
from hookrt.store.codec import decode_progress, encode_progress
from hookrt.store.contract import Page
from hookrt.store.cursor import page_size
from hookrt.store.job_contract import FINAL_JOBS_KEPT_US, DeliveryWalk, EventWalk, JobStep, Positions, Stretch
from hookrt.store.sqlite.changes import cancel
from hookrt.store.sqlite.connection import Row, Run, Session
from hookrt.store.sqlite.rows import DELIVERY_WIDTH, EVENT_WIDTH, read_delivery, read_event
from hookrt.store.sqlite.saving import add_delivery
from hookrt.store.sqlite.tally import Tally

_SEQ = DELIVERY_WIDTH - 3


class SqliteJobs:
    """The jobs of one SQLite store; see `hookrt.store.job_contract` for what it promises."""

    def __init__(self, read: Run, change: Run, now_us: Callable[[], int]) -> None:
        self._read = read
        self._change = change
        self._now_us = now_us

    async def positions(self) -> Positions:
        """Where the order of commit ends now."""
        return await self._read(_positions)

    async def walk_deliveries(self, walk: DeliveryWalk, stretch: Stretch) -> Sequence[tuple[int, Delivery]]:
        """The matching deliveries of a stretch."""
        return await self._read(partial(_walk_deliveries, walk=walk, stretch=stretch))

    async def count_deliveries(self, walk: DeliveryWalk, stretch: Stretch) -> int:
        """How many deliveries of a stretch match."""
        return await self._read(partial(_count_deliveries, walk=walk, stretch=stretch))

    async def walk_events(self, walk: EventWalk, stretch: Stretch) -> Sequence[tuple[int, Event]]:
        """The matching events of a stretch."""
        return await self._read(partial(_walk_events, walk=walk, stretch=stretch))

    async def count_events(self, walk: EventWalk, stretch: Stretch) -> int:
        """How many events of a stretch match."""
        return await self._read(partial(_count_events, walk=walk, stretch=stretch))

    async def add(self, job: Job) -> None:
        """Store a new job."""
        await self._change(partial(_add, job=job, now_us=self._now_us()))

    async def find(self, job: str) -> Job | None:
        """One job."""
        return await self._read(partial(_find, job=job))

    async def recent(self, limit: int = 50, cursor: str | None = None) -> Page[Job]:
        """Jobs, newest first: their ids ascend with the time."""
        return await self._read(partial(_recent, limit=page_size(limit), cursor=cursor))

    async def unfinished(self) -> Sequence[Job]:
        """The jobs that are queued or running."""
        return await self._read(lambda session: [_read_job(row) for row in session.all("jobs_unfinished")])

    async def advance(self, step: JobStep) -> Job | None:
        """Do one step, in one transaction."""
        return await self._change(partial(_advance, step=step, now_us=self._now_us()))

    async def cancel(self, job: str) -> bool:
        """End a job before its time."""
        return await self._change(partial(_cancel_job, job=job, now_us=self._now_us()))


def _positions(session: Session) -> Positions:
    events, deliveries = session.all("positions")[0]
    return Positions(events, deliveries)


def _delivery_parameters(walk: DeliveryWalk, stretch: Stretch) -> dict[str, Any]:
    return {
        "hook": walk.hook,
        "since": walk.since_us,
        "until": walk.until_us,
        "reason": walk.reason,
        "unreplayed": int(walk.unreplayed),
        "after": stretch.after,
        "last": stretch.last,
        "limit": stretch.limit,
    }


def _event_parameters(walk: EventWalk, stretch: Stretch) -> dict[str, Any]:
    return {
        "type": walk.type,
        "source": walk.source,
        "since": walk.since_us,
        "until": walk.until_us,
        "without_hook": walk.without_hook,
        "after": stretch.after,
        "last": stretch.last,
        "limit": stretch.limit,
    }


def _statement(verb: str, status: Status) -> str:
    return f"{verb}_running" if status is Status.RUNNING else f"{verb}_in_status"


def _walk_deliveries(session: Session, walk: DeliveryWalk, stretch: Stretch) -> list[tuple[int, Delivery]]:
    parameters = _delivery_parameters(walk, stretch)
    found = [
        session.all(_statement("walk", status), parameters | {"status": status.value})
        for status in dict.fromkeys(walk.statuses)
    ]
    rows = list(heapq.merge(*found, key=lambda row: row[_SEQ]))
    return [(row[_SEQ], read_delivery(row)) for row in rows[: stretch.limit]]


def _count_deliveries(session: Session, walk: DeliveryWalk, stretch: Stretch) -> int:
    parameters = _delivery_parameters(walk, stretch)
    return sum(
        session.all(_statement("count", status), parameters | {"status": status.value})[0][0]
        for status in dict.fromkeys(walk.statuses)
    )


def _walk_events(session: Session, walk: EventWalk, stretch: Stretch) -> list[tuple[int, Event]]:
    name = "walk_events" if walk.type is None else "walk_events_of_type"
    return [(row[EVENT_WIDTH], read_event(row)) for row in session.all(name, _event_parameters(walk, stretch))]


def _count_events(session: Session, walk: EventWalk, stretch: Stretch) -> int:
    name = "count_events" if walk.type is None else "count_events_of_type"
    count: int = session.all(name, _event_parameters(walk, stretch))[0][0]
    return count


def _add(session: Session, _: Tally, job: Job, now_us: int) -> None:
    session.run("forget_jobs", (now_us - FINAL_JOBS_KEPT_US,))
    values = (job.id, job.kind.value, job.status.value, job.request, encode_progress(job.progress))
    session.run("insert_job", (*values, job.created_us, job.updated_us))


def _find(session: Session, job: str) -> Job | None:
    row = session.one("job", (job,))
    return _read_job(row) if row else None


def _recent(session: Session, limit: int, cursor: str | None) -> Page[Job]:
    rows = session.all("jobs_before", (cursor, limit + 1))
    return Page(tuple(map(_read_job, rows[:limit])), rows[limit - 1][0] if len(rows) > limit else None)


def _advance(session: Session, tally: Tally, step: JobStep, now_us: int) -> Job | None:
    job = _find(session, step.job)
    if job is None or job.status.final or job.progress != step.seen:
        return None
    vain = 0
    for addition in step.add:
        known = session.one("state_of", (addition.new.id,)) is not None
        key = (addition.source, addition.event_id)
        vain += not (known or add_delivery(session, tally, key=key, new=addition.new, now_us=now_us))
    for delivery in step.cancel:
        vain += not cancel(session, tally, delivery, step.reason, now_us)
    progress = replace(step.progress, done=step.progress.done - vain, skipped=step.progress.skipped + vain)
    session.run("update_job", (step.status.value, encode_progress(progress), now_us, job.id))
    return replace(job, status=step.status, progress=progress, updated_us=now_us)


def _cancel_job(session: Session, _: Tally, job: str, now_us: int) -> bool:
    found = _find(session, job)
    if found is None or found.status.final:
        return False
    session.run("update_job", (JobStatus.CANCELLED.value, encode_progress(found.progress), now_us, job))
    return True


def _read_job(row: Row) -> Job:
    return Job(row[0], JobKind(row[1]), JobStatus(row[2]), row[3], decode_progress(row[4]), row[5], row[6])
