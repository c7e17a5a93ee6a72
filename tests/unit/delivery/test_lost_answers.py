"""A store that does what it is asked, and whose answer gets lost: nothing stays leased and forgotten."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from hookrt.clock import SystemClock
from hookrt.delivery.limits import Limits
from hookrt.errors import StoreError
from hookrt.model.delivery import Status
from hookrt.model.event import EventDraft
from hookrt.model.outcome import Outcome
from hookrt.store.open import open_store


class ForgetfulStore:
    """The memory store; `lost` says of how many calls of a method the answer is lost, `failing` how many fail."""

    def __init__(self) -> None:
        self._store = open_store("memory:", SystemClock())
        self.lost: Counter[str] = Counter()
        self.failing: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def call(*arguments: Any) -> Any:
            if self.failing[name] > 0:
                self.failing[name] -= 1
                raise StoreError("it failed")
            answer = await found(*arguments)
            if self.lost[name] > 0:
                self.lost[name] -= 1
                raise StoreError("the answer is lost")
            return answer

        return call


async def a_store() -> Any:
    store = ForgetfulStore()
    await store.open()
    return store


async def ok(call: Any) -> Outcome:
    return Outcome.done()


def all_ended(world: Any, count: int) -> Any:
    async def ended() -> bool:
        counts = await world.store.counts()
        return counts[Status.SUCCEEDED] == count and not world.engine.lanes.jobs

    return ended


@pytest.mark.parametrize("batch", [False, True])
def test_an_event_that_is_stored_is_delivered_although_its_sender_heard_of_a_failure(given, batch: bool) -> None:
    async def run() -> None:
        store = await a_store()
        async with given.world([given.hook(given.step("first"))], {"first": ok}, store=store) as world:
            store.lost["save_all" if batch else "save"] = 1
            store.failing["event"] = 1
            drafts = [EventDraft("A.B"), EventDraft("A.B")]
            with pytest.raises(StoreError):
                await (world.engine.intake.accept_all(drafts, "test") if batch else world.emit())
            world.clock.ahead += 2
            await given.until(all_ended(world, 2 if batch else 1))

    asyncio.run(run())


def test_an_event_that_is_not_stored_is_not_stored_behind_the_back_of_its_sender(given) -> None:
    async def run() -> None:
        store = await a_store()
        async with given.world([given.hook(given.step("first"))], {"first": ok}, store=store) as world:
            store.failing["save"] = 1
            with pytest.raises(StoreError):
                await world.emit()
            await given.until(lambda: not world.engine.lanes.jobs)
            assert store._store._memory.events == {}

    asyncio.run(run())


def test_a_claim_whose_answer_is_lost_is_found_again(given) -> None:
    async def run() -> None:
        store = await a_store()
        hook = given.hook(given.step("first"))
        async with given.world([hook], {"first": ok}, store=store, lead=False) as world:
            for _ in range(3):
                await world.emit()
        store.lost["claim_due"] = 1
        limits = Limits(poll=timedelta(milliseconds=10))
        async with given.world([hook], {"first": ok}, store=store, limits=limits) as world:
            await given.until(lambda: not store.lost["claim_due"])
            world.clock.ahead += 2
            await given.until(all_ended(world, 3))

    asyncio.run(run())


def test_a_hook_that_is_enabled_gets_what_is_held_although_the_store_fails_first(given) -> None:
    async def run() -> None:
        store = await a_store()
        hook = given.hook(given.step("first"))
        async with given.world([hook], {"first": ok}, store=store) as world:
            await world.engine.states.disable("hook")
            accepted = await world.emit()
            [delivery] = await world.ended(accepted, 0)
            assert delivery.status is Status.HELD
            store.failing["release_held"] = 2
            assert await world.engine.states.enable("hook")
            await given.until(lambda: store.failing["release_held"] < 2)
            world.clock.ahead += 2
            [delivery] = await world.ended(accepted)
            assert delivery.status is Status.SUCCEEDED

    asyncio.run(run())
