"""RULES "Processes", "Deliveries": leases, hand-off, graceful stop, hooks that come and go."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hookrt.clock import SystemClock
from hookrt.delivery.limits import Limits
from hookrt.delivery.redefine import Redefined
from hookrt.errors import Overloaded
from hookrt.model.delivery import Status
from hookrt.model.outcome import Outcome
from hookrt.model.policy import fixed
from hookrt.store.contract import DeliveryQuery
from hookrt.store.open import open_store

FAST = Limits(poll=timedelta(milliseconds=10))


async def ok(call: Any) -> Outcome:
    return Outcome.done()


async def shared_store() -> Any:
    store = open_store("memory:", SystemClock())
    await store.open()
    return store


def test_a_process_that_only_emits_leaves_delivery_to_the_one_that_delivers(given) -> None:
    async def run() -> None:
        store = await shared_store()
        hook = given.hook(given.step("first"))
        async with given.world([hook], {"first": ok}, store=store, lead=False) as world:
            accepted = await world.emit()
            [delivery] = await world.ended(accepted, 0)
            assert delivery.status is Status.PENDING
        async with given.world([hook], {"first": ok}, store=store) as world:
            [delivery] = await world.ended(accepted)
            assert delivery.status is Status.SUCCEEDED

    asyncio.run(run())


def test_a_graceful_stop_lets_attempts_finish_and_returns_what_has_not_begun(given) -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def slow(call: Any) -> Outcome:
        begun.set()
        await finish.wait()
        return Outcome.done()

    async def run() -> None:
        store = await shared_store()
        hook = given.hook(given.step("slow"), given.step("after"))
        limits = replace(FAST, concurrency=1)
        async with given.world([hook], {"slow": slow, "after": ok}, store=store, limits=limits) as world:
            first, second = await world.emit(), await world.emit()
            await begun.wait()
            stopping = asyncio.create_task(world.engine.stop(timedelta(seconds=5)))
            await asyncio.sleep(0)
            finish.set()
            assert await stopping
            after = [(await store.delivery(one.deliveries[0])).delivery for one in (first, second)]
            assert [one.status for one in after] == [Status.PENDING, Status.PENDING]
            assert [list(one.results) for one in after] == [["slow"], []]
            assert [one.attempts for one in after] == [1, 0]

    asyncio.run(run())


def test_an_attempt_past_the_drain_is_returned_and_not_spent(given) -> None:
    async def run() -> None:
        begun = asyncio.Event()

        async def hangs(call: Any) -> Outcome:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError

        store = await shared_store()
        hook = given.hook(given.step("hangs"))
        async with given.world([hook], {"hangs": hangs}, store=store) as world:
            accepted = await world.emit()
            await begun.wait()
            assert not await world.engine.stop(timedelta(milliseconds=20))
            found = (await store.delivery(accepted.deliveries[0])).delivery
            assert (found.status, found.attempts) == (Status.PENDING, 0)
        async with given.world([hook], {"hangs": ok}, store=store) as world:
            [delivery] = await world.ended(accepted)
            assert (delivery.status, delivery.attempts) == (Status.SUCCEEDED, 1)

    asyncio.run(run())


def test_a_delivery_resumes_at_the_step_that_had_not_finished(given) -> None:
    async def run() -> None:
        ran: list[str] = []

        async def first(call: Any) -> Outcome:
            ran.append("first")
            return Outcome.done({"n": 1})

        async def fails(call: Any) -> Outcome:
            return Outcome.retry("status")

        async def second(call: Any) -> Outcome:
            ran.append(f"second after {call.steps['first']['output']}")
            return Outcome.done()

        store = await shared_store()
        retry = fixed(timedelta(milliseconds=50), 10)
        hook = given.hook(given.step("first", keeps_output=True), given.step("second", retry=retry))
        async with given.world([hook], {"first": first, "second": fails}, store=store) as world:
            accepted = await world.emit()
            await given.until(lambda: len(world.recorded) >= 2)
        async with given.world([hook], {"first": first, "second": second}, store=store) as world:
            [delivery] = await world.ended(accepted)
            assert delivery.status is Status.SUCCEEDED
        assert ran == ["first", "second after {'n': 1}"]

    asyncio.run(run())


def test_deliveries_of_a_removed_hook_are_held_and_then_cancelled(given) -> None:
    async def run() -> None:
        store = await shared_store()
        hook = given.hook(given.step("first"))
        async with given.world([hook], {"first": ok}, store=store, lead=False) as world:
            accepted = await world.emit()
        async with given.world([], {}, store=store) as world:
            [delivery] = await world.ended(accepted, 0)
            assert (delivery.status, delivery.reason) == (Status.HELD, "hook-removed")
        limits = replace(FAST, removed_hook_hold=timedelta(0))
        async with given.world([], {}, store=store, limits=limits) as world:
            [delivery] = await world.ended(accepted)
            assert (delivery.status, delivery.reason) == (Status.CANCELLED, "hook-removed")

    asyncio.run(run())


def test_held_deliveries_go_on_when_the_hook_comes_back(given) -> None:
    async def run() -> None:
        store = await shared_store()
        hook = given.hook(given.step("first"))
        async with given.world([hook], {"first": ok}, store=store, lead=False) as world:
            accepted = await world.emit()
        async with given.world([], {}, store=store):
            pass
        async with given.world([hook], {"first": ok}, store=store) as world:
            [delivery] = await world.ended(accepted)
            assert delivery.status is Status.SUCCEEDED

    asyncio.run(run())


def test_held_deliveries_are_outside_the_pending_limit(given) -> None:
    async def run() -> None:
        store = await shared_store()
        removed, present = given.hook(given.step("first"), name="removed"), given.hook(given.step("first"))
        async with given.world([removed], {"first": ok}, store=store, lead=False) as world:
            for _ in range(3):
                await world.emit()
        async with given.world([], {}, store=store):
            assert (await store.counts())[Status.HELD] == 3
        limits = replace(FAST, pending=2)
        async with given.world([present], {"first": ok}, store=store, limits=limits, lead=False) as world:
            for _ in range(2):
                await world.emit()
            with pytest.raises(Overloaded):  # the two that are pending are the limit
                await world.emit()

    asyncio.run(run())


def test_a_delivery_that_becomes_held_leaves_the_pending_limit_at_once(given) -> None:
    async def run() -> None:
        gate = asyncio.Event()

        async def wait(call: Any) -> Outcome:
            await gate.wait()
            return Outcome.done()

        hook = given.hook(given.step("first"), given.step("second"))
        rarely = Limits(poll=timedelta(hours=1))  # nobody counts anew meanwhile
        async with given.world([hook], {"first": wait, "second": ok}, limits=rarely) as world:
            await world.emit()
            world.ports.router.remove(hook.name)
            gate.set()
            async with asyncio.timeout(10):
                while world.engine.intake.open_deliveries:
                    await asyncio.sleep(0.01)
            assert (await world.store.counts())[Status.HELD] == 1

    asyncio.run(run())


def test_a_hook_that_comes_back_while_a_process_takes_over_has_its_deliveries(given) -> None:
    async def run() -> None:
        store = await shared_store()
        hook = given.hook(given.step("first"))
        async with given.world([hook], {"first": ok}, store=store, lead=False) as world:
            accepted = await world.emit()
        async with given.world([], {"first": ok}, store=store, lead=False) as world:

            async def reload() -> None:
                assert (await store.counts())[Status.HELD] == 1
                world.ports.router.put(hook)
                world.engine.redefine_soon(Redefined(hook.origin, defined=(hook.name,)))

            await world.engine.start(on_lead=reload)
            [delivery] = await world.ended(accepted)
            assert delivery.status is Status.SUCCEEDED

    asyncio.run(run())


def test_deliveries_of_a_hook_switched_off_in_the_file_wait_for_it(given) -> None:
    async def run() -> None:
        store = await shared_store()
        hook = given.hook(given.step("first"))
        async with given.world([hook], {"first": ok}, store=store, lead=False) as world:
            accepted = await world.emit()
        async with given.world([replace(hook, enabled=False)], {"first": ok}, store=store) as world:

            async def held() -> bool:
                [delivery] = await world.ended(accepted, 0)
                return delivery.status is Status.HELD and delivery.reason == "hook-disabled"

            await given.until(held)
        async with given.world([hook], {"first": ok}, store=store) as world:
            [delivery] = await world.ended(accepted)
            assert delivery.status is Status.SUCCEEDED

    asyncio.run(run())


def test_a_delivery_cancelled_while_it_runs_stays_cancelled(given) -> None:
    async def run() -> None:
        begun, finish = asyncio.Event(), asyncio.Event()

        async def slow(call: Any) -> Outcome:
            begun.set()
            await finish.wait()
            return Outcome.done()

        async with given.world([given.hook(given.step("slow"))], {"slow": slow}) as world:
            accepted = await world.emit()
            await begun.wait()
            assert await world.store.cancel(accepted.deliveries[0], "by hand")
            finish.set()
            await given.until(lambda: "result-of-lost-lease" in world.log.events)
            [delivery] = await world.ended(accepted, 0)
            assert (delivery.status, delivery.attempts) == (Status.CANCELLED, 0)

    asyncio.run(run())


def test_a_hung_lane_disturbs_no_other(given) -> None:
    async def run() -> None:
        release = asyncio.Event()

        async def hangs(call: Any) -> Outcome:
            await release.wait()
            return Outcome.done()

        hooks = [
            given.hook(given.step("hangs"), name="hung", patterns=["Hung"]),
            given.hook(given.step("fine"), name="fine", patterns=["Fine"]),
        ]
        limits = replace(FAST, concurrency=1, in_flight=20)
        async with given.world(hooks, {"hangs": hangs, "fine": ok}, limits=limits) as world:
            hung = [await world.emit(type="Hung") for _ in range(100)]
            for _ in range(50):
                assert (await world.delivered(type="Fine")).status is Status.SUCCEEDED
            assert world.engine.lanes.jobs <= 20
            release.set()
            for accepted in hung:
                [delivery] = await world.ended(accepted)
                assert delivery.status is Status.SUCCEEDED

    asyncio.run(run())


def test_what_finds_no_room_in_memory_waits_in_the_store_and_keeps_its_order(given) -> None:
    async def run() -> None:
        order: list[int] = []

        async def notes(call: Any) -> Outcome:
            order.append(call.event.data)
            await asyncio.sleep(0)
            return Outcome.done()

        limits = replace(FAST, concurrency=1)
        async with given.world([given.hook(given.step("notes"))], {"notes": notes}, limits=limits) as world:
            accepted = [await world.emit(number) for number in range(100)]
            for one in accepted:
                await world.ended(one)
        assert order == sorted(order)
        assert len(order) == 100

    asyncio.run(run())


def test_an_emit_that_is_cancelled_while_it_is_saved_leaves_nothing_stuck(given) -> None:
    async def run() -> None:
        async with given.world([given.hook(given.step("first"))], {"first": ok}) as world:
            for _ in range(20):
                task = asyncio.create_task(world.emit())
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

            async def all_ended() -> bool:
                page = await world.store.deliveries(DeliveryQuery(limit=100))
                return all(one.status is Status.SUCCEEDED for one in page.items) and not world.engine.lanes.jobs

            await given.until(all_ended)

    asyncio.run(run())


def test_leases_are_renewed_so_that_no_process_claims_what_it_holds_itself(given) -> None:
    async def run() -> None:
        runs: list[str] = []
        finish = asyncio.Event()

        async def slow(call: Any) -> Outcome:
            runs.append(call.message_id)
            await finish.wait()
            return Outcome.done()

        limits = replace(FAST, lease=timedelta(milliseconds=60))
        async with given.world([given.hook(given.step("slow"))], {"slow": slow}, limits=limits) as world:
            accepted = await world.emit()
            await given.until(lambda: runs)
            world.clock.ahead += 86_400
            await world.emit(type="Wake.Up")
            deadline = world.clock.monotonic() + 0.3
            await given.until(lambda: world.clock.monotonic() > deadline)
            finish.set()
            [delivery] = await world.ended(accepted)
            assert (delivery.status, len(runs)) == (Status.SUCCEEDED, 1)

    asyncio.run(run())
