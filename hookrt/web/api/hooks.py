"""`/v1/hooks`, `/v1/explain`: which hooks there are, and why they fire or do not."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from hookrt.clock import duration_us
from hookrt.errors import EventError, UsageError
from hookrt.model.event import Event
from hookrt.model.hook import Hook
from hookrt.model.hook_state import HookState
from hookrt.web.api.events import find_event
from hookrt.web.api.query import Filters, Runtime, not_found
from hookrt.web.api.shapes import Explained, ExplanationShown, HookShown, Listed
from hookrt.web.api.show import show_event, show_explanation, show_hook
from hookrt.web.ingest import SOURCE, form_or_refuse
from hookrt.web.parse_events import parse_events
from hookrt.web.service import Service

STATS_SPAN = timedelta(hours=24)
"""How far back a hook's figures reach."""

MAX_MESSAGE = 1_000
"""Characters of the reason that somebody gives for disabling a hook."""

_EXAMPLE_ID = "evt_explained"


class DisableOptions(BaseModel):
    """How to disable a hook."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(default=None, max_length=MAX_MESSAGE, description="Why; for those who wonder later.")


class EnableOptions(BaseModel):
    """How to enable a hook."""

    model_config = ConfigDict(extra="forbid")

    discard: bool = Field(default=False, description="Cancel what is held instead of delivering it.")


def build_router() -> APIRouter:
    """The routes of this file."""
    router = APIRouter(tags=["hooks"])
    router.add_api_route("/hooks", list_hooks, methods=["GET"], summary="List hooks by name")
    router.add_api_route("/hooks/{name}", get_hook, methods=["GET"], summary="One hook")
    router.add_api_route("/hooks/{name}/disable", disable_hook, methods=["POST"], summary="Hold what comes for it")
    router.add_api_route(
        "/hooks/{name}/enable", enable_hook, methods=["POST"], summary="Deliver what is held for it, and what comes"
    )
    router.add_api_route("/explain", explain, methods=["POST"], summary="Why hooks fire on an event, or do not")
    return router


async def list_hooks(runtime: Runtime, filters: Annotated[Filters, Query()]) -> Listed[HookShown]:
    """Hooks in the order of their names, each with the figures of the last 24 hours."""
    hooks = dict(runtime.router.hooks)  # as they are now: a reload may change them while the store is asked
    names = sorted(hooks)
    start = 0 if filters.cursor is None else bisect.bisect_right(names, filters.cursor)
    chosen = names[start : start + filters.limit]
    more = start + filters.limit < len(names)
    states = await _disabled(runtime)
    items = [await _show(runtime, hooks[name], states) for name in chosen]
    return Listed(items=items, next=chosen[-1] if more else None)


async def get_hook(name: str, runtime: Runtime) -> HookShown:
    """A hook with the figures of the last 24 hours."""
    hook = runtime.router.get(name)
    if hook is None:
        raise not_found(f"no hook is named {name!r}")
    return await _show(runtime, hook, await _disabled(runtime))


async def disable_hook(name: str, runtime: Runtime, options: DisableOptions | None = None) -> HookShown:
    """The hook, disabled: from now on what comes for it is held, also after a restart, until it is enabled or its
    definition changes. Attempts under way finish. One that is disabled already stays as it is.
    """
    await runtime.control.hooks.disable(name, (options or DisableOptions()).reason)
    return await get_hook(name, runtime)


async def enable_hook(name: str, runtime: Runtime, options: EnableOptions | None = None) -> HookShown:
    """The hook, enabled: what is held for it is delivered, or with `discard` cancelled."""
    await runtime.control.hooks.enable(name, discard=(options or EnableOptions()).discard)
    return await get_hook(name, runtime)


async def _disabled(runtime: Service) -> dict[str, HookState]:
    """The states of the hooks that are disabled at run time, by name."""
    return {state.hook: state for state in await runtime.store.hook_states.changed() if state.disabled}


async def _show(runtime: Service, hook: Hook, disabled: Mapping[str, HookState]) -> HookShown:
    since_us = runtime.store.now_us() - duration_us(STATS_SPAN)
    stats = await runtime.store.hook_stats(hook.name, since_us)
    return show_hook(hook, stats, since_us, disabled.get(hook.name))


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
    if event.payload_dropped:
        raise UsageError(f"the event {event.id!r} cannot be judged: its payload was dropped by retention")
    explanations = [found for found in runtime.explain(event) if hook in (None, found.hook)]
    if hook is not None and not explanations:
        raise not_found(f"no hook is named {hook!r}")
    disabled = await _disabled(runtime)
    items = [_say_held(show_explanation(found), disabled.get(found.hook)) for found in explanations]
    return Explained(event=show_event(event), items=items)


def _say_held(shown: ExplanationShown, state: HookState | None) -> ExplanationShown:
    if state is None or not shown.fires:
        return shown
    return shown.model_copy(update={"detail": f"the hook is disabled ({state.reason}): its delivery is held"})


async def _read_event(request: Request) -> Event:
    headers = request.scope["headers"]
    parsed = parse_events(form_or_refuse(dict(headers)), headers, await request.body(), request.app.state.limits)
    if parsed.batch:
        raise EventError("one event is explained at a time, this is a batch")
    return parsed.drafts[0].complete(_EXAMPLE_ID, SOURCE, datetime.now(UTC))
