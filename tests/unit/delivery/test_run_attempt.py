"""RULES "The engine's seams": `run_attempt` can be called without the dispatcher, and always ends in an outcome."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hookrt.delivery.attempt_log import MAX_LINE, MAX_LINES
from hookrt.delivery.keeping import MAX_MESSAGE
from hookrt.delivery.lane import Job
from hookrt.delivery.limits import Limits
from hookrt.delivery.run_attempt import Ended, run_attempt
from hookrt.model.delivery import Delivery, Status, StepResult, StepStatus
from hookrt.model.event import Event
from hookrt.model.outcome import Emission, Outcome, OutcomeKind
from hookrt.model.policy import fixed
from hookrt.plugin.protocols import HttpError

FAST = Limits(poll=timedelta(milliseconds=10))
EVENT = Event("evt_1", "A.B", "test", datetime(2026, 1, 1, tzinfo=UTC), content=b'{"n":[1]}')
DELIVERY = Delivery("dlv_1", "hook", "lane", Status.RUNNING, 0, 0, 10**18, attempts=4, step_attempts=2)


def attempt(given: Any, action: Any, *, delivery: Delivery = DELIVERY, step: Any = None, **ports: Any) -> Ended:
    """One attempt of an action, without an engine that runs."""

    async def run() -> Ended:
        chosen = step or given.step("act")
        async with given.world([], {"act": action}, lead=False) as world:
            for name, value in ports.items():
                setattr(world.ports, name, value)
            return await run_attempt(Job(delivery, EVENT), given.hook(chosen), chosen, world.ports)

    return asyncio.run(run())


def test_it_says_what_happened_and_counts_on(given) -> None:
    calls: list[Any] = []

    async def act(call: Any) -> Outcome:
        calls.append(call)
        return Outcome.done()

    ended = attempt(given, act)
    assert ended.outcome.kind is OutcomeKind.DONE
    assert (ended.attempt.number, ended.attempt.step, ended.attempt.outcome) == (5, "act", "done")
    assert (calls[0].attempt, calls[0].event.data, calls[0].timeout) == (3, {"n": [1]}, timedelta(seconds=15))


def test_the_message_id_is_equal_over_retries_and_replays_unless_salted(given) -> None:
    ids: list[str] = []

    async def act(call: Any) -> Outcome:
        ids.append(call.message_id)
        return Outcome.done()

    for delivery in (DELIVERY, replace(DELIVERY, id="dlv_2", attempts=9, step_attempts=0, replay_of="dlv_1")):
        attempt(given, act, delivery=delivery)
    attempt(given, act, delivery=replace(DELIVERY, salt="salt"))
    assert ids[0] == ids[1] != ids[2]
    assert all(one.startswith("msg_") for one in ids)


class Panic(BaseException):
    """What an extension module raises that comes from Rust: no Exception."""


class MuteError(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize("raised", [Panic("gone"), ValueError("boom"), SystemExit(3), MuteError(), TimeoutError()])
def test_whatever_is_raised_is_a_retry(given, raised: BaseException) -> None:
    async def act(call: Any) -> Outcome:
        raise raised

    ended = attempt(given, act)
    assert (ended.outcome.kind, ended.outcome.reason) == (OutcomeKind.RETRY, "exception")
    assert type(raised).__name__ in ended.attempt.message


def test_an_http_error_keeps_its_reason(given) -> None:
    async def act(call: Any) -> Outcome:
        raise HttpError("blocked-address", "not allowed")

    outcome = attempt(given, act).outcome
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "blocked-address")


@pytest.mark.parametrize(
    "returned",
    [
        None,
        {"ok": True},
        Outcome("done"),
        Outcome.retry(404),
        Outcome.retry("status", ValueError("not a text")),
        Outcome.retry("status", after=5),
        Outcome.done(logs=[b"bytes"]),
        Outcome.done(events=[{"type": "A.B"}]),
        Outcome.done(events=[Emission(7)]),
        Outcome.done(events=[Emission("A.B", id=7)]),
    ],
)
def test_an_outcome_that_is_none_is_a_retry_that_names_the_action(given, returned: Any) -> None:
    async def act(call: Any) -> Any:
        return returned

    outcome = attempt(given, act).outcome
    assert (outcome.kind, outcome.reason, outcome.events) == (OutcomeKind.RETRY, "exception", ())
    assert "'act'" in str(outcome.message)


def test_settings_that_fail_unexpectedly_are_a_retry(given) -> None:
    class Broken:
        def render(self, scope: Any) -> Any:
            raise KeyError("x")

    async def act(call: Any) -> Outcome:
        raise AssertionError

    outcome = attempt(given, act, step=replace(given.step("act"), settings=Broken())).outcome
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "exception")


def test_an_action_that_is_not_installed_is_a_retry(given) -> None:
    async def act(call: Any) -> Outcome:
        raise AssertionError

    outcome = attempt(given, act, step=given.step("other")).outcome
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "no-action")


def test_what_the_timeout_cuts_off_is_a_timeout_whatever_is_raised_then(given) -> None:
    async def act(call: Any) -> Outcome:
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("interrupted")

    step = given.step("act", timeout=timedelta(milliseconds=-990))  # and a second of grace
    assert attempt(given, act, step=step).outcome.reason == "timeout"


def test_a_cancellation_from_outside_spends_no_attempt_whatever_the_action_makes_of_it(given) -> None:
    async def run() -> None:
        begun = asyncio.Event()

        async def act(call: Any) -> Outcome:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise RuntimeError("interrupted") from None
            raise AssertionError

        async with given.world([], {"act": act}, lead=False) as world:
            step = given.step("act")
            running = asyncio.create_task(run_attempt(Job(DELIVERY, EVENT), given.hook(step), step, world.ports))
            await begun.wait()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

    asyncio.run(run())


def test_everything_that_is_kept_can_be_stored_is_masked_and_bounded(given) -> None:
    async def act(call: Any) -> Outcome:
        call.log.info("x" * (MAX_LINE - 8) + "hunter2 and so on")
        for _ in range(MAX_LINES):
            call.log.info("line \udcff")
        text = "\ud800 hunter2" + "y" * 100_000
        return Outcome.retry("hunter2 " + "z" * 1000 + "\udfff", text, logs=["hunter2\ud800"])

    ended = attempt(given, act, mask=lambda text: text.replace("hunter2", "***"))
    stored = msgspec.json.encode(ended.attempt).decode()
    assert "hunt" not in stored
    assert len(ended.attempt.message) <= MAX_MESSAGE + 1
    assert len(ended.attempt.reason) <= 101
    assert len(ended.attempt.logs) == MAX_LINES + 1
    assert ended.attempt.logs[-1].endswith("and 2 more lines")
    assert (ended.outcome.message, ended.outcome.reason) == (ended.attempt.message, ended.attempt.reason)


def test_an_output_is_the_same_before_and_after_a_restart(given) -> None:
    kept = {"list": (1, 2), "when": datetime(2026, 1, 1, tzinfo=UTC), 1: float("nan")}

    async def act(call: Any) -> Outcome:
        return Outcome.done(kept)

    output = attempt(given, act, step=given.step("act", keeps_output=True)).outcome.output
    assert output == {"list": [1, 2], "when": "2026-01-01T00:00:00Z", "1": None}
    assert attempt(given, act, step=given.step("act")).outcome.kind is OutcomeKind.DONE, "unless nobody asks for it"


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize("output", [object(), "\ud800", "x" * 300_000, nested(200)])
def test_an_output_that_cannot_be_stored_is_a_reject(given, output: Any) -> None:
    async def act(call: Any) -> Outcome:
        return Outcome.done(output)

    outcome = attempt(given, act, step=given.step("act", keeps_output=True)).outcome
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "bad-output")


def test_an_action_gets_results_of_its_own(given) -> None:
    results = {"first": StepResult(StepStatus.SUCCEEDED, {"list": [1]})}

    async def act(call: Any) -> Outcome:
        call.steps["first"]["output"]["list"].append(2)
        return Outcome.done()

    attempt(given, act, delivery=replace(DELIVERY, results=results))
    assert results["first"].output == {"list": [1]}


def test_a_result_that_names_a_secret_or_no_text_reaches_the_store_masked(given) -> None:
    async def act(call: Any) -> Outcome:
        return Outcome.reject("no", "the key hunter2 is \ud800 wrong")

    async def ok(call: Any) -> Outcome:
        return Outcome.done()

    async def run() -> None:
        hook = given.hook(given.step("act", continue_on_error=True), given.step("ok"))
        async with given.world([hook], {"act": act, "ok": ok}, limits=FAST) as world:
            world.ports.mask = lambda text: text.replace("hunter2", "***")
            delivery = await world.delivered()
            assert (delivery.status, delivery.failed_steps) == (Status.SUCCEEDED, 1)
            assert delivery.results["act"].error == "no: the key *** is ? wrong"

    asyncio.run(run())


def test_a_bug_of_the_engine_costs_one_delivery_some_time_and_is_seen(given) -> None:
    async def act(call: Any) -> Outcome:
        return Outcome.done()

    class Broken:
        text = "broken"

        def holds(self, scope: Any) -> bool:
            raise KeyError("x")

    async def run() -> None:
        step = given.step("act", when=Broken(), retry=fixed(timedelta(0), 3))
        async with given.world([given.hook(step)], {"act": act}, limits=FAST) as world:
            accepted = await world.emit()
            await given.until(lambda: "engine-bug" in world.log.events)
            await given.until(lambda: not world.engine.lanes.jobs)
            [delivery] = await world.ended(accepted, 0)
            assert (delivery.status, delivery.reason, delivery.attempts) == (Status.WAITING, "engine-bug", 0)

    asyncio.run(run())


def test_an_action_is_told_which_settings_hold_an_expression(given) -> None:
    calls: list[Any] = []

    async def act(call: Any) -> Outcome:
        calls.append(call)
        return Outcome.done()

    attempt(given, act, step=given.step("act", rendered=frozenset({"url"})))
    attempt(given, act)
    assert [call.rendered for call in calls] == [{"url"}, set()]


@pytest.mark.parametrize(
    ("asked_s", "ceiling_s", "rest_s"), [(90, 3600, 90), (90, 20, 20), (90, 0, 1), (0.5, 0, 0.5), (-5, 3600, 0)]
)
def test_a_lane_rests_no_longer_than_the_steps_ceiling_of_retry_after(
    given, asked_s: float, ceiling_s: float, rest_s: float
) -> None:
    async def act(call: Any) -> Outcome:
        return replace(Outcome.retry("status"), slow_down=timedelta(seconds=asked_s))

    policy = replace(fixed(timedelta(seconds=5), 2), max_retry_after=timedelta(seconds=ceiling_s))
    ended = attempt(given, act, step=given.step("act", retry=policy))
    assert ended.outcome.slow_down == timedelta(seconds=rest_s)


@pytest.mark.parametrize(("name", "value"), [("slow_down", 5), ("disable", True)])
def test_a_wish_of_the_wrong_type_costs_the_attempt(given, name: str, value: Any) -> None:
    async def act(call: Any) -> Outcome:
        return replace(Outcome.done(), **{name: value})

    ended = attempt(given, act)
    assert (ended.outcome.kind, ended.outcome.reason) == (OutcomeKind.RETRY, "exception")
    assert name in ended.outcome.message


def test_why_a_hook_is_disabled_is_masked_and_cut(given) -> None:
    async def act(call: Any) -> Outcome:
        return replace(Outcome.done(), disable="hush " + "x" * 10_000)

    ended = attempt(given, act, mask=lambda text: text.replace("hush", "***"))
    assert ended.outcome.disable.startswith("*** xxx")
    assert len(ended.outcome.disable) == MAX_MESSAGE + 1


def test_an_attempt_that_waited_for_its_place_has_all_of_its_time_for_requests_too(given) -> None:
    restarted: list[int] = []

    class Way:
        exchange = None

        def http_for(self, trusted_origins: tuple[str, ...], timeout_s: float) -> Any:
            return self

        def restart(self) -> None:
            restarted.append(1)

    async def waits(call: Any) -> Outcome:
        call.patience.hold()
        assert restarted == []
        call.patience.begin()
        return Outcome.done()

    assert attempt(given, waits, way_out=Way()).outcome.kind is OutcomeKind.DONE
    assert restarted == [1]
