"""What the answer to a webhook means: success, what is tried again, who is left alone, and who wants no more."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import pytest

from hookrt.plugin import Destination, HttpError, OutcomeKind

LITERAL = frozenset[str]()


def ask(kit, status: int, *headers: str, rendered: frozenset[str] = LITERAL, to: bool = False, **written):
    """The outcome of one webhook that is answered so."""
    lines = [f"HTTP/1.1 {status} Whatever", *headers, "content-length: 0", "", ""]

    async def run():
        async with kit.receiving("\r\n".join(lines).encode()) as receiver:
            if to:
                known = {"crm": Destination("crm", url=receiver.origin)}
                settings = kit.settings(to="crm", **written)
                outcome, _ = await kit.attempt(settings, destinations=known, rendered=rendered)
            else:
                settings = kit.settings(url=receiver.origin, **written)
                outcome, _ = await kit.attempt(settings, rendered=rendered)
            return outcome

    return asyncio.run(run())


def test_410_disables_the_hook_only_if_its_url_is_a_literal_otherwise_it_rejects_this_delivery(kit):
    for rendered in (LITERAL, frozenset({"body"}), frozenset({"headers", "body"})):
        outcome = ask(kit, 410, rendered=rendered)
        assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "gone")
        assert "410" in outcome.disable
    for part in ("url", "path", "query", "to"):
        outcome = ask(kit, 410, rendered=frozenset({part}))
        assert (outcome.kind, outcome.reason, outcome.disable) == (OutcomeKind.REJECT, "gone", None)
    assert ask(kit, 410, to=True).disable
    assert ask(kit, 410, to=True, rendered=frozenset({"path"})).disable is None


def test_the_header_webhook_delivery_disable_follows_the_same_rule(kit):
    assert ask(kit, 500, "Webhook-Delivery: disable").disable
    assert ask(kit, 500, "Webhook-Delivery: disable", rendered=frozenset({"url"})).disable is None
    thanks = ask(kit, 204, "Webhook-Delivery: disable")
    assert (thanks.kind, bool(thanks.disable)) == (OutcomeKind.DONE, True)


def test_the_header_webhook_delivery_abort_message_rejects_this_delivery(kit):
    outcome = ask(kit, 500, "webhook-delivery: abort-message")
    assert (outcome.kind, outcome.reason, outcome.disable) == (OutcomeKind.REJECT, "abort-message", None)


@pytest.mark.parametrize("status", [429, 503])
def test_429_and_503_slow_the_whole_lane_down(kit, status):
    outcome = ask(kit, status, "retry-after: 7")
    assert (outcome.slow_down, outcome.retry_after) == (timedelta(seconds=7), timedelta(seconds=7))


def test_a_retry_after_date_without_a_date_is_measured_against_the_attempts_time(kit):
    later = (kit.STARTED + timedelta(minutes=3)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    outcome = ask(kit, 503, f"retry-after: {later}")
    assert timedelta(minutes=2, seconds=59) <= outcome.retry_after <= timedelta(minutes=3)


def test_success_says_what_counts_as_one_and_only_that_gives_an_output(kit):
    outcome = ask(kit, 404, success=["2xx", 404])
    assert (outcome.kind, outcome.output["status"]) == (OutcomeKind.DONE, 404)
    outcome = ask(kit, 200, success="202")
    assert (outcome.kind, outcome.reason, outcome.output) == (OutcomeKind.RETRY, "status", None)


def test_what_retry_on_does_not_list_is_a_reject(kit):
    listed = ["5xx", 429, 408, "timeout", "connect"]
    for status, kind in [(500, OutcomeKind.RETRY), (408, OutcomeKind.RETRY), (404, OutcomeKind.REJECT)]:
        assert ask(kit, status, retry_on=listed).kind is kind
    redirected = ask(kit, 302, "location: /new", retry_on=listed)
    assert (redirected.kind, redirected.reason) == (OutcomeKind.REJECT, "redirect")


def test_a_redirect_is_a_failure_with_its_own_reason_and_is_not_followed(kit):
    outcome = ask(kit, 307, "location: https://new.example.com/")
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "redirect")
    assert "https://new.example.com/" in outcome.message


def test_a_failure_without_an_answer_that_retry_on_does_not_list_is_a_reject(kit):
    async def run(url, words):
        return (await kit.attempt(kit.settings(url=url, retry_on=words)))[0]

    with socket.socket() as taken:  # bound and not listening: nobody else can answer there
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        outcome = asyncio.run(run(url, ["5xx", "timeout", "dns"]))
        assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "refused")
        assert "`retry_on` does not list it" in outcome.message
        for words in (["connect"], ["refused"]):
            with pytest.raises(HttpError) as raised:  # which the engine takes for a retry
                asyncio.run(run(url, words))
            assert (raised.value.reason, raised.value.permanent) == ("refused", False)
