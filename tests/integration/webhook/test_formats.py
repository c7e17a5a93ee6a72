"""Formats as a real receiver gets them."""

from __future__ import annotations

import asyncio
import json

import pytest

from hookrt.plugin import Destination, OutcomeKind
from hookrt.signing import new_secret, verify


def send(kit, *, event=None, destination: dict[str, object] | None = None, **written):
    """Send one webhook, to a destination if one is given; the outcome and the receiver."""

    async def run():
        async with kit.receiving() as receiver:
            if destination is None:
                outcome, _ = await kit.attempt(kit.settings(url=receiver.origin, **written), event=event)
            else:
                known = {"crm": Destination("crm", url=receiver.origin, **destination)}
                settings = kit.settings(to="crm", **written)
                outcome, _ = await kit.attempt(settings, destinations=known, event=event)
            return outcome, receiver

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("standard", "application/json"),
        ("cloudevents", "application/cloudevents+json"),
        ("cloudevents-binary", "application/json"),
        ("raw", "application/json"),
    ],
)
def test_every_format_carries_the_message_id_and_can_be_signed(kit, name, kind):
    secret = new_secret()
    _, receiver = send(kit, format=name, signing_secret=secret)
    assert receiver.headers["content-type"] == kind
    assert receiver.headers["webhook-id"] == "msg_abc"
    verify(receiver.headers, receiver.body, secret, now=kit.STARTED)


def test_the_format_of_the_destination_counts_unless_the_step_has_one(kit):
    _, receiver = send(kit, destination={"format": "raw"})
    assert receiver.body == kit.event().content
    _, receiver = send(kit, destination={"format": "raw"}, format="standard")
    assert json.loads(receiver.body)["type"] == "PostSignIn"


def test_a_body_of_the_step_goes_out_whatever_the_destinations_format(kit):
    _, receiver = send(kit, destination={"format": "cloudevents"}, body={"a": 1})
    assert (receiver.body, receiver.headers["content-type"]) == (b'{"a":1}', "application/json")


def test_a_content_type_set_by_hand_wins(kit):
    _, receiver = send(kit, format="raw", headers={"Content-Type": "text/x-own"})
    assert receiver.headers["content-type"] == "text/x-own"


def test_raw_sends_bytes_with_their_own_type(kit):
    _, receiver = send(kit, format="raw", event=kit.event(b"\x00\xff", binary=True, content_type="image/png"))
    assert (receiver.body, receiver.headers["content-type"]) == (b"\x00\xff", "image/png")


def test_a_binary_cloudevent_arrives_with_its_attributes(kit):
    _, receiver = send(kit, format="cloudevents-binary")
    assert receiver.body == kit.event().content
    assert receiver.headers["ce-specversion"] == "1.0"
    assert (receiver.headers["ce-id"], receiver.headers["ce-type"]) == ("evt_1", "PostSignIn")


def test_get_sends_no_body_in_any_format(kit):
    for name in ("standard", "cloudevents", "cloudevents-binary", "raw", "logto"):
        _, receiver = send(kit, format=name, method="GET")
        assert receiver.body == b""
        assert "content-type" not in receiver.headers


# logto


def test_logto_sends_the_headers_that_logto_sends_and_no_others_of_ours(kit):
    signing = {"scheme": "logto", "secret": "k" * 32}
    _, receiver = send(kit, format="logto", signing=signing, headers={"X-Own": "1"})
    assert receiver.line == "POST / HTTP/1.1"
    assert receiver.headers["user-agent"] == "Logto (https://logto.io/)"
    assert receiver.headers["content-type"] == "application/json"
    assert receiver.headers["x-own"] == "1"
    assert not [name for name in receiver.headers if name.startswith("webhook-")]
    verify(receiver.headers, receiver.body, "k" * 32, scheme="logto")
    assert json.loads(receiver.body)["hookId"] == "welcome"


def test_logto_lets_the_user_agent_be_set_as_a_whole(kit):
    _, receiver = send(kit, format="logto", headers={"User-Agent": "me"})
    assert receiver.headers["user-agent"] == "me"  # and is not joined to Logto's


def test_logto_with_a_standard_signature_has_the_headers_that_this_needs(kit):
    secret = new_secret()
    _, receiver = send(kit, format="logto", signing_secret=secret)
    verify(receiver.headers, receiver.body, secret, now=kit.STARTED)


def test_logto_sends_the_same_bytes_and_signature_at_every_attempt(kit):
    first, second = (send(kit, format="logto", signing={"scheme": "logto", "secret": "k"})[1] for _ in range(2))
    assert first.body == second.body
    assert first.headers["logto-signature-sha-256"] == second.headers["logto-signature-sha-256"]


@pytest.mark.parametrize("name", ["logto-signature-sha-256", "Logto-Signature-Sha-256"])
def test_logtos_signature_header_cannot_be_set_by_hand_in_its_format(kit, name):
    outcome, receiver = send(kit, destination={"format": "logto"}, headers={name: "evil"})
    assert (outcome.kind, outcome.reason, receiver.count) == (OutcomeKind.REJECT, "bad-request", 0)


def test_logto_rejects_an_event_that_is_no_json(kit):
    outcome, receiver = send(kit, format="logto", event=kit.event(b"\x00", binary=True))
    assert (outcome.kind, outcome.reason, receiver.count) == (OutcomeKind.REJECT, "bad-request", 0)
    assert "no JSON" in (outcome.message or "")
