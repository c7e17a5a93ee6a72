"""RULES "Deliveries": what an outcome means for its delivery."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.delivery.backoff import next_delay
from hookrt.delivery.decide import Situation, decide
from hookrt.model.delivery import StepStatus
from hookrt.model.hook import Step
from hookrt.model.outcome import Outcome, OutcomeKind
from hookrt.model.policy import (
    AFTER_CRASH,
    LOGTO,
    MAX_DELAY,
    NO_RETRY,
    STANDARD,
    RetryPolicy,
    exponential,
    fixed,
    listed,
)
from hookrt.model.verdict import Dead, RetryAt, StepOver

SECOND = 1_000_000
DAY = 86_400 * SECOND


def a_step(retry: RetryPolicy = NO_RETRY, **options: object) -> Step:
    return Step("send", "webhook", settings=None, lane="crm", retry=retry, **options)


def situation(attempts: int = 1, now_us: int = 0, expires_us: int = 7 * DAY, chance: float = 0.5) -> Situation:
    return Situation(attempts, now_us, expires_us, chance)


def test_done_ends_the_step() -> None:
    verdict = decide(Outcome.done({"x": 1}), a_step(keeps_output=True), situation())
    assert isinstance(verdict, StepOver)
    assert (verdict.result.status, verdict.result.output) == (StepStatus.SUCCEEDED, {"x": 1})


def test_an_output_is_stored_only_if_a_later_step_mentions_it() -> None:
    verdict = decide(Outcome.done({"x": 1}), a_step(keeps_output=False), situation())
    assert isinstance(verdict, StepOver)
    assert verdict.result.output is None


def test_a_retry_follows_the_standard_webhooks_schedule() -> None:
    waits = []
    for attempts in range(1, 11):
        verdict = decide(Outcome.retry("status"), a_step(STANDARD), situation(attempts))
        waits.append(verdict.due_us // SECOND if isinstance(verdict, RetryAt) else type(verdict).__name__)
    assert waits == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, "Dead"]


@pytest.mark.parametrize(
    ("reason", "status", "retried"),
    [
        ("status", 500, True),
        ("status", 599, True),
        ("status", 404, False),
        ("status", 429, False),
        ("redirect", 302, False),
        ("timeout", None, False),
        ("reset", None, False),
        ("exception", None, False),
    ],
)
def test_retry_logto_tries_again_after_5xx_alone(reason: str, status: int | None, retried: bool) -> None:
    outcome = Outcome(OutcomeKind.RETRY, reason, "x", retry_after=timedelta(days=1), status=status)
    verdict = decide(outcome, a_step(LOGTO), situation())
    assert verdict == (RetryAt(300_000, reason) if retried else Dead(reason, "x"))


def test_retry_logto_waits_as_documented() -> None:
    waits = []
    for attempts in range(1, 5):
        verdict = decide(Outcome(OutcomeKind.RETRY, "status", status=503), a_step(LOGTO), situation(attempts))
        waits.append(verdict.due_us if isinstance(verdict, RetryAt) else None)
    assert waits == [300_000, 600_000, 1_200_000, None]


def test_retries_that_are_spent_leave_the_reason_of_the_last_attempt() -> None:
    verdict = decide(Outcome.retry("status", "answered 500"), a_step(fixed(timedelta(seconds=1), 2)), situation(2))
    assert verdict == Dead("status", "answered 500")


def test_a_reject_is_dead_at_once() -> None:
    assert decide(Outcome.reject("gone", "410"), a_step(STANDARD), situation()) == Dead("gone", "410")


@pytest.mark.parametrize("outcome", [Outcome.reject("gone", "410"), Outcome.retry("status", "410")])
def test_continue_on_error_makes_the_result_failed_and_goes_on(outcome: Outcome) -> None:
    verdict = decide(outcome, a_step(continue_on_error=True), situation())
    assert isinstance(verdict, StepOver)
    assert (verdict.result.status, verdict.result.output) == (StepStatus.FAILED, None)
    assert verdict.result.error == f"{outcome.reason}: 410"


def test_continue_on_error_acts_only_when_the_retries_are_spent() -> None:
    step = a_step(listed((timedelta(seconds=5),)), continue_on_error=True)
    assert isinstance(decide(Outcome.retry("status"), step, situation(1)), RetryAt)
    assert isinstance(decide(Outcome.retry("status"), step, situation(2)), StepOver)


def test_expires_ends_the_delivery_as_dead() -> None:
    verdict = decide(Outcome.retry("status"), a_step(STANDARD), situation(expires_us=4 * SECOND))
    assert isinstance(verdict, Dead)
    assert verdict.reason == "expired"


def test_a_policy_for_crashes_retries_nothing_else() -> None:
    assert isinstance(decide(Outcome.retry("crashed"), a_step(AFTER_CRASH), situation(1)), RetryAt)
    assert isinstance(decide(Outcome.retry("crashed"), a_step(AFTER_CRASH), situation(2)), Dead)
    assert isinstance(decide(Outcome.retry("error"), a_step(AFTER_CRASH), situation(1)), Dead)


def test_retry_after_is_the_least_wait_and_has_a_ceiling() -> None:
    step = a_step(listed((timedelta(seconds=5),), jitter=0))
    asked = decide(Outcome.retry("status", after=timedelta(seconds=90)), step, situation())
    assert isinstance(asked, RetryAt)
    assert asked.due_us == 90 * SECOND
    assert next_delay(step.retry, 1, timedelta(days=400), 0.5) == MAX_DELAY


@given(asked=st.timedeltas(timedelta(0), timedelta(days=400)), ceiling=st.timedeltas(timedelta(0), MAX_DELAY))
def test_a_retry_after_beyond_the_ceiling_waits_the_ceiling(asked: timedelta, ceiling: timedelta) -> None:
    policy = replace(listed((timedelta(seconds=5),), jitter=0), max_retry_after=ceiling)
    assert next_delay(policy, 1, asked, 0.5) == max(timedelta(seconds=5), min(asked, ceiling))


def test_jitter_never_goes_below_what_the_endpoint_asked_for() -> None:
    policy = listed((timedelta(seconds=10),), jitter=1.0)
    assert next_delay(policy, 1, timedelta(seconds=8), 0.0) == timedelta(seconds=8)
    assert next_delay(policy, 1, timedelta(seconds=8), 1.0) == timedelta(seconds=20)


@given(chance=st.floats(0, 1), attempts=st.integers(1, 9))
def test_jitter_stays_within_its_share(chance: float, attempts: int) -> None:
    planned = STANDARD.delays[attempts - 1]
    delay = next_delay(STANDARD, attempts, None, chance)
    assert delay is not None
    assert planned * 0.8 - timedelta(microseconds=1) <= delay <= planned * 1.2 + timedelta(microseconds=1)


def test_the_standard_schedule_is_jittered_both_ways_at_each_of_its_waits() -> None:
    for attempts, planned in enumerate(STANDARD.delays, start=1):
        assert next_delay(STANDARD, attempts, None, 0.0) == planned * 0.8
        assert next_delay(STANDARD, attempts, None, 1.0) == planned * 1.2


@given(
    initial=st.timedeltas(timedelta(0), timedelta(days=2)),
    factor=st.floats(1, 10),
    attempts=st.integers(0, 50),
    chance=st.floats(0, 1),
    tried=st.integers(0, 60),
)
def test_no_wait_is_longer_than_the_ceiling(
    initial: timedelta, factor: float, attempts: int, chance: float, tried: int
) -> None:
    policy = exponential(initial, factor, timedelta(days=3), attempts)
    delay = next_delay(policy, tried, None, chance)
    assert delay is None or timedelta(0) <= delay <= MAX_DELAY * (1 + policy.jitter)
    assert (delay is None) == (tried < 1 or tried >= max(attempts, 1))
