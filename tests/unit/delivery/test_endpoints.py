"""RULES "Lanes": breakers, rests and rates; a refusal postpones and spends no attempt, and disturbs nobody else."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from hookrt.delivery.limits import Limits
from hookrt.model.breaker_policy import BreakerPolicy
from hookrt.model.delivery import Status
from hookrt.model.hook import Destination
from hookrt.model.outcome import Outcome
from hookrt.model.policy import NO_RETRY, RetryPolicy, fixed

LATER = fixed(timedelta(hours=1), 10)
TRIPS = BreakerPolicy(failures=2, pause=timedelta(seconds=30))
BUSY = Outcome.retry("status", "the answer was 429")


def crm(**limits: Any) -> dict[str, Destination]:
    return {"crm": Destination("crm", **{"breaker": TRIPS, **limits})}


class Endpoint:
    """An action whose attempts fail for a reason until it is told otherwise."""

    def __init__(self, outcome: Outcome | None = None) -> None:
        self.outcome = outcome
        self.started: list[Any] = []

    async def run(self, call: Any) -> Outcome:
        self.started.append(call.event.data)
        await asyncio.sleep(0)
        return self.outcome or Outcome.done()


REFUSED = Outcome.retry("refused", "the connection was refused")


async def in_store(world: Any, accepted: Any) -> Any:
    return (await world.store.delivery(accepted.deliveries[0])).delivery


async def waiting(given: Any, world: Any, accepted: Any) -> Any:
    async def is_waiting() -> bool:
        return (await in_store(world, accepted)).status is Status.WAITING

    await given.until(is_waiting)
    return await in_store(world, accepted)


async def opened(given: Any, world: Any) -> list[Any]:
    """Two failures, after which the breaker of `crm` is open."""
    accepted = [await world.emit(n) for n in range(2)]
    await given.until(lambda: world.engine.gates.states()["crm"] == "open")
    await given.until(lambda: len(world.recorded) == 2)
    return accepted


@asynccontextmanager
async def broken(given: Any, *, retry: RetryPolicy = LATER, **hook: Any) -> AsyncIterator[tuple[Any, Endpoint]]:
    """A world whose one hook sends to `crm`, the breaker of which is open; and the endpoint there."""
    endpoint = Endpoint(REFUSED)
    hooks = [given.hook(given.step("send", lane="crm", retry=retry), **hook)]
    async with given.world(hooks, {"send": endpoint.run}) as world:
        world.ports.destinations = crm()
        await opened(given, world)
        yield world, endpoint


def test_an_open_breaker_postpones_and_spends_no_attempt(given) -> None:
    async def run() -> None:
        async with broken(given, retry=NO_RETRY) as (world, endpoint):
            later = [await world.emit() for _ in range(20)]
            found = [await waiting(given, world, one) for one in later]
            assert {(one.reason, one.attempts, one.step_attempts) for one in found} == {("breaker-open", 0, 0)}
            assert all(one.due_us > world.store.now_us() + 20_000_000 for one in found)
            spread = sorted(one.due_us for one in found)
            assert spread[-1] - spread[0] > 5_000_000, "they don't come back all at once"
            assert len(endpoint.started) == 2
            assert world.log.events.count("breaker-open") == 1, "one line for the change, none for each delivery"

    asyncio.run(run())


def test_half_open_lets_one_probe_through_and_its_success_lets_all_follow(given) -> None:
    async def run() -> None:
        async with broken(given) as (world, endpoint):
            later = [await world.emit(f"later {n}") for n in range(10)]
            for one in later:
                await waiting(given, world, one)
            world.clock.ahead += 60
            await given.until(lambda: len(endpoint.started) == 3)
            await given.until(lambda: world.engine.gates.states()["crm"] == "open")
            await given.until(lambda: len(world.recorded) == 3)
            [probe] = [one for one in later if (await in_store(world, one)).attempts]
            endpoint.outcome = None
            world.clock.ahead += 120
            for one in later:
                if one is not probe:
                    [delivery] = await world.ended(one)
                    assert (delivery.status, delivery.attempts) == (Status.SUCCEEDED, 1)
            assert world.engine.gates.states() == {"crm": "closed"}
            failed = await in_store(world, probe)
            assert (failed.reason, failed.attempts) == ("refused", 1), "the probe was an attempt, as any"

    asyncio.run(run())


def test_a_lane_whose_breaker_is_open_does_not_disturb_the_others_nor_hold_their_memory(given) -> None:
    async def run() -> None:
        bad, good = Endpoint(REFUSED), Endpoint()
        hooks = [
            given.hook(given.step("bad", lane="crm", retry=LATER)),
            given.hook(given.step("good", lane="shop"), name="other", patterns=["C.D"]),
        ]
        limits = Limits(poll=timedelta(milliseconds=10), in_flight=20)
        async with given.world(hooks, {"bad": bad.run, "good": good.run}, limits=limits) as world:
            world.ports.destinations = crm()
            await opened(given, world)
            for number in range(300):
                await world.emit(number)
            for number in range(50):
                [delivery] = await world.ended(await world.emit(number, type="C.D"))
                assert delivery.status is Status.SUCCEEDED
            await given.until(lambda: world.engine.lanes.jobs == 0)
            assert len(bad.started) == 2

    asyncio.run(run())


def test_what_is_in_the_store_already_waits_there_untouched_while_the_breaker_is_open(given) -> None:
    async def run() -> None:
        async with broken(given) as (world, endpoint):
            first = await world.emit()
            postponed = await waiting(given, world, first)
            assert await world.store.retry_now(postponed.id)
            world.engine.kick()
            assert (await in_store(world, await world.emit("another"))).id != postponed.id
            await given.until(lambda: world.engine.lanes.jobs == 0)
            found = await in_store(world, first)
            assert (found.status, found.reason, found.attempts) == (Status.WAITING, "breaker-open", 0)
            assert len(endpoint.started) == 2, "pulling it forward does not get it past the breaker"

    asyncio.run(run())


@pytest.mark.parametrize("reason", ["blocked-address", "template", "bad-request", "exception", "bad-output", "gone"])
def test_what_says_nothing_about_the_endpoint_opens_no_breaker(given, reason: str) -> None:
    async def run() -> None:
        endpoint = Endpoint(Outcome.reject(reason))
        async with given.world([given.hook(given.step("send", lane="crm"))], {"send": endpoint.run}) as world:
            world.ports.destinations = crm()
            for _ in range(10):
                assert (await world.delivered()).reason == reason
            assert world.engine.gates.states() == {"crm": "closed"}

    asyncio.run(run())


def test_a_breaker_that_is_off_never_opens(given) -> None:
    async def run() -> None:
        endpoint = Endpoint(REFUSED)
        async with given.world([given.hook(given.step("send", lane="crm"))], {"send": endpoint.run}) as world:
            world.ports.destinations = crm(breaker=None)
            for _ in range(50):
                assert (await world.delivered()).attempts == 1
            assert world.engine.gates.states() == {}

    asyncio.run(run())


def test_a_breaker_that_opens_is_an_event_but_not_when_such_an_event_led_to_it(given) -> None:
    async def run() -> None:
        endpoint, told = Endpoint(REFUSED), Endpoint()
        listener = given.hook(given.step("told"), name="listener", patterns=["hookrt.breaker.opened"])
        failing = given.hook(given.step("send", lane="crm"), patterns=["A.B", "hookrt.breaker.opened"])
        async with given.world([failing, listener], {"send": endpoint.run, "told": told.run}) as world:
            world.ports.destinations = {**crm(), "shop": Destination("shop", breaker=TRIPS)}
            await world.emit()
            await world.emit()
            await given.until(lambda: told.started)
            assert told.started[0]["lane"] == "crm"
            assert told.started[0]["reason"] == "refused"
            world.ports.router.put(
                given.hook(given.step("send", lane="shop"), name="loop", patterns=["hookrt.breaker.opened"])
            )
            for _ in range(3):
                world.engine.announcer.announce("hookrt.breaker.opened", {"lane": "any"})
            await given.until(lambda: world.engine.gates.states().get("shop") == "open")
            await given.until(lambda: len(told.started) == 4)
            await given.until(lambda: world.engine.lanes.jobs == 0)
            assert [one["lane"] for one in told.started] == ["crm", "any", "any", "any"]

    asyncio.run(run())


def test_a_postponed_delivery_still_ends_when_it_expires(given) -> None:
    async def run() -> None:
        async with broken(given, expires=timedelta(seconds=10)) as (world, _):
            accepted = await world.emit()
            found = await waiting(given, world, accepted)
            assert found.due_us == found.expires_us
            world.clock.ahead += 60
            [delivery] = await world.ended(accepted)
            assert (delivery.status, delivery.reason, delivery.attempts) == (Status.DEAD, "expired", 0)

    asyncio.run(run())


def test_with_an_endpoint_that_comes_and_goes_all_arrive_and_only_real_attempts_are_spent(given) -> None:
    async def run() -> None:
        chance, starts = random.Random(3), 0

        async def moody(call: Any) -> Outcome:
            nonlocal starts
            starts += 1
            await asyncio.sleep(chance.random() / 500)
            mood = chance.random()
            if mood < 0.1:
                return resting(0.01)
            return REFUSED if mood < 0.6 else Outcome.done()

        hook = given.hook(given.step("send", lane="crm", retry=fixed(timedelta(milliseconds=5), 1000)))
        async with given.world([hook], {"send": moody}) as world:
            quick = BreakerPolicy(3, pause=timedelta(milliseconds=10), max_pause=timedelta(milliseconds=20))
            world.ports.destinations = crm(breaker=quick, concurrency=8)
            accepted = [await world.emit(n) for n in range(150)]
            world.engine.kick()
            attempts = 0
            for one in accepted:
                [delivery] = await world.ended(one, 30)
                assert delivery.status is Status.SUCCEEDED
                attempts += delivery.attempts
                assert len(await world.attempts(delivery.id)) == delivery.attempts
            assert attempts == starts
            assert world.log.events.count("breaker-half-open") > 0

    asyncio.run(run())


def resting(seconds: float) -> Outcome:
    return Outcome(BUSY.kind, BUSY.reason, BUSY.message, slow_down=timedelta(seconds=seconds))


def test_429_slows_the_whole_lane_down_not_only_the_one_delivery(given) -> None:
    async def run() -> None:
        busy, other = Endpoint(resting(3)), Endpoint()
        hooks = [
            given.hook(given.step("busy", lane="crm", retry=LATER)),
            given.hook(given.step("other", lane="shop"), name="other", patterns=["C.D"]),
        ]
        async with given.world(hooks, {"busy": busy.run, "other": other.run}) as world:
            world.ports.destinations = crm(concurrency=1)
            await waiting(given, world, await world.emit("first"))
            busy.outcome = None
            others = [await world.emit(n) for n in range(5)]
            assert (await world.delivered(type="C.D")).status is Status.SUCCEEDED
            assert busy.started == ["first"]
            assert world.engine.lanes.figures()["crm"] == (0, 1), "in memory waits what can run at once"
            world.clock.ahead += 3
            for one in others:
                [delivery] = await world.ended(one)
                assert (delivery.status, delivery.attempts) == (Status.SUCCEEDED, 1)
            assert busy.started == ["first", 0, 1, 2, 3, 4], "in the order in which they came"
            assert world.log.events.count("lane-rests") == 1

    asyncio.run(run())


def test_a_long_rest_is_waited_for_in_the_store(given) -> None:
    async def run() -> None:
        busy = Endpoint(resting(600))
        async with given.world([given.hook(given.step("busy", lane="crm", retry=LATER))], {"busy": busy.run}) as world:
            world.ports.destinations = crm()
            await waiting(given, world, await world.emit("first"))
            busy.outcome = None
            others = [await world.emit(n) for n in range(40)]
            for one in others:
                found = await waiting(given, world, one)
                assert (found.reason, found.attempts) == ("lane-resting", 0)
                assert found.due_us > world.store.now_us() + 590_000_000
            assert world.engine.lanes.jobs == 0
            world.clock.ahead += 700
            for one in others:
                assert (await world.ended(one))[0].status is Status.SUCCEEDED

    asyncio.run(run())


def test_a_graceful_stop_during_a_rest_is_not_delayed(given) -> None:
    async def run() -> None:
        busy = Endpoint(resting(4))
        async with given.world([given.hook(given.step("busy", lane="crm", retry=LATER))], {"busy": busy.run}) as world:
            world.ports.destinations = crm()
            await waiting(given, world, await world.emit("first"))
            accepted = [await world.emit(n) for n in range(3)]
            await given.until(lambda: world.engine.lanes.figures()["crm"] == (0, 3))
            assert await world.engine.stop(timedelta(hours=1))
            for one in accepted:
                found = await in_store(world, one)
                assert (found.status, found.attempts) == (Status.PENDING, 0), "nobody waited for the rest's end"

    asyncio.run(run())


def test_lanes_that_live_pick_up_changed_limits(given) -> None:
    async def run() -> None:
        endpoint = Endpoint()
        async with given.world([given.hook(given.step("send", lane="crm"))], {"send": endpoint.run}) as world:
            world.ports.destinations = crm(rate=0.001)
            await world.delivered()
            accepted = await world.emit()
            await given.until(lambda: world.engine.lanes.figures()["crm"] == (0, 1))
            world.ports.destinations = crm(rate=1000.0)
            world.engine.lanes.refresh()
            world.clock.ahead += 6  # who waits looks now and then
            assert (await world.ended(accepted))[0].status is Status.SUCCEEDED

    asyncio.run(run())
