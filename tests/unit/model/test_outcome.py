"""Outcomes, and what a response means by the rules of `webhook`."""

from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.model.outcome import Emission, Outcome, OutcomeKind


def respond(status, **headers):
    return Outcome.from_response(httpx.Response(status, headers={k.replace("_", "-"): v for k, v in headers.items()}))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success_is_2xx(status):
    outcome = Outcome.from_response(httpx.Response(status), output={"id": 1})
    assert outcome == Outcome.done({"id": 1})


def test_410_is_a_reject():
    outcome = respond(410)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "gone")


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308])
def test_a_redirect_is_a_failure_that_names_its_target(status):
    outcome = respond(status, location="https://new.example.com/x")
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "redirect")
    assert "https://new.example.com/x" in outcome.message


@pytest.mark.parametrize("status", [100, 400, 401, 404, 422, 429, 500, 503, 599])
def test_every_other_status_is_a_retry(status):
    outcome = respond(status)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "status")
    assert str(status) in outcome.message


def test_retry_after_is_carried_along():
    assert respond(429, retry_after="30").retry_after == timedelta(seconds=30)
    dated = respond(503, retry_after="Wed, 01 Jan 2025 12:01:00 GMT", date="Wed, 01 Jan 2025 12:00:00 GMT")
    assert dated.retry_after == timedelta(minutes=1)
    assert respond(500).retry_after is None


def test_the_three_kinds_say_what_they_say():
    assert Outcome.done().kind is OutcomeKind.DONE
    retry = Outcome.retry("busy", "later", after=timedelta(seconds=2), logs=["a"])
    assert (retry.kind, retry.reason, retry.message, retry.retry_after) == (
        "retry",
        "busy",
        "later",
        timedelta(seconds=2),
    )
    assert retry.logs == ("a",)
    assert Outcome.reject("bad").kind is OutcomeKind.REJECT


def test_emitted_events_are_kept_in_order():
    events = [Emission("A"), Emission("B", {"n": 1})]
    assert Outcome.done(events=events).events == tuple(events)


@given(
    st.integers(min_value=100, max_value=999),
    st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)),
)
def test_every_answer_has_an_outcome(status, retry_after):
    outcome = respond(status, retry_after=retry_after)
    assert (outcome.kind is OutcomeKind.DONE) == (200 <= status < 300)
    assert outcome.reason or outcome.kind is OutcomeKind.DONE
