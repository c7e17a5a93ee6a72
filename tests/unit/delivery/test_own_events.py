"""What happens to hookrt itself is an event like any other, and never causes itself in a loop."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hookrt.model.delivery import Status
from hookrt.model.outcome import Emission, Outcome
from hookrt.store.contract import EventQuery


class Watch:
    """Keeps the events that it gets."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    async def __call__(self, call: Any) -> Outcome:
        self.got.append(call.event)
        return Outcome.done()


async def reject(call: Any) -> Outcome:
    return Outcome.reject("status", "the endpoint answered 500")


async def types(world: Any) -> list[str]:
    return sorted({event.event.type for event in (await world.store.events(EventQuery())).items})


def hooks(given: Any, *listening: str) -> Sequence[Any]:
    watching = given.hook(given.step("watch"), name="watch", patterns=listening)
    return [given.hook(given.step("send")), watching]


def test_a_dead_delivery_is_an_event_with_what_an_operator_wants_to_know(given) -> None:
    async def run() -> None:
        watch = Watch()
        actions = {"send": reject, "watch": watch}
        async with given.world(hooks(given, "hookrt.delivery.dead"), actions) as world:
            dead = await world.delivered({"n": 1}, id="e1", subject="about")
            await given.until(lambda: watch.got)
            [event] = watch.got
            assert (event.type, event.source, event.cause) == ("hookrt.delivery.dead", "hookrt", dead.id)
            times = [event.data.pop("created"), event.data.pop("died"), event.data["event"].pop("time")]
            assert all(time.endswith("Z") for time in times)
            assert event.data == {
                "delivery": dead.id,
                "hook": "hook",
                "event": {"id": "e1", "type": "A.B", "source": "test", "subject": "about"},
                "reason": "status",
                "message": "the endpoint answered 500",
                "step": "send",
                "attempts": 1,
                "failed_steps": 0,
                "replay_of": None,
            }

    asyncio.run(run())


def test_a_dead_delivery_that_no_hook_listens_for_is_not_stored_as_an_event(given) -> None:
    async def run() -> None:
        for listening in ("hookrt.hook.*", "A.B", "**"):
            watch = Watch()
            async with given.world(hooks(given, listening), {"send": reject, "watch": watch}) as world:
                for one in await world.ended(await world.emit()):
                    assert one.status in {Status.DEAD, Status.SUCCEEDED}
                assert await types(world) == ["A.B"]

    asyncio.run(run())


def test_a_dead_delivery_of_an_own_event_announces_nothing(given) -> None:
    async def run() -> None:
        async with given.world(hooks(given, "hookrt.**"), {"send": reject, "watch": reject}) as world:
            await world.delivered()
            await given.until(lambda: len(world.recorded) == 2)
            assert [one.status for one in world.recorded] == [Status.DEAD, Status.DEAD]
            page = await world.store.events(EventQuery(type="hookrt.delivery.dead"))
            assert len(page.items) == 1

    asyncio.run(run())


def test_a_death_that_an_own_event_led_to_by_what_a_step_emitted_announces_nothing(given) -> None:
    async def run() -> None:
        async def alert(call: Any) -> Outcome:
            return Outcome.done(events=[Emission("Alert")])

        alerting = given.hook(given.step("alert"), name="alert", patterns=["hookrt.**"])
        failing = given.hook(given.step("send"), patterns=["A.B", "Alert"])
        async with given.world([alerting, failing], {"send": reject, "alert": alert}) as world:
            await world.delivered()
            await given.until(lambda: len(world.recorded) == 3)
            assert [one.hook for one in world.recorded] == ["hook", "alert", "hook"]
            assert len((await world.store.events(EventQuery(type="hookrt.delivery.dead"))).items) == 1

    asyncio.run(run())


def test_the_death_of_what_a_step_emitted_is_told(given) -> None:
    async def run() -> None:
        async def emit(call: Any) -> Outcome:
            return Outcome.done(events=[Emission("Alert")])

        watch = Watch()
        made = [
            given.hook(given.step("emit"), name="emit"),
            given.hook(given.step("send"), patterns=["Alert"]),
            given.hook(given.step("watch"), name="watch", patterns=["hookrt.delivery.dead"]),
        ]
        async with given.world(made, {"emit": emit, "send": reject, "watch": watch}) as world:
            await world.emit()
            await given.until(lambda: watch.got)
            assert watch.got[0].data["event"]["type"] == "Alert"

    asyncio.run(run())


def test_a_hook_that_is_disabled_or_enabled_is_an_event_stored_in_any_case(given) -> None:
    async def run() -> None:
        watch = Watch()
        actions = {"send": reject, "watch": watch}
        async with given.world(hooks(given, "hookrt.hook.*"), actions) as world:
            await world.engine.states.disable("hook", "it hurts")
            await world.emit()
            await world.engine.states.enable("hook")
            await given.until(lambda: len(watch.got) == 2)
            disabled, enabled = sorted(watch.got, key=lambda event: event.time)
            assert (disabled.type, enabled.type) == ("hookrt.hook.disabled", "hookrt.hook.enabled")
            assert disabled.data.pop("since").endswith("Z")
            assert disabled.data == {
                "hook": "hook", "reason": "by-hand", "message": "it hurts", "last_success": None,
                "last_failure": None, "pending": 0, "held": 0,
            }  # fmt: skip
            assert (enabled.data["reason"], enabled.data["held"]) == ("by-hand", 1)
        async with given.world([given.hook(given.step("send"))], actions) as world:
            await world.engine.states.disable("hook")
            assert await types(world) == ["hookrt.hook.disabled"]

    asyncio.run(run())


def test_a_hook_on_own_events_that_is_itself_disabled_causes_no_loop(given) -> None:
    async def run() -> None:
        async def gone(call: Any) -> Outcome:
            return replace(Outcome.reject("gone"), disable="410")

        async with given.world(hooks(given, "hookrt.**"), {"send": reject, "watch": gone}) as world:
            await world.delivered()
            await given.until(lambda: "watch" in world.engine.states.disabled)
            await given.until(lambda: _all_rest(world))
            assert await types(world) == ["A.B", "hookrt.delivery.dead", "hookrt.hook.disabled"]
            assert len((await world.store.events(EventQuery())).items) == 3

    asyncio.run(run())


async def _all_rest(world: Any) -> bool:
    counts = await world.store.counts()
    return counts[Status.HELD] == 2 and not counts[Status.RUNNING] + counts[Status.PENDING]
