"""A small world for the engine: the memory store, actions made of functions, and a clock that can be set forward."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from hookrt.delivery.engine import Engine
from hookrt.delivery.intake import Accepted
from hookrt.delivery.limits import Limits
from hookrt.delivery.ports import Ports
from hookrt.matching.router import Router
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery
from hookrt.model.event import EventDraft, encode_data
from hookrt.model.hook import Hook, Scope, Step
from hookrt.model.ids import IdSource
from hookrt.model.outcome import Outcome
from hookrt.plugin.action import Action, ActionCall
from hookrt.plugin.observer import AttemptRecorded, Observer
from hookrt.plugin.settings import Settings
from hookrt.store.contract import Store
from hookrt.store.open import open_store

Run = Callable[[ActionCall[Any]], Awaitable[Any]]


class RunningClock:
    """Real time that a test can set forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now_us(self) -> int:
        return int((time.time() + self.ahead) * 1_000_000)

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    async def sleep(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 0:
            await asyncio.sleep(min(left, 0.005))


class KeptLog:
    """Keeps the names of what was logged."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def debug(self, event: str, **fields: Any) -> None:
        self.events.append(event)

    info = warning = error = debug


class NoHttp:
    """No action here needs the way out."""

    exchange = None

    def http_for(self, trusted_origins: tuple[str, ...], timeout_s: float) -> NoHttp:
        return self

    def restart(self) -> None:
        pass


class NoSettings(Settings):
    pass


class Fixed:
    def __init__(self, **values: Any) -> None:
        self.values = values

    def render(self, scope: Scope) -> Any:
        return NoSettings()


class FunctionalAction(Action[NoSettings]):
    def __init__(self, name: str, run: Run) -> None:
        self.name = name
        self._run = run

    async def run(self, call: ActionCall[NoSettings]) -> Outcome:
        return await self._run(call)


def a_step(name: str, **options: Any) -> Step:
    """A step whose id and action have this name; its lane is its own unless said otherwise."""
    return Step(name, name, Fixed(), options.pop("lane", f"lane-{name}"), **options)


def a_hook(*steps: Step, name: str = "hook", patterns: Sequence[str] = ("A.B",), **options: Any) -> Hook:
    return Hook(name, tuple(patterns), steps, **options)


@dataclass
class World:
    store: Store
    clock: RunningClock
    engine: Engine
    ports: Ports
    log: KeptLog
    recorded: list[AttemptRecorded] = field(default_factory=list)

    async def emit(self, data: Any = None, *, type: str = "A.B", **options: Any) -> Accepted:
        return await self.engine.intake.accept(EventDraft(type, encode_data(data), **options), "test")

    async def ended(self, accepted: Accepted, timeout_s: float = 5) -> list[Delivery]:
        return await self.engine.waiters.wait(accepted.deliveries, timeout_s)

    async def delivered(self, data: Any = None, **options: Any) -> Delivery:
        """Emit an event that one hook takes, and wait for the end of its delivery."""
        [delivery] = await self.ended(await self.emit(data, **options))
        return delivery

    async def attempts(self, delivery: str) -> Sequence[Attempt]:
        return await self.store.attempts(delivery)


@dataclass
class Kept(Observer):
    recorded: list[AttemptRecorded]

    def attempt_recorded(self, recorded: AttemptRecorded) -> None:
        self.recorded.append(recorded)


async def until(condition: Callable[[], Any], seconds: float = 5) -> None:
    """Wait until the condition holds (it may be async); fail when it never does."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.002)


class Helpers:
    """What tests of the engine build with."""

    step = staticmethod(a_step)
    hook = staticmethod(a_hook)
    until = staticmethod(until)
    action = staticmethod(FunctionalAction)

    @staticmethod
    @asynccontextmanager
    async def world(
        hooks: Sequence[Hook],
        actions: dict[str, Run],
        *,
        store: Store | None = None,
        limits: Limits | None = None,
        lead: bool = True,
    ) -> AsyncIterator[World]:
        clock, log, recorded = RunningClock(), KeptLog(), []
        if store is None:
            store = open_store("memory:", clock)
            await store.open()
        ports = Ports(
            store=store,
            clock=clock,
            random=random.Random(7).random,
            ids=IdSource(clock.now_us),
            router=Router(hooks),
            actions={name: FunctionalAction(name, run) for name, run in actions.items()},
            way_out=NoHttp(),
            log=log,
            observer=Kept(recorded),
            limits=limits or Limits(poll=timedelta(milliseconds=10)),
        )
        engine = Engine(ports, "test")
        await engine.start(lead=lead)
        try:
            yield World(store, clock, engine, ports, log, recorded)
        finally:
            await engine.stop(timedelta(seconds=1))


@pytest.fixture
def given() -> Helpers:
    return Helpers()
