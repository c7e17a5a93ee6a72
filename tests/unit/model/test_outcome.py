"""Outcomes, and what a response means by the rules of `webhook`."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.model.answers import LITERAL_RULES, AnswerRules, read_retry_on, read_statuses
from hookrt.model.outcome import LONGEST_REST, SHORT_REST, Emission, Outcome, OutcomeKind


def answer(status, **headers):
    return httpx.Response(status, headers={k.replace("_", "-"): v for k, v in headers.items()})


def respond(status, **headers):
    return Outcome.from_response(answer(status, **headers))


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


@pytest.mark.parametrize("status", [300, 302, 304])
def test_a_redirect_without_a_target_says_so(status):
    assert respond(status).message == f"the endpoint answered {status}, a redirect that names no new URL"


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


def test_a_retry_after_date_without_the_answers_own_date_is_measured_against_the_attempts_time():
    dated = answer(503, retry_after="Wed, 01 Jan 2025 12:01:00 GMT")
    assert Outcome.from_response(dated).retry_after is None
    found = Outcome.from_response(dated, now=datetime(2025, 1, 1, 12, 0, 30, tzinfo=UTC))
    assert found.retry_after == timedelta(seconds=30)


@pytest.mark.parametrize("status", [429, 503])
def test_429_and_503_slow_the_whole_lane_down(status):
    assert respond(status).slow_down == SHORT_REST
    assert respond(status, retry_after="90").slow_down == timedelta(seconds=90)
    assert respond(status, retry_after="0").slow_down == SHORT_REST
    assert respond(status, retry_after="soon").slow_down == SHORT_REST


def test_a_lane_rests_an_hour_at_most_while_the_delivery_itself_waits_as_long_as_asked():
    outcome = respond(503, retry_after="36000")
    assert (outcome.slow_down, outcome.retry_after) == (LONGEST_REST, timedelta(hours=10))


@pytest.mark.parametrize("status", [200, 302, 400, 404, 408, 410, 500, 502, 504])
def test_no_other_answer_slows_the_lane_down(status):
    assert respond(status, retry_after="90").slow_down is None


def test_410_disables_the_hook_only_if_its_url_is_a_literal():
    literal = Outcome.from_response(answer(410), rules=LITERAL_RULES)
    assert (literal.kind, literal.reason) == (OutcomeKind.REJECT, "gone")
    assert "410" in literal.disable
    assert respond(410).disable is None


def test_webhook_delivery_disable_rejects_and_disables_the_hook_if_its_url_is_a_literal():
    for status in (302, 400, 410, 500, 503):
        refused = answer(status, webhook_delivery="disable")
        outcome = Outcome.from_response(refused, rules=LITERAL_RULES)
        assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "disable")
        assert "webhook-delivery: disable" in outcome.disable
        assert Outcome.from_response(refused).kind is OutcomeKind.REJECT
        assert Outcome.from_response(refused).disable is None


def test_webhook_delivery_disable_on_a_success_is_a_success_and_disables_the_hook():
    thanks = answer(204, webhook_delivery="disable")
    outcome = Outcome.from_response(thanks, output=1, rules=LITERAL_RULES)
    assert (outcome.kind, outcome.output) == (OutcomeKind.DONE, 1)
    assert outcome.disable
    assert Outcome.from_response(thanks).disable is None


def test_webhook_delivery_abort_message_rejects_this_delivery_only():
    for rules in (LITERAL_RULES, AnswerRules(retry_on=read_retry_on(["5xx"]))):
        outcome = Outcome.from_response(answer(500, webhook_delivery="abort-message"), rules=rules)
        assert (outcome.kind, outcome.reason, outcome.disable) == (OutcomeKind.REJECT, "abort-message", None)


def test_abort_message_means_nothing_on_a_success():
    assert respond(200, webhook_delivery="abort-message") == Outcome.done()


@pytest.mark.parametrize("value", ["DISABLE", " disable ", "abort-message, disable", "x,Disable"])
def test_webhook_delivery_is_read_word_by_word_without_regard_to_case(value):
    assert respond(500, webhook_delivery=value).reason == "disable"


@pytest.mark.parametrize("value", ["", "disabled", "pause", "abort"])
def test_unknown_words_in_webhook_delivery_mean_nothing(value):
    assert (respond(500, webhook_delivery=value).kind, respond(500).reason) == (OutcomeKind.RETRY, "status")


def test_success_can_be_set():
    rules = AnswerRules(success=read_statuses("2xx") | {404})
    assert Outcome.from_response(answer(404), output=7, rules=rules) == Outcome.done(7)
    only = AnswerRules(success=read_statuses("202"))
    failed = Outcome.from_response(answer(200), output=7, rules=only)
    assert (failed.kind, failed.reason, failed.output) == (OutcomeKind.RETRY, "status", None)
    assert Outcome.from_response(answer(410), rules=AnswerRules(success=read_statuses("410"))) == Outcome.done()


def test_what_retry_on_does_not_list_is_a_reject():
    rules = AnswerRules(retry_on=read_retry_on(["5xx", "429"]))
    kinds = {status: Outcome.from_response(answer(status), rules=rules) for status in (302, 404, 429, 500)}
    assert [kinds[status].kind for status in (429, 500)] == [OutcomeKind.RETRY] * 2
    for status, reason in ((302, "redirect"), (404, "status")):
        assert (kinds[status].kind, kinds[status].reason) == (OutcomeKind.REJECT, reason)
        assert "`retry_on` does not list it" in kinds[status].message


def test_an_endpoint_that_is_overloaded_slows_its_lane_down_though_nothing_is_tried_again():
    outcome = Outcome.from_response(answer(429), rules=AnswerRules(retry_on=read_retry_on(["5xx"])))
    assert (outcome.kind, outcome.slow_down) == (OutcomeKind.REJECT, SHORT_REST)


def test_410_is_tried_again_only_where_retry_on_writes_it_out():
    kinds = [
        Outcome.from_response(answer(410), rules=AnswerRules(retry_on=read_retry_on([word]))) for word in ("4xx", "410")
    ]
    assert [one.kind for one in kinds] == [OutcomeKind.REJECT, OutcomeKind.RETRY]


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
    st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)),
)
def test_every_answer_has_an_outcome(status, retry_after, wish):
    outcome = respond(status, retry_after=retry_after, webhook_delivery=wish)
    assert (outcome.kind is OutcomeKind.DONE) == (200 <= status < 300)
    assert outcome.reason or outcome.kind is OutcomeKind.DONE
