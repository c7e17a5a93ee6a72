"""Slack's requests, as https://docs.slack.dev/authentication/verifying-requests-from-slack describes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from hookrt.plugin import Inbound, Received, Refused, Reply
from hookrt.sources.slack import Slack

Change = Callable[..., Inbound]
FORM = {"content-type": "application/x-www-form-urlencoded"}

# The worked example of that page
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SENT = datetime.fromtimestamp(1531420618, UTC)


def test_slacks_own_example_verifies_and_is_a_slash_command() -> None:
    headers = {**FORM, "x-slack-signature": SIGNATURE, "x-slack-request-timestamp": "1531420618"}
    request = Inbound("POST", "https://example.com/in/slack", headers, {}, BODY, SENT)
    received = Slack().receive(request, Slack.settings.model_validate({"secret": SECRET}))  # type: ignore[arg-type]
    assert isinstance(received, Received)
    assert (received.type, received.subject) == ("slash_command.webhook-collect", "G8PSS9T3V")
    assert received.id == "398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    assert received.data["text"] == ""
    assert received.data["user_name"] == "roadrunner"


def challenge(senders: Any, text: str = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P") -> Inbound:
    # https://docs.slack.dev/reference/events/url_verification
    body = {"token": "Jhj5dZrVaK7ZwHHjRyZWjbDl", "challenge": text, "type": "url_verification"}
    found: Inbound = senders["slack"].request(json.dumps(body).encode())
    return found


def test_the_challenge_is_answered_once_it_is_verified(senders: Any, change: Change) -> None:
    slack = senders["slack"]
    reply = slack.receive(challenge(senders))
    assert isinstance(reply, Reply)
    assert (reply.status, reply.headers) == (200, {"content-type": "application/json"})
    assert json.loads(reply.body) == {"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
    with pytest.raises(Refused) as caught:
        slack.receive(change(challenge(senders), {"x-slack-signature": f"v0={'0' * 64}"}))
    assert caught.value.reason == "bad-signature"


def test_a_challenge_cannot_become_a_page(senders: Any) -> None:
    reply = senders["slack"].receive(challenge(senders, "<script>alert(1)</script>"))
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize("text", [None, 7, "x" * 1025])
def test_a_challenge_that_is_none_is_refused_with_400(senders: Any, text: Any) -> None:
    with pytest.raises(Refused) as caught:
        senders["slack"].receive(challenge(senders, text))
    assert caught.value.reason == "malformed"


@pytest.mark.parametrize(
    ("payload", "type_", "id_", "subject"),
    [
        ({"event": {"type": "app_mention", "channel": "C1"}, "event_id": "Ev1"}, "app_mention", "Ev1", "C1"),
        ({"event": {"type": "message", "subtype": "bot_message"}}, "message.bot_message", None, "T1"),
        ({"event": {"type": "channel_created", "channel": {"id": "C2"}}}, "channel_created", None, "C2"),
        ({"event": {"type": "reaction_added", "item": {"channel": "C3"}}}, "reaction_added", None, "C3"),
        ({"event": {"type": "team_join", "channel": 1, "item": []}, "event_id": 5}, "team_join", None, "T1"),
    ],
)
def test_an_event_has_the_inner_type(
    senders: Any, payload: dict[str, Any], type_: str, id_: str | None, subject: str
) -> None:
    body = {"type": "event_callback", "team_id": "T1", "event_time": 1234567890, **payload}
    received = senders["slack"].receive(senders["slack"].request(json.dumps(body).encode()))
    assert (received.type, received.id, received.subject) == (type_, id_, subject)
    assert received.time == datetime(2009, 2, 13, 23, 31, 30, tzinfo=UTC)


def test_what_slack_says_beside_events_is_an_event_too(senders: Any) -> None:
    slack = senders["slack"]
    received = slack.receive(slack.request(b'{"type":"app_rate_limited","team_id":"T1"}'))
    assert (received.type, received.subject) == ("app_rate_limited", "T1")


@pytest.mark.parametrize("kind", ["block_actions", "view_submission", "shortcut", "message_action"])
def test_an_interaction_has_the_type_of_its_payload(senders: Any, change: Change, kind: str) -> None:
    text = json.dumps({"type": kind, "trigger_id": "1.2.3", "team": {"id": "T1"}, "channel": {"id": "C1"}})
    request = change(senders["slack"].request(urlencode({"payload": text}).encode()), FORM)
    assert senders["slack"].receive(request) == Received(f"interaction.{kind}", text.encode(), "1.2.3", "C1")


@pytest.mark.parametrize("body", [b"", b"a=1", b"command=", b"payload=", b"payload={}", b"payload=%7B", b"\xff=1"])
def test_a_form_that_is_nothing_of_this_is_refused_with_400(senders: Any, change: Change, body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        senders["slack"].receive(change(senders["slack"].request(body), FORM))
    assert caught.value.reason == "malformed"


def test_the_check_of_the_certificate_is_answered_with_200(senders: Any, change: Change) -> None:
    request = change(senders["slack"].request(b"ssl_check=1&token=x"), FORM)
    assert senders["slack"].receive(request) == Reply(status=200)


@pytest.mark.parametrize("time", [None, "", "x", "1" * 14, "-5", "1531420618.1", "1, 1"])
def test_a_time_that_is_none_is_refused(senders: Any, change: Change, time: str | None) -> None:
    with pytest.raises(Refused) as caught:
        senders["slack"].receive(change(senders["slack"].request(), {"x-slack-request-timestamp": time}))
    assert caught.value.reason == ("malformed" if time else "bad-signature")


def test_users_are_shown_nothing_unless_it_is_set(senders: Any) -> None:
    respond = senders["slack"].settings().respond
    assert (respond.status, respond.headers, respond.body) == (200, {}, "")
    assert senders["slack"].settings(respond={"body": {"text": "On it"}}).respond.body == {"text": "On it"}
