"""`/v1/hooks`, `/v1/explain`: which hooks there are, and why they fire or do not."""

from __future__ import annotations

import bisect
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request

from hookrt.clock import duration_us
from hookrt.errors import EventError
from hookrt.model.event import Event, EventDraft, check_event
from hookrt.model.hook import Hook
from hookrt.web.api.events import find_event
from hookrt.web.api.query import Filters, Runtime, not_found
from hookrt.web.api.shapes import Explained, HookShown, Listed
from hookrt.web.api.show import show_event, show_explanation, show_hook
from hookrt.web.ingest import SOURCE, form_or_refuse
from hookrt.web.parse_events import parse_events
from hookrt.web.service import Service

STATS_SPAN = timedelta(hours=24)
"""How far back a hook's figures reach."""

_EXAMPLE_ID = "evt_explained"


def build_router() -> APIRouter:
    """The routes of this file."""
    router = APIRouter(tags=["hooks"])
    router.add_api_route("/hooks", list_hooks, methods=["GET"], summary="List hooks by name")
    router.add_api_route("/hooks/{name}", get_hook, methods=["GET"], summary="One hook")
    router.add_api_route("/explain", explain, methods=["POST"], summary="Why hooks fire on an event, or do not")
    return router


async def list_hooks(runtime: Runtime, filters: Annotated[Filters, Query()]) -> Listed[HookShown]:
    """Hooks in the order of their names, each with the figures of the last 24 hours."""
    names = sorted(runtime.router.hooks)
    start = 0 if filters.cursor is None else bisect.bisect_right(names, filters.cursor)
    chosen = names[start : start + filters.limit]
    more = start + filters.limit < len(names)
    items = [await _show(runtime, runtime.router.hooks[name]) for name in chosen]
    return Listed(items=items, next=chosen[-1] if more else None)


async def get_hook(name: str, runtime: Runtime) -> HookShown:
    """A hook with the figures of the last 24 hours."""
    hook = runtime.router.get(name)
    if hook is None:
        raise not_found(f"no hook is named {name!r}")
    return await _show(runtime, hook)


async def _show(runtime: Service, hook: Hook) -> HookShown:
    since_us = runtime.store.now_us() - duration_us(STATS_SPAN)
    return show_hook(hook, await runtime.store.hook_stats(hook.name, since_us), since_us)


async def explain(
    request: Request,
    runtime: Runtime,
    id: Annotated[str | None, Query(description="A stored event's id; else the body is the event.")] = None,
    source: Annotated[str | None, Query(description="Its source.")] = None,
    hook: Annotated[str | None, Query(description="Only this hook.")] = None,
) -> Explained:
    """For every hook whether it fires on this event, and if not why. Nothing is stored and nothing is run.

    The body is one event, in any of the forms that `POST /v1/events` takes.
    """
    event = await _read_event(request) if id is None else (await find_event(runtime, id, source)).event
    explanations = [found for found in runtime.explain(event) if hook in (None, found.hook)]
    if hook is not None and not explanations:
        raise not_found(f"no hook is named {hook!r}")
    return Explained(event=show_event(event), items=[show_explanation(found) for found in explanations])


async def _read_event(request: Request) -> Event:
    headers = request.scope["headers"]
    parsed = parse_events(form_or_refuse(dict(headers)), headers, await request.body(), request.app.state.limits)
    if parsed.batch:
        raise EventError("one event is explained at a time, this is a batch")
    event = _complete(parsed.drafts[0])
    check_event(event)
    return event


def _complete(draft: EventDraft) -> Event:
    return Event(
        id=draft.id if draft.id is not None else _EXAMPLE_ID,
        type=draft.type,
        source=draft.source if draft.source is not None else SOURCE,
        time=draft.time or datetime.now(UTC),
        subject=draft.subject,
        content=draft.content,
        content_type=draft.content_type,
        binary=draft.binary,
        attributes=draft.attributes,
    )
