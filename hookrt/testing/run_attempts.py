"""Running an action in a test as the engine does, without an engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack, cast

import msgspec

from hookrt.clock import Clock, from_us
from hookrt.egress import Egress, EgressRules
from hookrt.model.event import Event
from hookrt.model.hook import Destination, Place
from hookrt.model.ids import message_id
from hookrt.model.outcome import Outcome, OutcomeKind
from hookrt.model.policy import DEFAULT_TIMEOUT
from hookrt.plugin.action import Action, ActionCall, ActionSetup, SettingsT
from hookrt.plugin.protocols import Http, HttpError, Log, State
from hookrt.plugin.settings import Settings
from hookrt.testing.build_event import event as build_event
from hookrt.testing.fake_clock import FakeClock
from hookrt.testing.provided import MemoryState, Provided
from hookrt.testing.recorded import RecordedHttp, RecordedLog

ActionT = TypeVar("ActionT", bound=Action[Any])

SettingsTree = Mapping[str, Any] | Settings
"""Settings as somebody writes them in YAML, or a settings model that is made already."""


class CallOptions(TypedDict, total=False):
    """What a call may be given beside its settings; the rest is invented."""

    event: Event
    hook: str
    step: str
    attempt: int
    timeout: timedelta
    steps: Mapping[str, Mapping[str, Any]]
    destinations: Mapping[str, Destination]
    rendered: frozenset[str]
    secrets: Mapping[str, str]
    state: State
    place: Place
    http: Http
    log: Log
    clock: Clock


class SetupOptions(TypedDict, total=False):
    """What an action may be given when it is opened."""

    service_settings: SettingsTree
    base_dir: Path
    clock: Clock
    log: Log


class RunOptions(CallOptions, SetupOptions, total=False):
    """What `run_action` may be given: all of a call, and all of the opening."""


def call_for(
    action: type[Action[SettingsT]] | Action[SettingsT], settings: SettingsTree, **options: Unpack[CallOptions]
) -> ActionCall[SettingsT]:
    """The ActionCall of one attempt with these settings, read as from hooks.yaml (raises pydantic's ValidationError).

    Unless `options` say otherwise, its HTTP is a RecordedHttp, its log a RecordedLog, its clock a FakeClock, its event
    `hookrt.testing.event()`, and it is the first attempt of the step named like the action, in the hook `test`. It has
    the `secrets` that are given here by name, and a `state` of its own (a MemoryState).
    """
    happened = options.get("event") or build_event()
    hook, step = options.get("hook", "test"), options.get("step", action.name)
    started = from_us((options.get("clock") or FakeClock()).now_us())
    return ActionCall(
        settings=cast("SettingsT", read_settings(action.settings, settings)),
        event=happened.fresh(),
        hook=hook,
        step=step,
        attempt=options.get("attempt", 1),
        message_id=message_id(happened.source, happened.id, hook, step),
        started=started,
        deadline=started + options.get("timeout", action.default_timeout or DEFAULT_TIMEOUT),
        log=options.get("log") or RecordedLog(),
        http=options.get("http") or RecordedHttp(),
        steps=options.get("steps", {}),
        destinations=options.get("destinations", {}),
        rendered=options.get("rendered", frozenset()),
        action=action.name,
        place=options.get("place"),
        provisions=Provided(options.get("secrets", {}), options.get("state") or MemoryState(options.get("clock"))),
    )


def read_settings(model: type[Settings], written: SettingsTree) -> Settings:
    """Settings validated as hooks.yaml's are, by the rules for JSON; raises pydantic's ValidationError."""
    if isinstance(written, Settings):
        return written
    return model.model_validate_json(msgspec.json.encode(written))


@asynccontextmanager
async def open_action(action: type[ActionT], **options: Unpack[SetupOptions]) -> AsyncIterator[ActionT]:
    """An instance that has been opened, and is closed at the end: `async with open_action(Sms) as sms:`.

    `service_settings` are what stands under `service.actions.NAME`; without them an action that declares a model
    gets its defaults. Relative paths start at `base_dir`, by default the working directory.
    """
    model = action.service_settings
    settings = None if model is None else read_settings(model, options.get("service_settings", {}))
    setup = ActionSetup(
        base_dir=options.get("base_dir") or Path.cwd(),
        clock=options.get("clock") or FakeClock(),
        log=options.get("log") or RecordedLog(),
        http=RecordedHttp(),
        settings=settings,
    )
    made = action()
    await made.open(setup)
    try:
        yield made
    finally:
        await made.close()


async def attempt(action: Action[Any], call: ActionCall[Any]) -> Outcome:
    """Run one attempt as the engine does: in time, with HttpError and emitted events in the outcome.

    Any other exception comes through, where the engine would make it a retry: in a test it is a failure. So does a
    TypeError for what is no Outcome.
    """
    cut = asyncio.timeout(call.timeout.total_seconds())
    try:
        async with cut:
            outcome = await action.run(call)
    except HttpError as error:
        return (Outcome.reject if error.permanent else Outcome.retry)(error.reason, error.message)
    except TimeoutError:
        if not cut.expired():
            raise
        return Outcome.retry("timeout", f"no end after {call.timeout.total_seconds():g} s (total timeout)")
    if not isinstance(outcome, Outcome):
        raise TypeError(f"{type(action).__name__}.run returned {type(outcome).__name__}, not an Outcome")
    if outcome.kind is OutcomeKind.DONE and call.emitted:
        return replace(outcome, events=(*outcome.events, *call.emitted))
    return outcome


@asynccontextmanager
async def real_http(timeout: timedelta = DEFAULT_TIMEOUT) -> AsyncIterator[Http]:
    """The way out as the service has it, guard and limits included, but with private addresses allowed."""
    way_out = Egress(EgressRules.parse(["private"], []), str)
    try:
        yield way_out.http_for((), timeout.total_seconds())
    finally:
        await way_out.close()


def run_action(action: type[Action[Any]], settings: SettingsTree, **options: Unpack[RunOptions]) -> Outcome:
    """Open an action, run it once, close it, from a plain test function; returns its outcome.

    Its HTTP is the real one, so point it at a `Receiver`; or pass `http=RecordedHttp(...)`. The other options are
    those of `call_for` and `open_action`.
    """
    return asyncio.run(_run(action, settings, options))


async def _run(action: type[Action[Any]], settings: SettingsTree, options: RunOptions) -> Outcome:
    opening: SetupOptions = {key: options[key] for key in SetupOptions.__annotations__ if key in options}  # type: ignore[literal-required,assignment]
    calling: CallOptions = {key: options[key] for key in CallOptions.__annotations__ if key in options}  # type: ignore[literal-required,assignment]
    async with real_http(calling.get("timeout", DEFAULT_TIMEOUT)) as http, open_action(action, **opening) as opened:
        calling.setdefault("http", http)
        return await attempt(opened, call_for(opened, settings, **calling))
