"""From jobs and happenings to what the API shows of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from hookrt.delivery.rehearse import RehearsedStep
from hookrt.model.attempt import Exchange
from hookrt.model.job import Job
from hookrt.runtime.feed import Happening, News
from hookrt.runtime.jobs.desk import EventsPreview
from hookrt.web.api import job_shapes
from hookrt.web.api.shapes import RequestShown
from hookrt.web.api.show import show_event, show_time


def show_job(job: Job) -> job_shapes.JobShown:
    """A job with its progress."""
    progress = job.progress
    return job_shapes.JobShown(
        id=job.id,
        kind=job.kind.value,
        status=job.status.value,
        total=progress.total,
        done=progress.done,
        skipped=progress.skipped,
        failed=progress.failed,
        errors=[job_shapes.JobErrorShown(of=error.of or None, message=error.message) for error in progress.errors],
        request=_show_request(job.request),
        created=show_time(job.created_us),
        updated=show_time(job.updated_us),
    )


def show_events_preview(preview: EventsPreview) -> job_shapes.EventsDryRun:
    """What a replay of events would do."""
    reasons = dict(preview.reasons)
    return job_shapes.EventsDryRun(
        total=preview.total,
        delivered=preview.delivered,
        looked_at=preview.looked_at,
        fires=reasons.pop("fires", 0),
        reasons=reasons,
        items=[
            job_shapes.EventRehearsed(event=show_event(one.event), steps=[_show_step(step) for step in one.steps])
            for one in preview.items
        ],
    )


def show_news(news: News, mask: Callable[[str], str]) -> job_shapes.NewsShown:
    """What happened."""
    return job_shapes.NewsShown(
        items=[_show_happening(one, mask) for one in news.items], next=news.next, missed=news.missed
    )


def _show_request(request: bytes) -> dict[str, Any]:
    """Times as ISO 8601, the rate as it is written, and nothing that was not asked for.

    What cannot be shown so is shown as it is, and nothing of a request that cannot be read: one row of another version
    must not hide all the others.
    """
    try:
        asked = msgspec.json.decode(request, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}
    return dict(_show_asked(name, value) for name, value in asked.items() if value is not None and value is not False)


def _show_asked(name: str, value: Any) -> tuple[str, Any]:
    with suppress(TypeError, ValueError, OverflowError):
        if name.endswith("_us"):
            return name.removesuffix("_us"), show_time(value)
        if name == "rate":
            return name, f"{value:g}/s"
    return "status" if name == "statuses" else name.removesuffix("_us"), value


def _show_step(step: RehearsedStep) -> job_shapes.StepRehearsed:
    return job_shapes.StepRehearsed(
        step=step.step,
        action=step.action,
        request=None if step.request is None else _show_request_of(step.request),
        settings=step.settings,
        note=step.note,
    )


def _show_request_of(exchange: Exchange) -> RequestShown:
    return RequestShown(
        method=exchange.method,
        url=exchange.url,
        headers=exchange.request_headers,
        body=exchange.request_body,
        address=exchange.address,
    )


def _show_happening(one: Happening, mask: Callable[[str], str]) -> job_shapes.HappeningShown:
    return job_shapes.HappeningShown(
        time=show_time(one.at_us),
        delivery=one.delivery,
        hook=one.hook,
        status=one.status.value,
        step=one.step,
        attempt=one.attempt,
        outcome=one.outcome,
        reason=one.reason,
        message=None if one.message is None else mask(one.message),
        duration_ms=None if one.duration_us is None else one.duration_us / 1000,
    )
