"""What holds for every sender's webhooks, whatever its scheme."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from hookrt.plugin import Inbound, Received, Refused

Change = Callable[..., Inbound]


def refusal(sender: Any, request: Inbound, settings: Any = None) -> Refused:
    with pytest.raises(Refused) as caught:
        sender.receive(request, settings)
    return caught.value


def test_a_signed_request_is_an_event(sender: Any) -> None:
    received = sender.receive(sender.request())
    assert isinstance(received, Received)
    assert received.type
    assert received.id


def test_the_same_request_twice_has_the_same_id(sender: Any) -> None:
    assert sender.receive(sender.request()).id == sender.receive(sender.request()).id


def test_a_wrong_secret_is_refused_with_401(sender: Any) -> None:
    assert refusal(sender, sender.request(secret=sender.secrets[1])).reason == "bad-signature"


def test_either_of_two_secrets_verifies_during_a_rotation(sender: Any) -> None:
    both = sender.settings(*sender.secrets)
    for secret in sender.secrets:
        assert isinstance(sender.receive(sender.request(secret=secret), both), Received)


def test_a_secret_that_was_taken_away_no_longer_verifies(sender: Any) -> None:
    old, new = sender.secrets
    assert refusal(sender, sender.request(secret=old), sender.settings(new)).reason == "bad-signature"


def test_a_body_with_any_byte_changed_is_refused(signing_sender: Any, change: Change) -> None:
    request = signing_sender.request()
    body = request.body
    changed = [body[:n] + bytes([body[n] ^ 1]) + body[n + 1 :] for n in range(len(body))]
    for one in (*changed, body + b" ", body[:-1], b""):
        assert refusal(signing_sender, change(request, body=one)).reason in {"bad-signature", "malformed"}
    assert refusal(signing_sender, change(request, body=body.replace(b"i", b"j"))).reason == "bad-signature"


def test_a_request_without_its_signature_is_refused_with_401(sender: Any, change: Change) -> None:
    refused = refusal(sender, change(sender.request(), {sender.proof: None}))
    assert refused.reason == "bad-signature"
    assert "missing" in refused.message or "no token" in refused.message


@pytest.mark.parametrize(
    "value", ["", "x", "=", ",", "v0=", "sha256=", "t=,v1=", "v1,", "Basic abc", "ünd", "é" * 5000]
)
def test_a_malformed_signature_is_refused(sender: Any, change: Change, value: str) -> None:
    refused = refusal(sender, change(sender.request(), {sender.proof: value}))
    assert refused.reason in {"malformed", "bad-signature"}


def test_a_signature_header_that_is_there_twice_is_no_way_in(sender: Any, change: Change) -> None:
    request = sender.request(secret=sender.secrets[1])
    forged = request.headers[sender.proof]
    assert refusal(sender, change(request, {sender.proof: f"{forged}, {forged}"})).reason in {
        "malformed",
        "bad-signature",
    }


def test_no_refusal_shows_a_secret_or_the_expected_signature(sender: Any, change: Change) -> None:
    request = sender.request()
    expected = request.headers[sender.proof]
    settings = sender.settings(sender.secrets[1])
    for one in (request, change(request, {sender.proof: "0" * 64}), change(request, {sender.proof: None})):
        refused = refusal(sender, one, settings)
        shown = f"{refused.message} {refused!r} {refused.headers}"
        assert expected not in shown
        assert not any(secret in shown for secret in sender.secrets)


def test_settings_show_no_secret(sender: Any) -> None:
    shown = repr(sender.settings(*sender.secrets))
    assert not any(secret in shown for secret in sender.secrets)


def test_settings_want_a_secret_and_know_no_other_keys(sender: Any) -> None:
    model = sender.plugin.settings
    for written in ({}, {"secret": []}, {"secret": ""}, {"secret": sender.secrets[0], "secrets": "x"}):
        with pytest.raises(ValidationError):
            model.model_validate(written)


def test_a_request_older_than_the_tolerance_is_refused_as_too_old(timed_sender: Any) -> None:
    assert isinstance(timed_sender.receive(timed_sender.request(late=300)), Received)
    refused = refusal(timed_sender, timed_sender.request(late=301))
    assert refused.reason == "too-old"


def test_a_request_from_the_future_is_refused(timed_sender: Any) -> None:
    assert isinstance(timed_sender.receive(timed_sender.request(late=-300)), Received)
    assert refusal(timed_sender, timed_sender.request(late=-301)).reason == "too-old"


def test_the_tolerance_can_be_set(timed_sender: Any) -> None:
    wide = timed_sender.settings(tolerance="1h")
    assert isinstance(timed_sender.receive(timed_sender.request(late=3599), wide), Received)
    assert refusal(timed_sender, timed_sender.request(late=3601), wide).reason == "too-old"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe{}",
        b'{"a":"\xff"}',
        b"{",
        b"null",
        b'"text"',
        b"[]",
        b"[" * 100_000,
        b'{"a":' * 100 + b"1" + b"}" * 100,
        b'{"id":' + b"9" * 5_000 + b"}",
        b'{"id":1e999}',
        b"NaN",
        b'{"a":"\\ud800"}',
    ],
    ids=range(13),
)
def test_a_signed_body_that_is_no_event_is_refused_with_400(json_sender: Any, body: bytes) -> None:
    assert refusal(json_sender, json_sender.request(body)).reason == "malformed"


def test_the_data_is_the_body_as_it_came(json_sender: Any) -> None:
    body = json_sender.body.replace(b":", b" : \n", 1)
    whole = json_sender.name != "cloudevents"
    assert json_sender.receive(json_sender.request(body)).data == (body if whole else b'{"n":1}')


def test_the_secret_is_the_short_form(sender: Any) -> None:
    assert sender.plugin.short == "secret"
