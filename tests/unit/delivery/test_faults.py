"""What a store's failures and bad moments must not cost: no delivery is lost, stuck, or run after the stop."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hookrt.clock import SystemClock
from hookrt.delivery.limits import Limits
from hookrt.errors import Overloaded, StoreError, StoreFull
from hookrt.model.delivery import Status
from hookrt.model.event import EventDraft
from hookrt.model.outcome import Outcome
from hookrt.store.contract import DeliveryQuery
from hookrt.store.open import open_store

FAST = Limits(poll=timedelta(milliseconds=10))


class FaultyStore:
    """The memory store, some of whose methods fail for a while, or answer late.

    `failures` says how often each method still fails. What `gates` names has its effect at once, and returns only
    when its event is set.
    """

    def __init__(self, **failures: int) -> None:
        self._store = open_store("memory:", SystemClock())
        self.failures = Counter(failures)
        self.gates: dict[str, asyncio.Event] = {}
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def call(*arguments: Any) -> Any:
            self.calls[name] += 1
            if self.failures[name] > 0:
                self.failures[name] -= 1
                raise StoreFull(f"no space for {name}")
            answer = await found(*arguments)
            if gate := self.gates.get(name):
                await gate.wait()
            return answer

        return call


async def a_store(**failures: int) -> Any:
    store = FaultyStore(**failures)
    await store.open()
    return store


async def ok(call: Any) -> Outcome:
    return Outcome.done()


def test_a_store_that_fails_for_a_moment_does_not_end_the_scheduling(given) -> None:
    async def run() -> None:
        store = await a_store(next_due_us=1, claim_due=1)
        hook = given.hook(given.step("first"))
        async with given.world([hook], {"first": ok}, store=store, lead=False) as world:
            accepted = await world.emit()
        async with given.world([hook], {"first": ok}, store=store) as world:
            await given.until(lambda: store.calls["next_due_us"])
            world.clock.ahead += 2
            late = await world.store.delivery(accepted.deliveries[0])
            new = late.delivery
            await store.add_delivery("test", accepted.id, a_replay_of(new))
            [delivery] = await world.engine.waiters.wait(["dlv_replay"], 5)
            assert delivery.status is Status.SUCCEEDED

    asyncio.run(run())


def a_replay_of(delivery: Any) -> Any:
    from hookrt.store.contract import NewDelivery

    return NewDelivery("dlv_replay", delivery.hook, delivery.lane, 0, delivery.expires_us, replay_of=delivery.id)


def test_a_lead_that_was_taken_half_is_taken_again(given) -> None:
    async def run() -> None:
        other, store = await a_store(), await a_store(hold_orphans=2)
        store._store._memory = other._store._memory
        await other.lead()
        async with given.world([given.hook(given.step("first"))], {"first": ok}, store=store) as world:
            assert not world.engine.leading
            accepted = await world.emit()
            await other.close()
            [delivery] = await world.ended(accepted)
            assert delivery.status is Status.SUCCEEDED
            assert world.engine.leading

    asyncio.run(run())


def test_what_waits_for_a_hook_is_taken_up_although_the_store_fails_first(given) -> None:
    async def run() -> None:
        store = await a_store()
        hook = given.hook(given.step("first"))
        async with given.world([hook], {"first": ok}, store=store, lead=False) as world:
            accepted = await world.emit()
        async with given.world([], {"first": ok}, store=store) as world:
            [delivery] = await world.ended(accepted, 0)
            assert delivery.status is Status.HELD
            store.failures["release_held"] = 1
            world.ports.router.put(hook)
            world.engine.take_up_soon(hook)
            await given.until(lambda: store.calls["release_held"])
            world.clock.ahead += 2
            [delivery] = await world.ended(accepted)
            assert delivery.status is Status.SUCCEEDED

    asyncio.run(run())


def test_a_hook_that_comes_back_while_its_delivery_is_put_on_hold_gets_it(given) -> None:
    async def run() -> None:
        store = await a_store()
        hook = given.hook(given.step("first"))
        async with given.world([], {"first": ok}, store=store) as world:
            world.ports.router.put(hook)
            store.gates["save"], store.gates["record"] = asyncio.Event(), asyncio.Event()
            emitting = asyncio.create_task(world.emit())
            await given.until(lambda: store.calls["save"])
            world.ports.router.remove(hook.name)
            store.gates["save"].set()
            accepted = await emitting
            # It is held by now, but this process has not heard so; a look for held ones is over before.
            await given.until(lambda: store.calls["record"])
            world.ports.router.put(hook)
            store.gates["record"].set()
            [delivery] = await world.ended(accepted)
            assert delivery.status is Status.SUCCEEDED

    asyncio.run(run())


def test_a_stop_ends_although_the_store_is_full(given) -> None:
    async def run() -> None:
        store = await a_store()
        async with given.world([given.hook(given.step("first"))], {"first": ok}, store=store) as world:
            await world.delivered()
            store.failures["release"] = 1
            assert await world.engine.stop(timedelta(seconds=1))
            assert "leases-not-released" in world.log.events

    asyncio.run(run())


def test_a_result_is_kept_until_the_store_has_space_again(given) -> None:
    async def run() -> None:
        ran = []

        async def once(call: Any) -> Outcome:
            ran.append(call.attempt)
            return Outcome.done()

        store = await a_store()
        async with given.world([given.hook(given.step("once"))], {"once": once}, store=store) as world:
            store.failures["record"] = 3
            accepted = await world.emit()
            for number in (1, 2, 3):
                await given.until(lambda number=number: store.calls["record"] >= number)
                world.clock.ahead += 2
            [delivery] = await world.ended(accepted)
            assert (delivery.status, ran) == (Status.SUCCEEDED, [1])

    asyncio.run(run())


@pytest.mark.parametrize(("limits", "most"), [(replace(FAST, concurrency=2), 16), (replace(FAST, in_flight=4), 6)])
def test_results_that_wait_for_space_are_bounded_by_the_room_in_memory(given, limits: Limits, most: int) -> None:
    """Three lanes: one holds eight times its concurrency, all together what memory may hold, and each at least one."""
    lanes, events = (1, 40) if most == 16 else (3, 20)

    async def run() -> None:
        ran: Counter[tuple[str, str]] = Counter()

        async def once(call: Any) -> Outcome:
            ran[call.hook, call.event.id] += 1
            return Outcome.done()

        hooks = [given.hook(given.step("once", lane=f"lane-{n}"), name=f"hook-{n}") for n in range(lanes)]
        store = await a_store(record=1_000_000)
        async with given.world(hooks, {"once": once}, store=store, limits=limits) as world:
            accepted = [await world.emit() for _ in range(events)]
            await given.until(lambda: ran and len(ran) == world.engine.lanes.jobs)
            looks = store.calls["claim_due"]
            await given.until(lambda: store.calls["claim_due"] >= looks + 5)  # it looks for more, and takes none
            assert len(ran) == world.engine.lanes.jobs <= most
            assert (await store.counts())[Status.PENDING] == lanes * events - len(ran)
            store.failures.clear()
            world.clock.ahead += 2
            ended = [delivery for one in accepted for delivery in await world.ended(one)]
            assert {delivery.status for delivery in ended} == {Status.SUCCEEDED}
            assert (len(ran), set(ran.values())) == (lanes * events, {1})

    asyncio.run(run())


def test_an_emit_cancelled_while_the_store_fails_leaves_nothing_leased_and_forgotten(given) -> None:
    async def run() -> None:
        store = await a_store()
        async with given.world([given.hook(given.step("first"))], {"first": ok}, store=store) as world:
            store.gates["save"] = asyncio.Event()
            store.failures["save_all"] = 1
            emitting = asyncio.create_task(world.emit())
            await given.until(lambda: store.calls["save"])
            emitting.cancel()
            await asyncio.gather(emitting, return_exceptions=True)

            async def ended() -> bool:
                page = await store.deliveries(DeliveryQuery())
                return [one.status for one in page.items] == [Status.SUCCEEDED] and not world.engine.lanes.jobs

            await given.until(ended)

    asyncio.run(run())


def test_nothing_is_run_that_was_saved_after_the_stop_had_begun(given) -> None:
    async def run() -> None:
        ran: list[str] = []

        async def notes(call: Any) -> Outcome:
            ran.append(call.event.id)
            return Outcome.done()

        store = await a_store()
        async with given.world([given.hook(given.step("notes"))], {"notes": notes}, store=store) as world:
            store.gates["save"] = asyncio.Event()
            emitting = asyncio.create_task(world.emit())
            await given.until(lambda: store.calls["save"])
            assert await world.engine.stop(timedelta(seconds=1))
            store.gates["save"].set()
            accepted = await emitting
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
            found = (await store.delivery(accepted.deliveries[0])).delivery
            assert (found.status, ran) == (Status.PENDING, [])
            assert (world.engine.lanes.jobs, world.engine.lanes.bytes) == (0, 0)

    asyncio.run(run())


def test_a_save_that_fails_gives_its_room_back(given) -> None:
    async def run() -> None:
        store = await a_store(save=1, save_all=1)
        async with given.world([given.hook(given.step("first"))], {"first": ok}, store=store) as world:
            with pytest.raises(StoreError):
                await world.emit()
            with pytest.raises(StoreError):
                await world.engine.intake.accept_all([EventDraft("A.B"), EventDraft("A.B")], "test")
            assert (world.engine.lanes.jobs, world.engine.lanes.figures()) == (0, {})

    asyncio.run(run())


@pytest.mark.parametrize("batch", [False, True])
def test_503_when_the_writer_is_more_than_a_second_behind(given, batch: bool) -> None:
    async def run() -> None:
        store = await a_store()
        async with given.world([], {}, store=store) as world:
            gate = store.gates["save_all" if batch else "save"] = asyncio.Event()
            accept_all = world.engine.intake.accept_all([EventDraft("A.B")], "test")
            saving = asyncio.create_task(accept_all if batch else world.emit())
            await given.until(lambda: store.calls["save_all" if batch else "save"])
            world.clock.ahead += 1.1
            with pytest.raises(Overloaded):
                await world.emit()
            gate.set()
            await saving
            store.gates.clear()
            await world.emit()
            if not batch:
                accept_all.close()

    asyncio.run(run())


def test_waiting_for_a_delivery_leaves_nothing_behind(given) -> None:
    async def run() -> None:
        never = asyncio.Event()

        async def hangs(call: Any) -> Outcome:
            await never.wait()
            return Outcome.done()

        limits = replace(FAST, concurrency=1)
        async with given.world([given.hook(given.step("hangs"))], {"hangs": hangs}, limits=limits) as world:
            accepted = await world.emit()
            waiting = asyncio.create_task(world.ended(accepted, 60))
            await world.ended(accepted, 0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            assert world.engine.waiters._waiting == {}
            never.set()

    asyncio.run(run())
