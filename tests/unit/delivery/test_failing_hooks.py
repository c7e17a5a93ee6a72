"""A hook that fails for long without a success is disabled."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hookrt.delivery.limits import Limits
from hookrt.model.delivery import Status
from hookrt.model.outcome import Outcome
from hookrt.store.memory.memory import Memory
from hookrt.store.memory.store import MemoryStore

DAY_S = 86_400.0
LIMITS = Limits(poll=timedelta(milliseconds=10), disable_after=timedelta(days=5))


class Endpoint:
    """Fails as long as it is told to."""

    def __init__(self) -> None:
        self.fails = True

    async def __call__(self, call: Any) -> Outcome:
        return Outcome.reject("status", "500") if self.fails else Outcome.done()


def scenario(given: Any, run: Any, limits: Limits = LIMITS) -> None:
    async def begin() -> None:
        endpoint = Endpoint()
        hook = given.hook(given.step("send"))
        async with given.world([hook], {"send": endpoint}, limits=limits) as world:
            await run(world, endpoint)

    asyncio.run(begin())


def test_after_five_days_of_failures_without_a_success_a_hook_is_disabled(given) -> None:
    async def run(world: Any, endpoint: Endpoint) -> None:
        await world.delivered()
        world.clock.ahead = 4.9 * DAY_S
        await world.delivered()
        assert not world.engine.states.disabled
        world.clock.ahead = 5 * DAY_S + 1
        assert (await world.delivered()).status is Status.DEAD
        await given.until(lambda: "hook-disabled" in world.log.events)
        [state] = await world.store.hook_states.changed()
        assert state.reason == "failing"
        assert state.message.startswith("it has failed since 20")
        held = await world.emit()
        [found] = [await world.store.delivery(one) for one in held.deliveries]
        assert found.delivery.status is Status.HELD

    scenario(given, run)


def test_a_success_begins_the_five_days_anew(given) -> None:
    async def run(world: Any, endpoint: Endpoint) -> None:
        await world.delivered()
        world.clock.ahead = 4 * DAY_S
        endpoint.fails = False
        await world.delivered()
        endpoint.fails = True
        world.clock.ahead = 6 * DAY_S
        await world.delivered()
        assert not world.engine.states.disabled
        assert list(world.engine.states.streaks.failing) == ["hook"]

    scenario(given, run)


def test_a_hook_that_was_enabled_again_has_five_days_from_then(given) -> None:
    async def run(world: Any, endpoint: Endpoint) -> None:
        await world.delivered()
        world.clock.ahead = 6 * DAY_S
        await world.delivered()
        await given.until(lambda: "hook-disabled" in world.log.events)
        await world.engine.states.enable("hook")
        await world.delivered()
        await world.engine.states.refresh()  # it learns of its own change once more
        world.clock.ahead = 10 * DAY_S
        await world.delivered()
        assert not world.engine.states.disabled
        world.clock.ahead = 12 * DAY_S
        await world.delivered()
        await given.until(lambda: world.log.events.count("hook-disabled") == 2)

    scenario(given, run)


def test_with_off_nothing_is_disabled_for_failing(given) -> None:
    async def run(world: Any, endpoint: Endpoint) -> None:
        await world.delivered()
        world.clock.ahead = 50 * DAY_S
        await world.delivered()
        assert not world.engine.states.disabled
        assert not world.engine.states.streaks.failing

    scenario(given, run, replace(LIMITS, disable_after=None))


def test_failures_before_a_restart_count_and_those_before_it_was_enabled_do_not(given) -> None:
    async def run() -> None:
        memory, endpoint = Memory(), Endpoint()
        hook = given.hook(given.step("send"))
        clocks: list[Any] = []

        class At:
            """The running clock of the present world, from which the store takes its time."""

            def now_us(self) -> int:
                return clocks[-1].now_us() if clocks else 0

        store: Any = MemoryStore(At(), memory)
        await store.open()

        def world() -> Any:
            return given.world([hook], {"send": endpoint}, store=store, limits=LIMITS)

        async with world() as first:
            clocks.append(first.clock)
            await first.delivered()
        async with world() as second:
            clocks.append(second.clock)
            second.clock.ahead = 5 * DAY_S + 3_600
            await second.delivered()
            await given.until(lambda: "hook-disabled" in second.log.events)
            await second.engine.states.enable("hook")
        async with world() as third:
            third.clock.ahead = 6 * DAY_S
            clocks.append(third.clock)
            await third.delivered()
            await given.until(lambda: third.engine.states.streaks.failing)
            assert not third.engine.states.disabled

    asyncio.run(run())
