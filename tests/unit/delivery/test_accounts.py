"""RULES "Deliveries": what is counted and kept over retries, resumes, lanes, hooks that change and replays."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hookrt.delivery.limits import Limits
from hookrt.model.delivery import Status, StepResult, StepStatus
from hookrt.model.hook import Destination
from hookrt.model.outcome import Emission, Outcome
from hookrt.model.policy import fixed
from hookrt.store.contract import NewDelivery

FAST = Limits(poll=timedelta(milliseconds=10))
SOON = fixed(timedelta(milliseconds=1), 3)
LATER = fixed(timedelta(minutes=1), 3)


async def ok(call: Any) -> Outcome:
    return Outcome.done()


async def fails(call: Any) -> Outcome:
    return Outcome.retry("status", "the answer was 500")


async def shared_store() -> Any:
    from hookrt.clock import SystemClock
    from hookrt.store.open import open_store

    store = open_store("memory:", SystemClock())
    await store.open()
    return store


async def waiting_delivery(given: Any, store: Any, hook: Any) -> str:
    """A delivery that waits after one failed attempt of its present step."""
    async with given.world([hook], {"first": fails}, store=store) as world:
        accepted = await world.emit()
        await given.until(lambda: world.recorded)
        [delivery] = await world.ended(accepted, 0)
        assert (delivery.status, delivery.step_attempts) == (Status.WAITING, 1)
    return delivery.id


def test_attempts_of_a_step_are_counted_on_when_its_lane_has_changed(given) -> None:
    async def run() -> None:
        store = await shared_store()
        hook = given.hook(given.step("first", retry=LATER))
        identity = await waiting_delivery(given, store, hook)
        seen: list[int] = []

        async def notes(call: Any) -> Outcome:
            seen.append(call.attempt)
            return Outcome.done()

        moved = given.hook(given.step("first", retry=LATER, lane="elsewhere"))
        async with given.world([moved], {"first": notes}, store=store) as world:
            assert await store.retry_now(identity)
            [delivery] = await world.engine.waiters.wait([identity], 5)
            assert (delivery.status, delivery.attempts, seen) == (Status.SUCCEEDED, 2, [2])

    asyncio.run(run())


def test_attempts_of_a_step_are_counted_on_when_its_hook_comes_back(given) -> None:
    async def run() -> None:
        store = await shared_store()
        hook = given.hook(given.step("first", retry=LATER))
        identity = await waiting_delivery(given, store, hook)
        async with given.world([replace(hook, enabled=False)], {}, store=store) as world:
            assert await store.retry_now(identity)

            async def held() -> bool:
                return (await store.delivery(identity)).delivery.status is Status.HELD

            await given.until(held)
            assert (await store.delivery(identity)).delivery.step_attempts == 1
        async with given.world([hook], {"first": fails}, store=store) as world:
            await given.until(lambda: world.recorded)
            assert (await store.delivery(identity)).delivery.step_attempts == 2

    asyncio.run(run())


def test_every_step_has_its_own_retries(given) -> None:
    async def run() -> None:
        seen: list[tuple[str, int]] = []

        async def third_time(call: Any) -> Outcome:
            seen.append((call.step, call.attempt))
            return Outcome.done() if call.attempt == 3 else Outcome.retry("status")

        steps = [given.step("first", retry=SOON), given.step("second", retry=SOON, lane="lane-first")]
        async with given.world([given.hook(*steps)], {"first": third_time, "second": third_time}) as world:
            delivery = await world.delivered()
            assert (delivery.status, delivery.attempts) == (Status.SUCCEEDED, 6)
            assert [one.number for one in await world.attempts(delivery.id)] == [1, 2, 3, 4, 5, 6]
        assert seen == [(step, n) for step in ("first", "second") for n in (1, 2, 3)]

    asyncio.run(run())


def test_resume_runs_in_the_hook_s_present_order_the_first_step_without_a_result(given) -> None:
    async def run() -> None:
        ran: list[str] = []

        async def notes(call: Any) -> Outcome:
            ran.append(call.step)
            return Outcome.done()

        store = await shared_store()
        before = given.hook(given.step("a"), given.step("b", retry=LATER))
        async with given.world([before], {"a": notes, "b": fails}, store=store) as world:
            accepted = await world.emit()
            await given.until(lambda: len(world.recorded) == 2)
        now = given.hook(given.step("c"), given.step("b"), given.step("a"))
        async with given.world([now], {"a": notes, "b": notes, "c": notes}, store=store) as world:
            assert await store.retry_now(accepted.deliveries[0])
            [delivery] = await world.ended(accepted)
            assert delivery.status is Status.SUCCEEDED
        assert ran == ["a", "c", "b"]

    asyncio.run(run())


def test_continue_on_error_counts_the_failed_steps_that_a_replay_took_over(given) -> None:
    async def run() -> None:
        hook = given.hook(given.step("first", continue_on_error=True), given.step("second"))
        async with given.world([hook], {"first": ok, "second": ok}) as world:
            old = await world.delivered()
            results = {"first": StepResult(StepStatus.FAILED, error="status")}
            expires_us = world.store.now_us() + 10**12
            new = NewDelivery("dlv_new", "hook", "lane-second", 0, expires_us, replay_of=old.id, results=results)
            await world.store.add_delivery(old.event_source, old.event_id, new)
            world.engine.kick()
            [delivery] = await world.engine.waiters.wait(["dlv_new"], 5)
            assert (delivery.status, delivery.failed_steps) == (Status.SUCCEEDED, 1)

    asyncio.run(run())


def test_an_expired_delivery_is_not_attempted_any_more(given) -> None:
    async def run() -> None:
        store = await shared_store()
        hook = given.hook(given.step("first"), expires=timedelta(seconds=5))
        async with given.world([hook], {"first": ok}, store=store, lead=False) as world:
            accepted = await world.emit()
        async with given.world([replace(hook, enabled=False)], {"first": ok}, store=store) as world:
            pass
        new = NewDelivery("dlv_late", "hook", "lane-first", 0, 1)
        await store.add_delivery("test", accepted.id, new)
        async with given.world([hook], {"first": ok}, store=store) as world:
            [delivery] = await world.engine.waiters.wait(["dlv_late"], 5)
            assert (delivery.status, delivery.reason, delivery.attempts) == (Status.DEAD, "expired", 0)

    asyncio.run(run())


def test_what_an_action_emits_has_the_same_id_when_its_attempt_is_repeated(given) -> None:
    async def run() -> None:
        stored: list[str] = []

        async def emits(call: Any) -> Outcome:
            call.emit("C.D", {"n": 1})
            return Outcome.done(events=[Emission("C.D", {"n": 2})])

        async def notes(call: Any) -> Outcome:
            stored.append(call.event.id)
            return Outcome.done()

        hooks = [given.hook(given.step("emits")), given.hook(given.step("notes"), name="notes", patterns=["C.D"])]
        async with given.world(hooks, {"emits": emits, "notes": notes}) as world:
            delivery = await world.delivered()
            await given.until(lambda: len(stored) == 2)
            # As after a crash between act and record: the attempt is made and recorded once more.
            row = world.store._memory.deliveries[delivery.id]
            world.store._memory.change(row, status=Status.PENDING, results={})
            world.engine.kick()
            await given.until(lambda: len(world.recorded) == 4)
            assert (len(stored), len(set(stored))) == (2, 2)

    asyncio.run(run())


def test_an_attempt_that_fails_emits_nothing(given) -> None:
    async def run() -> None:
        async def emits(call: Any) -> Outcome:
            call.emit("C.D")
            return Outcome.reject("no") if call.attempt == 2 else Outcome.retry("not-yet")

        async with given.world([given.hook(given.step("emits", retry=SOON))], {"emits": emits}) as world:
            delivery = await world.delivered()
            assert (delivery.status, delivery.reason) == (Status.DEAD, "no")
            assert len(world.store._memory.events) == 1

    asyncio.run(run())


def test_limits_belong_to_the_lane_so_that_two_steps_there_are_two_starts(given) -> None:
    async def run() -> None:
        starts: list[float] = []

        async with given.world([], {}) as world:

            async def notes(call: Any) -> Outcome:
                starts.append(world.clock.monotonic())
                return Outcome.done()

            for name in ("first", "second"):
                world.ports.actions[name] = given.action(name, notes)
            world.ports.destinations = {"crm": Destination("crm", rate=20.0)}
            world.ports.router.put(given.hook(given.step("first", lane="crm"), given.step("second", lane="crm")))
            assert (await world.delivered()).status is Status.SUCCEEDED
        assert starts[1] - starts[0] >= 0.045

    asyncio.run(run())


def test_a_graceful_stop_does_not_wait_for_what_its_lane_s_rate_holds_back(given) -> None:
    async def run() -> None:
        async with given.world([given.hook(given.step("first", lane="crm"))], {"first": ok}) as world:
            world.ports.destinations = {"crm": Destination("crm", rate=0.001)}
            await world.delivered()
            accepted = await world.emit()
            await given.until(lambda: world.engine.lanes.figures()["crm"] == (0, 1))
            assert await world.engine.stop(timedelta(hours=1))
            found = (await world.store.delivery(accepted.deliveries[0])).delivery
            assert (found.status, found.attempts) == (Status.PENDING, 0)

    asyncio.run(run())
