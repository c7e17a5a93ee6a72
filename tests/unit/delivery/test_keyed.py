"""RULES "Deliveries", `order`, `dedupe`, `debounce`, `throttle`: what the engine makes of events of one key."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hookrt.delivery.limits import Limits
from hookrt.errors import ExpressionError
from hookrt.model.delivery import Status
from hookrt.model.event import EventDraft, encode_data
from hookrt.model.hook import Debounce, Dedupe, Keyed, Order, Throttle
from hookrt.model.outcome import Outcome
from hookrt.model.policy import fixed

SLOW_POLL = Limits(poll=timedelta(seconds=30))


class By:
    """A key: the field `key` of the data."""

    text = "event.data.key"

    def of(self, scope: Any) -> str:
        key = scope.event.data.get("key")
        if key is None:
            raise ExpressionError("event.data.key is missing")
        return str(key)


class Endpoint:
    """Notes what arrives, and whether two of one key are ever there at once; fails as often as it is told."""

    def __init__(self, failures: dict[int, int] | None = None) -> None:
        self.failures = failures or {}
        self.begun: list[int] = []
        self.present: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, call: Any) -> Outcome:
        key, n = call.event.data["key"], call.event.data["n"]
        assert key not in self.present
        self.present.add(key)
        self.begun.append(n)
        await self.gate.wait()
        await asyncio.sleep(0)
        self.present.discard(key)
        if self.failures.get(n, 0) > 0:
            self.failures[n] -= 1
            return Outcome.retry("status", "not yet")
        return Outcome.done()


def drafts(count: int, key: str = "k") -> list[EventDraft]:
    return [EventDraft("A.B", encode_data({"key": key, "n": n})) for n in range(count)]


def ordered(given: Any, *, skip: bool = False, wait: timedelta = timedelta(milliseconds=30)) -> Any:
    step = given.step("first", retry=fixed(wait, 5, 0.0))
    return given.hook(step, keyed=Keyed(order=Order(By(), skip=skip)))


def test_deliveries_of_one_key_run_one_at_a_time_in_the_order_of_commit_and_promptly(given) -> None:
    async def run() -> None:
        endpoint = Endpoint()
        async with given.world([ordered(given)], {"first": endpoint}, limits=SLOW_POLL) as world:
            batch = await world.engine.intake.accept_all(drafts(20), "test")
            single = [await world.engine.intake.accept(draft, "test") for draft in drafts(5)]
            for accepted in (*batch, *single):
                [delivery] = await world.ended(accepted)
                assert (delivery.status, delivery.order_key) == (Status.SUCCEEDED, "k")
            assert endpoint.begun == [*range(20), *range(5)]

    asyncio.run(run())


def test_events_that_come_at_the_same_time_are_never_two_at_once_and_keys_do_not_wait_for_each_other(given) -> None:
    async def run() -> None:
        endpoint = Endpoint()
        async with given.world([ordered(given)], {"first": endpoint}, limits=SLOW_POLL) as world:
            endpoint.gate.clear()
            saves = [world.emit({"key": key, "n": n}) for n in range(5) for key in "abc"]
            accepted = await asyncio.gather(*saves)
            await given.until(lambda: endpoint.present == {"a", "b", "c"})
            endpoint.gate.set()
            for one in accepted:
                assert (await world.ended(one))[0].status is Status.SUCCEEDED
            assert sorted(endpoint.begun) == sorted([*range(5)] * 3)

    asyncio.run(run())


def test_a_failing_head_holds_its_key_back_until_it_is_dead(given) -> None:
    async def run() -> None:
        endpoint = Endpoint({0: 99, 2: 1})
        async with given.world([ordered(given)], {"first": endpoint}) as world:
            batch = await world.engine.intake.accept_all(drafts(4), "test")
            statuses = [(await world.ended(one))[0].status for one in batch]
            assert statuses == [Status.DEAD, *[Status.SUCCEEDED] * 3]
            assert endpoint.begun == [0, 0, 0, 0, 0, 1, 2, 2, 3]

    asyncio.run(run())


def test_with_skip_others_pass_while_the_head_waits_for_a_retry(given) -> None:
    async def run() -> None:
        endpoint = Endpoint({0: 1})
        hook = ordered(given, skip=True, wait=timedelta(milliseconds=400))
        async with given.world([hook], {"first": endpoint}) as world:
            batch = await world.engine.intake.accept_all(drafts(4), "test")
            for one in batch:
                assert (await world.ended(one))[0].status is Status.SUCCEEDED
            assert endpoint.begun == [0, 1, 2, 3, 0]

    asyncio.run(run())


def test_a_cancelled_head_frees_its_key(given) -> None:
    async def run() -> None:
        endpoint = Endpoint({0: 99})
        hook = ordered(given, wait=timedelta(seconds=60))
        async with given.world([hook], {"first": endpoint}) as world:
            first, second = await world.engine.intake.accept_all(drafts(2), "test")
            await given.until(lambda: world.recorded)
            assert await world.store.ahead_of(second.deliveries[0]) == first.deliveries[0]
            await world.store.cancel(first.deliveries[0], "by hand")
            world.engine.kick()
            assert (await world.ended(second))[0].status is Status.SUCCEEDED

    asyncio.run(run())


def test_an_event_without_a_key_is_delivered_counted_and_logged(given) -> None:
    async def run() -> None:
        async def ok(call: Any) -> Outcome:
            return Outcome.done()

        keyed = Keyed(order=Order(By()), dedupe=Dedupe(By(), timedelta(hours=1)))
        async with given.world([given.hook(given.step("first"), keyed=keyed)], {"first": ok}) as world:
            missing: list[tuple[str, str]] = []
            world.ports.observer.key_missing = lambda hook, rule: missing.append((hook, rule))  # type: ignore[method-assign]
            for _ in range(2):
                delivery = await world.delivered({})
                assert (delivery.status, delivery.order_key) == (Status.SUCCEEDED, None)
            assert missing == [("hook", "order"), ("hook", "dedupe")] * 2
            assert world.log.events.count("no-key") == 4

    asyncio.run(run())


@pytest.mark.parametrize(
    ("keyed", "reason"),
    [
        (Keyed(dedupe=Dedupe(By(), timedelta(hours=1))), "dedupe"),
        (Keyed(throttle=Throttle(By(), timedelta(hours=1))), "throttle"),
    ],
)
def test_what_a_window_drops_is_a_cancelled_delivery_and_counts_as_ended(given, keyed, reason) -> None:
    async def run() -> None:
        endpoint = Endpoint()
        hook = given.hook(given.step("first"), keyed=keyed)
        async with given.world([hook], {"first": endpoint}, limits=SLOW_POLL) as world:
            dropped: list[tuple[str, str]] = []
            world.ports.observer.delivery_dropped = lambda hook, reason: dropped.append((hook, reason))  # type: ignore[method-assign]
            batch = await world.engine.intake.accept_all(drafts(3), "test")
            ends = [(await world.ended(one))[0] for one in batch]
            assert [one.status for one in ends] == [Status.SUCCEEDED, Status.CANCELLED, Status.CANCELLED]
            assert [one.reason for one in ends] == [None, reason, reason]
            assert endpoint.begun == [0]
            assert dropped == [("hook", reason)] * 2
            assert world.engine.intake.open_deliveries == 0

    asyncio.run(run())


def test_of_a_burst_the_last_is_delivered(given) -> None:
    async def run() -> None:
        endpoint = Endpoint()
        keyed = Keyed(debounce=Debounce(By(), timedelta(milliseconds=100)))
        async with given.world([given.hook(given.step("first"), keyed=keyed)], {"first": endpoint}) as world:
            batch = await world.engine.intake.accept_all(drafts(4), "test")
            ends = [(await world.ended(one))[0] for one in batch]
            assert [one.status for one in ends] == [*[Status.CANCELLED] * 3, Status.SUCCEEDED]
            assert {one.reason for one in ends[:3]} == {"debounce"}
            assert endpoint.begun == [3]
            [attempt] = await world.attempts(ends[3].id)
            assert attempt.started_us >= ends[3].created_us + 100_000

    asyncio.run(run())


def test_what_a_step_emits_goes_by_keys_too(given) -> None:
    async def run() -> None:
        async def emits(call: Any) -> Outcome:
            from hookrt.model.outcome import Emission

            return Outcome.done(events=[Emission("C.D", {"key": "k", "n": n}) for n in range(3)])

        endpoint = Endpoint()
        last = given.hook(given.step("last"), name="last", patterns=("C.D",), keyed=Keyed(order=Order(By())))
        hooks = [given.hook(given.step("first")), last]
        async with given.world(hooks, {"first": emits, "last": endpoint}, limits=SLOW_POLL) as world:
            await world.delivered({})
            await given.until(lambda: endpoint.begun == [0, 1, 2])

    asyncio.run(run())


def test_a_keyed_delivery_is_never_handed_over_in_memory(given) -> None:
    async def run() -> None:
        hooks = [ordered(given), given.hook(given.step("second"), name="free")]
        async with given.world(hooks, {"first": Endpoint(), "second": Endpoint()}, limits=SLOW_POLL) as world:
            accepted = await world.emit({"key": "k", "n": 1})
            found = {one.hook: one.status for one in (await world.store.event("test", accepted.id)).deliveries}
            assert found == {"hook": Status.PENDING, "free": Status.RUNNING}
            assert world.engine.lanes.jobs == 1

    asyncio.run(run())
