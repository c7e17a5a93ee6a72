"""RULES "Deliveries", "The file": one event through the engine, on the memory store."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hookrt.delivery.limits import Limits
from hookrt.errors import EventConflict, EventError, ExpressionError, Overloaded
from hookrt.model.delivery import Status, StepStatus
from hookrt.model.outcome import Outcome
from hookrt.model.policy import fixed, listed
from hookrt.plugin.protocols import HttpError

FAST = Limits(poll=timedelta(milliseconds=10))


async def ok(call: Any) -> Outcome:
    return Outcome.done({"seen": call.event.data})


class Says:
    """A condition with a fixed answer."""

    text = "fixed"

    def __init__(self, answer: bool | str) -> None:
        self.answer = answer

    def holds(self, scope: Any) -> bool:
        if isinstance(self.answer, str):
            raise ExpressionError(self.answer)
        return self.answer

    def explain(self, scope: Any) -> list[Any]:
        return []


def test_steps_run_in_order_and_each_sees_the_outputs_before_it(given) -> None:
    seen: list[Any] = []

    async def second(call: Any) -> Outcome:
        seen.append(dict(call.steps))
        return Outcome.done()

    async def run() -> None:
        hook = given.hook(given.step("first", keeps_output=True), given.step("second"))
        async with given.world([hook], {"first": ok, "second": second}) as world:
            delivery = await world.delivered({"n": 1})
            assert delivery.status is Status.SUCCEEDED
            assert [attempt.step for attempt in await world.attempts(delivery.id)] == ["first", "second"]

    asyncio.run(run())
    assert seen == [{"first": {"status": "succeeded", "output": {"seen": {"n": 1}}, "error": None}}]


def test_step_n_plus_1_starts_after_the_commit_that_records_step_n(given) -> None:
    stored: list[Any] = []

    async def run() -> None:
        async def second(call: Any) -> Outcome:
            [delivery] = [one.delivery for one in world.recorded]
            stored.append((await world.store.delivery(delivery)).delivery.results["first"].status)
            return Outcome.done()

        hook = given.hook(given.step("first"), given.step("second"))
        async with given.world([hook], {"first": ok, "second": second}) as world:
            await world.delivered()

    asyncio.run(run())
    assert stored == [StepStatus.SUCCEEDED]


def test_a_step_whose_when_is_false_is_skipped(given) -> None:
    async def run() -> None:
        steps = [given.step("first", when=Says(False)), given.step("second", when=Says("data.x is missing"))]
        hook = given.hook(*steps, given.step("third"))
        async with given.world([hook], {"first": ok, "second": ok, "third": ok}) as world:
            delivery = await world.delivered()
            assert [result.status.value for result in delivery.results.values()] == ["skipped", "skipped", "succeeded"]
            assert [attempt.step for attempt in await world.attempts(delivery.id)] == ["third"]
            assert "condition-unanswerable" in world.log.events

    asyncio.run(run())


def test_continue_on_error_ends_succeeded_with_failed_steps(given) -> None:
    async def fails(call: Any) -> Outcome:
        return Outcome.reject("nope", "no use")

    async def run() -> None:
        hook = given.hook(given.step("first", continue_on_error=True), given.step("second"))
        async with given.world([hook], {"first": fails, "second": ok}) as world:
            delivery = await world.delivered()
            assert (delivery.status, delivery.failed_steps) == (Status.SUCCEEDED, 1)
            assert delivery.results["first"].error == "nope: no use"

    asyncio.run(run())


def test_a_retry_waits_and_comes_back_at_the_same_step_with_the_same_message_id(given) -> None:
    calls: list[tuple[str, int, str]] = []

    async def first(call: Any) -> Outcome:
        calls.append(("first", call.attempt, call.message_id))
        return Outcome.done()

    async def second(call: Any) -> Outcome:
        calls.append(("second", call.attempt, call.message_id))
        return Outcome.done() if call.attempt == 3 else Outcome.retry("status", "500")

    async def run() -> None:
        retry = listed((timedelta(milliseconds=5), timedelta(hours=1)))
        hook = given.hook(given.step("first"), given.step("second", retry=retry))
        async with given.world([hook], {"first": first, "second": second}) as world:
            accepted = await world.emit()
            await given.until(lambda: len(calls) == 3)
            [waiting] = await world.ended(accepted, 0)
            assert waiting.status in {Status.WAITING, Status.RUNNING}
            world.clock.ahead += 3600 * 1.3
            [delivery] = await world.ended(accepted)
            assert (delivery.status, delivery.attempts) == (Status.SUCCEEDED, 4)
            numbers = [(one.number, one.outcome) for one in await world.attempts(delivery.id)]
            assert numbers == [(1, "done"), (2, "retry"), (3, "retry"), (4, "done")]

    asyncio.run(run())
    assert [(step, attempt) for step, attempt, _ in calls] == [
        ("first", 1),
        ("second", 1),
        ("second", 2),
        ("second", 3),
    ]
    assert len({message for step, _, message in calls if step == "second"}) == 1
    assert calls[0][2] != calls[1][2], "each step has a message id of its own"


def test_retries_that_are_spent_make_the_delivery_dead(given) -> None:
    async def fails(call: Any) -> Outcome:
        return Outcome.retry("status", "503")

    async def run() -> None:
        hook = given.hook(given.step("first", retry=fixed(timedelta(milliseconds=1), 3)), given.step("second"))
        async with given.world([hook], {"first": fails, "second": ok}) as world:
            delivery = await world.delivered()
            assert (delivery.status, delivery.reason, delivery.attempts) == (Status.DEAD, "status", 3)

    asyncio.run(run())


def test_expires_ends_the_delivery_as_dead(given) -> None:
    async def fails(call: Any) -> Outcome:
        return Outcome.retry("status")

    async def run() -> None:
        retry = fixed(timedelta(milliseconds=30), 1000)
        hook = given.hook(given.step("first", retry=retry), expires=timedelta(milliseconds=100))
        async with given.world([hook], {"first": fails}) as world:
            delivery = await world.delivered()
            assert (delivery.status, delivery.reason) == (Status.DEAD, "expired")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("raised", "kind", "reason"),
    [
        (ValueError("boom"), "retry", "exception"),
        (SystemExit(3), "retry", "exception"),
        (asyncio.CancelledError(), "retry", "exception"),
        (HttpError("refused", "nobody listens"), "retry", "refused"),
        (HttpError("blocked-address", "10.0.0.1 is private"), "reject", "blocked-address"),
        (TimeoutError(), "retry", "exception"),
    ],
)
def test_an_exception_that_nobody_expected_is_a_retry(given, raised: BaseException, kind: str, reason: str) -> None:
    async def fails(call: Any) -> Outcome:
        raise raised

    async def run() -> None:
        async with given.world([given.hook(given.step("first"))], {"first": fails}) as world:
            delivery = await world.delivered()
            [attempt] = await world.attempts(delivery.id)
            assert (attempt.outcome, attempt.reason, delivery.status) == (kind, reason, Status.DEAD)

    asyncio.run(run())


def test_an_action_that_returns_nonsense_costs_its_own_attempt(given) -> None:
    async def nonsense(call: Any) -> Any:
        return {"done": True}

    async def no_json(call: Any) -> Outcome:
        return Outcome.done(object())

    async def run() -> None:
        hooks = [
            given.hook(given.step("nonsense"), name="one"),
            given.hook(given.step("no_json", keeps_output=True), name="two"),
            given.hook(given.step("fine"), name="three"),
        ]
        async with given.world(hooks, {"nonsense": nonsense, "no_json": no_json, "fine": ok}) as world:
            ended = await world.ended(await world.emit())
            assert [(one.status.value, one.reason) for one in ended] == [
                ("dead", "exception"),
                ("dead", "bad-output"),
                ("succeeded", None),
            ]

    asyncio.run(run())


def test_an_attempt_that_hangs_ends_at_its_timeout(given) -> None:
    async def hangs(call: Any) -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError

    async def run() -> None:
        hook = given.hook(given.step("first", timeout=timedelta(milliseconds=10)))
        async with given.world([hook], {"first": hangs}) as world:
            delivery = await world.delivered()
            assert (delivery.status, delivery.reason) == (Status.DEAD, "timeout")

    asyncio.run(run())


def test_an_event_that_matches_nothing_is_stored_too(given) -> None:
    async def run() -> None:
        async with given.world([], {}) as world:
            accepted = await world.emit({"a": 1}, type="No.Body")
            assert accepted.deliveries == ()
            stored = await world.store.event("test", accepted.id)
            assert stored is not None
            assert stored.event.data == {"a": 1}

    asyncio.run(run())


def test_a_second_event_of_the_same_identity_is_a_duplicate(given) -> None:
    async def run() -> None:
        async with given.world([given.hook(given.step("first"))], {"first": ok}) as world:
            first = await world.emit({"a": 1}, id="evt-1")
            second = await world.emit({"a": 1}, id="evt-1")
            assert (second.duplicate, second.deliveries) == (True, first.deliveries)
            assert not (await world.emit({"a": 1}, id="evt-1", source="elsewhere")).duplicate
            with pytest.raises(EventConflict):
                await world.emit({"a": 2}, id="evt-1")
            await world.ended(first)
            assert len(world.recorded) >= 1
            assert world.engine.lanes.jobs == 0

    asyncio.run(run())


def test_an_event_sent_again_with_the_id_that_it_was_given_is_a_duplicate(given) -> None:
    async def run() -> None:
        async with given.world([given.hook(given.step("first"))], {"first": ok}) as world:
            first = await world.emit({"a": 1})
            again = await world.emit({"a": 1}, id=first.id)
            assert (again.duplicate, again.deliveries) == (True, first.deliveries)
            await world.ended(first)

    asyncio.run(run())


def test_a_batch_is_all_or_nothing(given) -> None:
    from hookrt.model.event import EventDraft

    async def run() -> None:
        async with given.world([given.hook(given.step("first"))], {"first": ok}) as world:
            drafts = [EventDraft("A.B", id="one"), EventDraft("not a type", id="two")]
            with pytest.raises(EventError) as caught:
                await world.engine.intake.accept_all(drafts, "test")
            assert caught.value.index == 1
            assert await world.store.event("test", "one") is None
            assert (world.engine.lanes.jobs, world.engine.lanes.bytes) == (0, 0)
            accepted = await world.engine.intake.accept_all([drafts[0], drafts[0]], "test")
            assert [one.duplicate for one in accepted] == [False, True]

    asyncio.run(run())


def test_what_an_action_emits_is_saved_with_its_attempt_and_has_a_cause(given) -> None:
    async def emits(call: Any) -> Outcome:
        call.emit("C.D", {"n": 1})
        return Outcome.done()

    async def run() -> None:
        hooks = [
            given.hook(given.step("emits"), name="one"),
            given.hook(given.step("takes"), name="two", patterns=["C.D"]),
        ]
        async with given.world(hooks, {"emits": emits, "takes": ok}) as world:
            delivery = await world.delivered()
            await given.until(lambda: len(world.recorded) == 2)
            taken = await world.store.delivery(world.recorded[1].delivery)
            assert taken is not None
            assert (taken.event.cause, taken.event.depth, taken.event.source) == (delivery.id, 1, "hook:one")

    asyncio.run(run())


def test_events_that_cause_each_other_end_at_the_depth_limit(given) -> None:
    async def again(call: Any) -> Outcome:
        call.emit("A.B")
        return Outcome.done()

    async def run() -> None:
        limits = replace(FAST, depth=3)
        async with given.world([given.hook(given.step("again"))], {"again": again}, limits=limits) as world:
            await world.delivered()
            await given.until(lambda: any(one.status is Status.DEAD for one in world.recorded))
            assert [one.attempt.reason for one in world.recorded] == [None, None, None, "bad-event"]

    asyncio.run(run())


def test_only_hookrt_emits_hookrt_events(given) -> None:
    async def forges(call: Any) -> Outcome:
        call.emit("hookrt.delivery.dead")
        return Outcome.done()

    async def run() -> None:
        async with given.world([given.hook(given.step("forges"))], {"forges": forges}) as world:
            delivery = await world.delivered()
            assert (delivery.status, delivery.reason) == (Status.DEAD, "bad-event")

    asyncio.run(run())


def test_an_action_gets_an_event_of_its_own(given) -> None:
    async def spoils(call: Any) -> Outcome:
        call.event.data["n"] = 99
        return Outcome.done()

    async def run() -> None:
        seen: list[Any] = []

        async def looks(call: Any) -> Outcome:
            seen.append(call.event.data)
            return Outcome.done()

        hook = given.hook(given.step("spoils"), given.step("looks"))
        async with given.world([hook], {"spoils": spoils, "looks": looks}) as world:
            await world.delivered({"n": 1})
        assert seen == [{"n": 1}]

    asyncio.run(run())


def test_nothing_more_is_taken_when_the_pending_limit_is_reached(given) -> None:
    async def run() -> None:
        limits = replace(FAST, pending=3)
        async with given.world([given.hook(given.step("first"))], {}, limits=limits, lead=False) as world:
            for _ in range(3):
                await world.emit()
            with pytest.raises(Overloaded):
                await world.emit()

    asyncio.run(run())
