"""`/v1/events`: what came in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from hookrt.store.contract import EventQuery, StoredEvent
from hookrt.web.api.query import EventFilters, Runtime, not_found, read_page
from hookrt.web.api.shapes import EventDetail, EventShown, Listed
from hookrt.web.api.show import show_event, show_stored
from hookrt.web.problem import ProblemDocument, Refusal
from hookrt.web.service import Service


def build_router() -> APIRouter:
    """The routes of this file."""
    router = APIRouter(tags=["events"])
    router.add_api_route("/events", list_events, methods=["GET"], summary="List events, newest first")
    router.add_api_route("/events/{event_id:path}", get_event, methods=["GET"], summary="One event")
    return router


async def list_events(runtime: Runtime, filters: Annotated[EventFilters, Query()]) -> Listed[EventShown]:
    """Events without their deliveries; data above 16 KiB is left out."""
    page = await read_page(runtime.store.events(filters.query()))
    return Listed(items=[show_event(stored.event, stored.received_us) for stored in page.items], next=page.next)


async def get_event(
    event_id: str, runtime: Runtime, source: Annotated[str | None, Query(description="Its source.")] = None
) -> EventDetail:
    """An event with its deliveries. Two sources may use the same id: then `source` says which one is meant."""
    return show_stored(await find_event(runtime, event_id, source), runtime.router.get, runtime.mask)


async def find_event(runtime: Service, event_id: str, source: str | None) -> StoredEvent:
    """The stored event with this id; raises Refusal when there is none, or several and no source is named."""
    if source is None:
        source = await _only_source(runtime, event_id)
    found = await runtime.store.event(source, event_id)
    if found is None:
        raise not_found(f"no event has the id {event_id!r} and the source {source!r}")
    return found


async def _only_source(runtime: Service, event_id: str) -> str:
    page = await runtime.store.events(EventQuery(id=event_id, limit=20))
    sources = [stored.event.source for stored in page.items]
    if not sources:
        raise not_found(f"no event has the id {event_id!r}")
    if len(sources) > 1:
        detail = f"several sources sent an event with the id {event_id!r}: say which one with ?source="
        raise Refusal(ProblemDocument(409, "ambiguous", detail, {"sources": sources}))
    return sources[0]
