"""RULES "Deliveries": hooks that are disabled at run time; their events are held, and go out when they are enabled."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hookrt.clock import SystemClock
from hookrt.delivery.limits import Limits
from hookrt.errors import NotFound, StoreFull, UsageError
from hookrt.model.delivery import Status
from hookrt.model.hook_state import HOOK_DISABLED
from hookrt.model.outcome import Outcome
from hookrt.model.policy import fixed
from hookrt.store.memory.memory import Memory
from hookrt.store.memory.store import MemoryStore

FAST = Limits(poll=timedelta(milliseconds=10))


class Endpoint:
    """What an action sends to: it wants no more while `gone` is a text, and counts what it gets."""

    def __init__(self, gone: str | None = None) -> None:
        self.gone = gone
        self.got: list[Any] = []
        self.calls = 0

    async def __call__(self, call: Any) -> Outcome:
        self.calls += 1
        if self.gone is not None:
            return replace(Outcome.reject("gone", "410 Gone"), disable=self.gone)
        self.got.append(call.event.data)
        return Outcome.done()


async def a_store(memory: Memory | None = None) -> Any:
    store = MemoryStore(SystemClock(), memory)
    await store.open()
    return store


async def statuses(world: Any, *accepted: Any) -> list[tuple[Status, str | None]]:
    found = [await world.store.delivery(one.deliveries[0]) for one in accepted]
    return [(one.delivery.status, one.delivery.reason) for one in found]


HELD = (Status.HELD, HOOK_DISABLED)


def test_while_a_hook_is_disabled_its_events_are_held_and_go_out_when_it_is_enabled(given) -> None:
    async def run() -> None:
        endpoint = Endpoint()
        async with given.world([given.hook(given.step("send"))], {"send": endpoint}) as world:
            assert await world.engine.states.disable("hook", "it hurts")
            accepted = [await world.emit(n) for n in range(3)]
            assert await statuses(world, *accepted) == [HELD] * 3
            assert world.engine.intake.open_deliveries == 0
            assert await world.engine.states.enable("hook")
            for one in accepted:
                [delivery] = await world.ended(one)
                assert delivery.status is Status.SUCCEEDED
            assert sorted(endpoint.got) == [0, 1, 2]
            assert world.log.events.count("hook-disabled") == world.log.events.count("hook-enabled") == 1

    asyncio.run(run())


def test_an_endpoint_that_wants_no_more_disables_its_hook_and_the_delivery_waits_with_the_others(given) -> None:
    async def run() -> None:
        endpoint = Endpoint(gone="it answered 410 Gone")
        async with given.world([given.hook(given.step("send"))], {"send": endpoint}) as world:
            first = await world.emit(1)
            await given.until(lambda: world.engine.states.disabled)
            second = await world.emit(2)
            await given.until(lambda: _is_held(world, first))
            assert await statuses(world, first, second) == [HELD, HELD]
            [attempt] = await world.attempts(first.deliveries[0])
            assert attempt.reason == "gone"
            [state] = await world.store.hook_states.changed()
            assert (state.disabled, state.reason, state.message) == (True, "endpoint", "it answered 410 Gone")
            endpoint.gone = None
            await world.engine.states.enable("hook")
            assert [(await world.ended(one))[0].status for one in (first, second)] == [Status.SUCCEEDED] * 2

    asyncio.run(run())


async def _is_held(world: Any, accepted: Any) -> bool:
    [found] = await statuses(world, accepted)
    return found == HELD


def test_a_success_that_asks_for_an_end_counts_and_what_follows_is_held(given) -> None:
    async def run() -> None:
        async def last(call: Any) -> Outcome:
            return replace(Outcome.done(), disable="webhook-delivery: disable")

        async with given.world([given.hook(given.step("send"))], {"send": last}) as world:
            assert (await world.delivered()).status is Status.SUCCEEDED
            assert (await statuses(world, await world.emit())) == [HELD]

    asyncio.run(run())


def test_what_this_process_has_in_memory_for_a_disabled_hook_is_held_not_sent(given) -> None:
    async def run() -> None:
        begun, finish, calls = asyncio.Event(), asyncio.Event(), []

        async def slow(call: Any) -> Outcome:
            calls.append(call.event.data)
            begun.set()
            await finish.wait()
            return Outcome.done()

        limits = replace(FAST, concurrency=1)
        async with given.world([given.hook(given.step("send"))], {"send": slow}, limits=limits) as world:
            accepted = [await world.emit(n) for n in range(20)]
            await begun.wait()
            await world.engine.states.disable("hook")
            finish.set()
            [first] = await world.ended(accepted[0])
            assert first.status is Status.SUCCEEDED
            for one in accepted[1:]:
                await given.until(lambda one=one: _is_held(world, one))
            assert calls == [0]
            await world.engine.states.enable("hook")
            for one in accepted:
                await world.ended(one)
            assert sorted(calls) == list(range(20))

    asyncio.run(run())


def test_a_restart_keeps_a_hook_disabled_and_a_changed_definition_enables_it(given) -> None:
    async def run() -> None:
        store, endpoint = await a_store(), Endpoint()
        written = given.hook(given.step("send"), definition="one")
        async with given.world([written], {"send": endpoint}, store=store) as world:
            await world.engine.states.disable("hook")
            first = await world.emit(1)
        async with given.world([written], {"send": endpoint}, store=store) as world:
            assert list(world.engine.states.disabled) == ["hook"]
            second = await world.emit(2)
            assert await statuses(world, first, second) == [HELD, HELD]
            assert endpoint.calls == 0
        changed = replace(written, definition="two")
        async with given.world([changed], {"send": endpoint}, store=store) as world:
            assert [(await world.ended(one))[0].status for one in (first, second)] == [Status.SUCCEEDED] * 2
            assert world.engine.states.disabled == {}
            assert sorted(endpoint.got) == [1, 2]

    asyncio.run(run())


def test_a_definition_that_changes_while_it_runs_enables_the_hook(given) -> None:
    async def run() -> None:
        endpoint = Endpoint()
        hook = given.hook(given.step("send"), definition="one")
        async with given.world([hook], {"send": endpoint}) as world:
            await world.engine.states.disable("hook")
            accepted = await world.emit(1)
            world.ports.router.replace("file", [replace(hook, definition="two")])
            assert (await world.ended(accepted))[0].status is Status.SUCCEEDED

    asyncio.run(run())


def test_an_answer_to_an_older_definition_does_not_disable_the_hook(given) -> None:
    async def run() -> None:
        begun, finish = asyncio.Event(), asyncio.Event()

        async def gone(call: Any) -> Outcome:
            begun.set()
            await finish.wait()
            return replace(Outcome.reject("gone"), disable="gone")

        hook = given.hook(given.step("send"), definition="one")
        async with given.world([hook], {"send": gone}) as world:
            accepted = await world.emit()
            await begun.wait()
            world.ports.router.put(replace(hook, definition="two"))
            finish.set()
            assert (await world.ended(accepted))[0].status is Status.DEAD
            assert world.engine.states.disabled == {}

    asyncio.run(run())


def test_what_only_emits_has_its_deliveries_held_and_a_change_it_makes_reaches_who_delivers(given) -> None:
    async def run() -> None:
        memory, endpoint = Memory(), Endpoint()
        hook = given.hook(given.step("send"))
        emits = given.world([hook], {}, store=await a_store(memory), lead=False)
        async with given.world([hook], {"send": endpoint}, store=await a_store(memory)) as leader, emits as emitter:
            await leader.engine.states.disable("hook")
            first = await emitter.emit(1)
            assert await statuses(leader, first) == [HELD]
            assert await emitter.engine.states.enable("hook")
            assert (await leader.ended(first))[0].status is Status.SUCCEEDED
            await given.until(lambda: not leader.engine.states.disabled)
            assert await emitter.engine.states.disable("hook")
            second = await leader.emit(2)
            assert await statuses(leader, second) == [HELD]
            await given.until(lambda: leader.engine.states.disabled)
            assert endpoint.got == [1]

    asyncio.run(run())


def test_with_discard_what_was_held_is_cancelled_and_only_new_events_go_out(given) -> None:
    async def run() -> None:
        endpoint = Endpoint()
        async with given.world([given.hook(given.step("send"))], {"send": endpoint}) as world:
            await world.engine.states.disable("hook")
            old = await world.emit("old")
            await world.engine.states.enable("hook", discard=True)
            assert (await world.delivered("new")).status is Status.SUCCEEDED
            assert await statuses(world, old) == [(Status.CANCELLED, "discarded")]
            assert endpoint.got == ["new"]

    asyncio.run(run())


def test_beyond_the_limit_the_newest_held_ones_are_cancelled_and_after_a_time_all(given) -> None:
    async def run() -> None:
        store = await a_store()
        limits = replace(FAST, held=2, disabled_hook_hold=timedelta(days=30))
        hook = given.hook(given.step("send"))
        async with given.world([hook], {"send": Endpoint()}, store=store, limits=limits) as world:
            await world.engine.states.disable("hook")
            accepted = [await world.emit(n) for n in range(4)]
        async with given.world([hook], {"send": Endpoint()}, store=store, limits=limits) as world:
            await given.until(lambda: "deliveries-cancelled" in world.log.events)
            limited = (Status.CANCELLED, "held-limit")
            assert await statuses(world, *accepted) == [HELD, HELD, limited, limited]
        limits = replace(limits, disabled_hook_hold=timedelta(0))
        async with given.world([hook], {"send": Endpoint()}, store=store, limits=limits) as world:
            await given.until(lambda: "deliveries-cancelled" in world.log.events)
            assert await statuses(world, *accepted[:2]) == [(Status.CANCELLED, HOOK_DISABLED)] * 2

    asyncio.run(run())


def test_a_waiting_delivery_is_held_too_and_tried_again_at_once_when_its_hook_is_enabled(given) -> None:
    async def run() -> None:
        outcomes = [Outcome.retry("status"), Outcome.done()]

        async def send(call: Any) -> Outcome:
            return outcomes.pop(0)

        hook = given.hook(given.step("send", retry=fixed(timedelta(hours=1), 5)))
        async with given.world([hook], {"send": send}) as world:
            accepted = await world.emit()
            await given.until(lambda: len(outcomes) == 1)
            await given.until(lambda: _waits(world, accepted))
            await world.engine.states.disable("hook")
            await given.until(lambda: _is_held(world, accepted))
            await world.engine.states.enable("hook")
            [delivery] = await world.ended(accepted)
            assert (delivery.status, delivery.attempts) == (Status.SUCCEEDED, 2)

    asyncio.run(run())


async def _waits(world: Any, accepted: Any) -> bool:
    return (await statuses(world, accepted))[0][0] is Status.WAITING


def test_switching_what_is_not_there_or_off_in_the_file_says_so_and_a_second_time_changes_nothing(given) -> None:
    async def run() -> None:
        off = given.hook(given.step("send"), name="off", enabled=False)
        async with given.world([given.hook(given.step("send")), off], {"send": Endpoint()}) as world:
            states = world.engine.states
            for switch in (states.disable, states.enable):
                with pytest.raises(NotFound, match="no hook is named 'none'"):
                    await switch("none")
                with pytest.raises(UsageError, match="enabled: false"):
                    await switch("off")
            assert not await states.enable("hook")
            assert await states.disable("hook", "first")
            assert not await states.disable("hook", "second")
            [state] = await world.store.hook_states.changed()
            assert state.message == "first"

    asyncio.run(run())


def test_a_store_that_fails_meanwhile_is_asked_until_the_hook_is_disabled(given) -> None:
    async def run() -> None:
        store = await a_store()
        states, failures = store.hook_states, [StoreFull("no space"), StoreFull("no space")]
        change = states.change

        async def fail_first(*arguments: Any) -> Any:
            if failures:
                raise failures.pop()
            return await change(*arguments)

        states.change = fail_first
        endpoint = Endpoint(gone="410")
        async with given.world([given.hook(given.step("send"))], {"send": endpoint}, store=store) as world:
            accepted = await world.emit()
            await given.until(lambda: "hook-not-disabled" in world.log.events)
            world.clock.ahead = 10
            await given.until(lambda: not failures)
            world.clock.ahead = 20
            await given.until(lambda: _is_held(world, accepted))
            assert endpoint.calls == 1

    asyncio.run(run())


def test_an_older_change_that_is_learned_late_does_not_undo_a_newer_one(given) -> None:
    async def run() -> None:
        store = await a_store()
        states, gate = store.hook_states, asyncio.Event()
        changed = states.changed

        async def read_then_wait(after_version: int = 0) -> Any:
            found = await changed(after_version)
            if found:
                await gate.wait()
            return found

        async with given.world([given.hook(given.step("send"))], {"send": Endpoint()}, store=store) as world:
            await world.engine.states.disable("hook")
            await world.engine.states.enable("hook")
            states.changed = read_then_wait
            late = asyncio.ensure_future(world.engine.states.refresh())
            await asyncio.sleep(0)
            states.changed = changed
            await world.engine.states.disable("hook", "again")
            gate.set()
            await late
            assert world.engine.states.disabled["hook"].message == "again"

    asyncio.run(run())
