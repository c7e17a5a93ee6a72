"""`/v1/deliveries`: what became of it, and what to do about it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from hookrt.errors import UsageError
from hookrt.runtime.feed import Wanted
from hookrt.web.api.job_shapes import NewsShown
from hookrt.web.api.job_show import show_news
from hookrt.web.api.query import DeliveryFilters, Runtime, not_found, read_page
from hookrt.web.api.shapes import DeliveryDetail, DeliveryShown, Listed, Replayed
from hookrt.web.api.show import show_delivery, show_delivery_fully
from hookrt.web.service import Service

MAX_WAIT_S = 25.0
"""Most seconds that the live view holds an answer back, less than any client's or proxy's usual patience."""


class ReplayOptions(BaseModel):
    """How to replay; may stand in the body or in the query."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    start: Literal["start"] | None = Field(
        default=None, alias="from", description="`start`: all steps again, also those that were done."
    )
    new_message_id: bool = Field(default=False, description="Other message ids, so that receivers take it as new.")


def build_router() -> APIRouter:
    """The routes of this file."""
    router = APIRouter(prefix="/deliveries", tags=["deliveries"])
    router.add_api_route("", list_deliveries, methods=["GET"], summary="List deliveries, newest first")
    router.add_api_route("/tail", tail, methods=["GET"], summary="What happens to deliveries, live")
    router.add_api_route("/{delivery_id}", get_delivery, methods=["GET"], summary="One delivery with its attempts")
    router.add_api_route(
        "/{delivery_id}/replay", replay, methods=["POST"], status_code=202, summary="Make a new delivery of its event"
    )
    router.add_api_route("/{delivery_id}/retry", retry, methods=["POST"], summary="Stop waiting: try again at once")
    router.add_api_route("/{delivery_id}/cancel", cancel, methods=["POST"], summary="Cancel it")
    return router


async def list_deliveries(runtime: Runtime, filters: Annotated[DeliveryFilters, Query()]) -> Listed[DeliveryShown]:
    """Deliveries without their attempts."""
    page = await read_page(runtime.store.deliveries(filters.query()))
    items = [show_delivery(delivery, runtime.router.get(delivery.hook), runtime.mask) for delivery in page.items]
    return Listed(items=items, next=page.next)


async def tail(
    runtime: Runtime,
    after: Annotated[str | None, Query(max_length=100, description="`next` of the answer before.")] = None,
    hook: Annotated[str | None, Query(description="Only of this hook.")] = None,
    failed: Annotated[bool, Query(description="Only what went wrong.")] = False,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT_S, description="Seconds to wait for something to happen.")] = 20,
) -> NewsShown:
    """Attempts and ends of deliveries as they happen: a long poll.

    The first request, without `after`, answers at once with the place from which to go on. What happened before, or
    while nobody had asked for a minute, is not told: `GET /v1/deliveries` knows.
    """
    if not runtime.leading:
        raise UsageError("this process does not deliver: ask the one that does")
    return show_news(await runtime.control.feed.follow(Wanted(hook, failed), after, wait), runtime.mask)


async def get_delivery(delivery_id: str, runtime: Runtime) -> DeliveryDetail:
    """A delivery with every attempt, first to last."""
    return await _find(runtime, delivery_id)


async def replay(
    delivery_id: str,
    runtime: Runtime,
    asked: Annotated[ReplayOptions, Query()],
    options: ReplayOptions | None = None,
) -> Replayed:
    """A new delivery of the same event, with the hook as it is now, from the first step without a result."""
    chosen = options or ReplayOptions()
    new = await runtime.control.replay(
        delivery_id,
        from_start=bool(chosen.start or asked.start),
        new_message_id=chosen.new_message_id or asked.new_message_id,
    )
    return Replayed(id=new, replay_of=delivery_id)


async def retry(delivery_id: str, runtime: Runtime) -> DeliveryDetail:
    """The delivery, due now."""
    await runtime.control.retry_now(delivery_id)
    return await _find(runtime, delivery_id)


async def cancel(delivery_id: str, runtime: Runtime) -> DeliveryDetail:
    """The delivery, cancelled."""
    await runtime.control.cancel(delivery_id)
    return await _find(runtime, delivery_id)


async def _find(runtime: Service, delivery_id: str) -> DeliveryDetail:
    found = await runtime.store.delivery(delivery_id)
    if found is None:
        raise not_found(f"no delivery has the id {delivery_id!r}")
    attempts = await runtime.store.attempts(delivery_id)
    hook = runtime.router.get(found.delivery.hook)
    shown = show_delivery_fully(found.delivery, found.event, attempts, hook, runtime.mask)
    if not found.delivery.status.final:
        shown = shown.model_copy(update={"breaker": runtime.breakers.get(found.delivery.lane)})
    if found.delivery.order_key is None or found.delivery.status.final:
        return shown
    return shown.model_copy(update={"waits_for": await runtime.store.ahead_of(delivery_id)})
