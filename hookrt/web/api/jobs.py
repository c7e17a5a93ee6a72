"""`/v1/jobs`, and the routes that begin one: replays and cancellations of many."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from hookrt.model.delivery import Status
from hookrt.runtime.jobs.requests import CancelDeliveries, ReplayDeliveries, ReplayEvents
from hookrt.web.api.job_shapes import (
    CancelAsked,
    DeliveriesDryRun,
    EventsDryRun,
    EventsReplayAsked,
    JobShown,
    ReplayAsked,
)
from hookrt.web.api.job_show import show_events_preview, show_job
from hookrt.web.api.query import JobFilters, Runtime, not_found, read_page
from hookrt.web.api.shapes import Listed
from hookrt.web.api.show import show_delivery
from hookrt.web.service import Service

_STARTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "A dry run: what would be done"},
    202: {"description": "A job that does it"},
}


def build_router() -> APIRouter:
    """The routes of this file; it must come before those of `/deliveries/{id}` and `/events/{id}`."""
    router = APIRouter(tags=["jobs"])
    for path, start, summary in (
        ("/deliveries/replay", replay_deliveries, "Replay all deliveries that match"),
        ("/deliveries/cancel", cancel_deliveries, "Cancel all deliveries that match"),
        ("/events/replay", replay_events, "Run recorded events through a hook as it is now"),
    ):
        router.add_api_route(path, start, methods=["POST"], status_code=202, responses=_STARTS, summary=summary)
    router.add_api_route("/jobs", list_jobs, methods=["GET"], summary="List jobs, newest first")
    router.add_api_route("/jobs/{job_id}", get_job, methods=["GET"], summary="One job and how far it is")
    router.add_api_route("/jobs/{job_id}/cancel", cancel_job, methods=["POST"], summary="End a job before its time")
    return router


async def replay_deliveries(asked: ReplayAsked, runtime: Runtime, response: Response) -> JobShown | DeliveriesDryRun:
    """Each of them gets a new delivery, from the first step without a result, with the hook as it is now.

    The filter is fixed when the job is made: what comes later does not match. Those that have been replayed already
    are passed over.
    """
    request = ReplayDeliveries(
        **_matching(asked),
        from_start=asked.start is not None,
        new_message_id=asked.new_message_id,
        again=asked.again,
    )
    if asked.dry_run:
        return await _look(request, asked.limit, runtime, response)
    return show_job(await runtime.control.jobs.replay_deliveries(request))


async def cancel_deliveries(asked: CancelAsked, runtime: Runtime, response: Response) -> JobShown | DeliveriesDryRun:
    """Attempts under way are not interrupted, but their results do not count."""
    request = CancelDeliveries(**_matching(asked))
    if asked.dry_run:
        return await _look(request, asked.limit, runtime, response)
    return show_job(await runtime.control.jobs.cancel_deliveries(request))


async def replay_events(asked: EventsReplayAsked, runtime: Runtime, response: Response) -> JobShown | EventsDryRun:
    """For the hook that was missing or wrong: each event for which it fires now gets a delivery.

    Events that have a delivery for it already, in whatever status, are passed over unless `again`.
    """
    request = ReplayEvents(
        hook=asked.hook,
        type=asked.type,
        source=asked.source,
        since_us=asked.since,
        until_us=asked.until,
        new_message_id=asked.new_message_id,
        again=asked.again,
        rate=asked.rate,
    )
    if asked.dry_run:
        response.status_code = 200
        return show_events_preview(await runtime.control.jobs.look_at_events(request, asked.limit))
    return show_job(await runtime.control.jobs.replay_events(request))


async def list_jobs(runtime: Runtime, filters: Annotated[JobFilters, Query()]) -> Listed[JobShown]:
    """Jobs; those that ended are kept for 30 days."""
    page = await read_page(runtime.store.jobs.recent(filters.limit, filters.cursor))
    return Listed(items=[show_job(job) for job in page.items], next=page.next)


async def get_job(job_id: str, runtime: Runtime) -> JobShown:
    """A job and how far it is."""
    found = await runtime.store.jobs.find(job_id)
    if found is None:
        raise not_found(f"no job has the id {job_id!r}")
    return show_job(found)


async def cancel_job(job_id: str, runtime: Runtime) -> JobShown:
    """The job, cancelled. What it did stays."""
    return show_job(await runtime.control.jobs.cancel(job_id))


def _matching(asked: ReplayAsked | CancelAsked) -> dict[str, Any]:
    """What both kinds of request say of the deliveries."""
    return {
        "statuses": tuple(Status(status) for status in asked.status),
        "hook": asked.hook,
        "reason": asked.reason,
        "since_us": asked.since,
        "until_us": asked.until,
        "rate": asked.rate,
    }


async def _look(
    request: ReplayDeliveries | CancelDeliveries, most: int, runtime: Service, response: Response
) -> DeliveriesDryRun:
    """What the request would touch; the answer begins no job."""
    response.status_code = 200
    preview = await runtime.control.jobs.look_at_deliveries(request, most)
    items = [show_delivery(delivery, runtime.router.get(delivery.hook), runtime.mask) for delivery in preview.items]
    return DeliveriesDryRun(total=preview.total, items=items)
