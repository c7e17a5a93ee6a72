"""The action `webhook` against a real receiver: what goes out, byte for byte, and what the answer means."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as IndependentVerifier

from hookrt.plugin import Destination, HttpError, OutcomeKind, SigningSecret
from hookrt.signing import VerificationError, new_secret, verify


def send(kit, answer: bytes | None = None, *, to: bool = False, **written):
    """Send one webhook to a receiver; give the outcome and the receiver. `_` names go to the attempt."""
    named = {name.removeprefix("_"): written.pop(name) for name in list(written) if name.startswith("_")}

    async def run():
        async with kit.receiving(answer) as receiver:
            if "destination" in named:
                given = named.pop("destination")
                url = receiver.origin + given.pop("url", "/base/")
                named["destinations"] = {"crm": Destination("crm", url=url, **given)}
                settings = kit.settings(to="crm", **written)
            else:
                settings = kit.settings(url=receiver.origin + written.pop("url", "/in"), **written)
            outcome, _ = await kit.attempt(settings, **named)
            return outcome, receiver

    return asyncio.run(run())


def reply(body: bytes, kind: bytes = b"application/json", status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n%s" % (status, kind, len(body), body)


def test_the_default_body_is_the_standard_webhooks_one_with_the_data_byte_for_byte(kit):
    outcome, receiver = send(kit)
    assert outcome.kind is OutcomeKind.DONE
    assert receiver.line == "POST /in HTTP/1.1"
    assert receiver.body == (
        b'{"type":"PostSignIn","timestamp":"2026-11-23T00:00:00Z","data":{"userId": "u1",  "n": 1.10}}'
    )
    assert receiver.headers["content-type"] == "application/json"
    assert receiver.headers["webhook-id"] == "msg_abc"
    assert receiver.headers["webhook-timestamp"] == str(int(kit.STARTED.timestamp()))
    assert "webhook-signature" not in receiver.headers


def test_binary_data_goes_out_as_data_base64(kit):
    _, receiver = send(kit, _event=kit.event(b"\x00\xff", binary=True, content_type="image/png"))
    body = json.loads(receiver.body)
    assert base64.b64decode(body["data_base64"]) == b"\x00\xff"
    assert "data" not in body


def test_the_user_agent_names_hookrt_and_its_version(kit, tmp_path):
    async def run():
        action = await kit.opened(tmp_path)
        async with kit.receiving() as receiver:
            await kit.attempt(kit.settings(url=receiver.origin), action=action)
            assert receiver.headers["user-agent"].startswith("hookrt/")

    asyncio.run(run())


def test_the_signature_is_over_the_exact_bytes_and_an_independent_verifier_accepts_it(kit):
    secret, now = new_secret(), datetime.now(UTC)
    for written in ({}, {"body": {"ü": [1, None]}}, {"body": "plain"}, {"method": "DELETE"}):
        _, receiver = send(kit, signing_secret=secret, _started=now, **written)
        IndependentVerifier(secret).verify(receiver.body, receiver.headers, json_parse=False)
        verify(receiver.headers, receiver.body, secret, now=now)


def test_destination_and_step_sign_and_a_secret_past_its_time_does_not(kit):
    theirs, own, old, coming = (new_secret() for _ in range(4))
    dated = [
        {"secret": own},
        {"secret": old, "until": (kit.STARTED - timedelta(seconds=1)).isoformat()},
        {"secret": coming, "until": (kit.STARTED + timedelta(days=1)).isoformat()},
    ]
    _, receiver = send(kit, _destination={"signing_secrets": (SigningSecret(theirs),)}, signing_secret=dated)
    for secret in (theirs, own, coming):
        verify(receiver.headers, receiver.body, secret, now=kit.STARTED)
    with pytest.raises(VerificationError):
        verify(receiver.headers, receiver.body, old, now=kit.STARTED)


def test_without_a_valid_secret_there_is_no_signature(kit):
    past = SigningSecret(new_secret(), kit.STARTED)
    _, receiver = send(kit, _destination={"signing_secrets": (past,)})
    assert "webhook-signature" not in receiver.headers


@pytest.mark.parametrize(
    ("body", "sent", "kind"),
    [
        ({"a": 1}, b'{"a":1}', "application/json"),
        ([], b"[]", "application/json"),
        (None, b"null", "application/json"),
        (False, b"false", "application/json"),
        (0, b"0", "application/json"),
        ("grün", "grün".encode(), "text/plain; charset=utf-8"),
        ("", b"", "text/plain; charset=utf-8"),
    ],
)
def test_a_text_body_goes_out_as_it_is_and_anything_else_as_json(kit, body, sent, kind):
    _, receiver = send(kit, body=body)
    assert receiver.body == sent
    assert receiver.headers["content-type"] == kind


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_get_and_delete_send_a_body_only_when_one_is_written(kit, method):
    _, receiver = send(kit, method=method)
    assert receiver.line.startswith(method + " ")
    assert receiver.body == b""
    assert "content-type" not in receiver.headers
    _, receiver = send(kit, method=method, body={"a": 1})
    assert receiver.body == b'{"a":1}'


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_put_and_patch_send_the_event(kit, method):
    _, receiver = send(kit, method=method)
    assert receiver.line.startswith(method + " ")
    assert b'"type":"PostSignIn"' in receiver.body


def test_headers_of_the_step_win_over_the_destination_and_both_over_the_defaults(kit):
    _, receiver = send(
        kit,
        _destination={"headers": {"X-A": "theirs", "X-B": "theirs", "User-Agent": "them"}},
        headers={"x-a": "own", "Content-Type": "application/vnd.x+json"},
    )
    assert (receiver.headers["x-a"], receiver.headers["x-b"]) == ("own", "theirs")
    assert receiver.headers["user-agent"] == "them"
    assert receiver.headers["content-type"] == "application/vnd.x+json"


@pytest.mark.parametrize(
    "name", ["Content-Length", "transfer-encoding", "HOST", "Connection", "Webhook-Id", "webhook-signature"]
)
def test_headers_that_cannot_be_set_by_hand_are_a_reject_and_nothing_is_sent(kit, name):
    for outcome, receiver in (send(kit, headers={name: "5"}), send(kit, _destination={"headers": {name: "5"}})):
        assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "bad-request")
        assert name in outcome.message
        assert receiver.count == 0


def test_a_line_break_in_a_header_is_a_reject(kit):
    outcome, receiver = send(kit, headers={"x-a": "hush\r\nx-b: c"})
    assert outcome.reason == "bad-request"
    assert "hush" not in outcome.message
    assert receiver.count == 0


def test_path_and_query_are_joined_to_the_destinations_url(kit):
    written = {"path": "/contacts/ü", "query": {"a": "x y", "b": True, "n": 5}}
    _, receiver = send(kit, _destination={"url": "/base/?k=1#part"}, **written)
    assert receiver.line == "POST /base/contacts/%C3%BC?k=1&a=x+y&b=true&n=5 HTTP/1.1"
    _, receiver = send(kit, _destination={})
    assert receiver.line == "POST /base/ HTTP/1.1"


def test_a_destination_under_its_origin_serves_a_url_of_that_origin(kit):
    async def run():
        secret = new_secret()
        async with kit.receiving() as receiver:
            known = {receiver.origin: Destination(receiver.origin, signing_secrets=(SigningSecret(secret),))}
            await kit.attempt(kit.settings(url=receiver.origin + "/x"), destinations=known)
            verify(receiver.headers, receiver.body, secret, now=kit.STARTED)

    asyncio.run(run())


def test_a_changed_destination_is_used_at_the_next_attempt_of_the_same_settings(kit):
    async def run():
        settings = kit.settings(to="crm")
        async with kit.receiving() as one, kit.receiving() as two:
            for receiver in (one, two, two):
                known = {"crm": Destination("crm", url=receiver.origin)}
                outcome, _ = await kit.attempt(settings, destinations=known)
                assert outcome.kind is OutcomeKind.DONE
            assert (one.count, two.count) == (1, 2)

    asyncio.run(run())


def test_a_destination_that_is_not_there_is_a_reject(kit):
    async def run():
        for known in ({}, {"crm": Destination("crm")}):
            outcome, _ = await kit.attempt(kit.settings(to="crm"), destinations=known)
            assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "bad-url")
            assert "'crm'" in outcome.message

    asyncio.run(run())


def test_a_destination_with_a_bad_secret_is_a_reject_that_does_not_show_it(kit):
    outcome, _ = send(kit, _destination={"signing_secrets": (SigningSecret("whsec_hunter2"),)})
    assert outcome.reason == "bad-request"
    assert "hunter2" not in outcome.message


def test_the_output_is_status_headers_and_the_body_parsed_if_its_type_says_json(kit):
    outcome, _ = send(kit, reply(b'{"id": 7}', b"application/json; charset=utf-8", b"201 Created"))
    assert outcome.output == {
        "status": 201,
        "headers": {"content-type": "application/json; charset=utf-8", "content-length": "9"},
        "body": {"id": 7},
    }
    assert type(outcome.output["headers"]) is dict
    for body, kind, shown in [
        (b'{"id": 7}', b"application/problem+json", {"id": 7}),
        (b'{"id": 7}', b"text/plain", '{"id": 7}'),
        (b"<html>", b"application/json", "<html>"),
        (b"[" * 100 + b"]" * 100, b"application/json", "[" * 100 + "]" * 100),
        (b"gr\xfcn", b"text/plain; charset=latin-1", "grün"),
        (b"", b"application/json", ""),
    ]:
        assert send(kit, reply(body, kind))[0].output["body"] == shown


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (b"204 No Content", OutcomeKind.DONE, None),
        (b"410 Gone", OutcomeKind.REJECT, "gone"),
        (b"302 Found", OutcomeKind.RETRY, "redirect"),
        (b"400 Bad Request", OutcomeKind.RETRY, "status"),
        (b"404 Not Found", OutcomeKind.RETRY, "status"),
        (b"429 Too Many", OutcomeKind.RETRY, "status"),
        (b"500 Oops", OutcomeKind.RETRY, "status"),
    ],
)
def test_every_failure_but_410_is_tried_again(kit, status, kind, reason):
    answer = b"HTTP/1.1 %s\r\nretry-after: 9\r\ncontent-length: 0\r\n\r\n" % status
    outcome, _ = send(kit, b"HTTP/1.1 204 No Content\r\n\r\n" if b"204" in status else answer)
    assert (outcome.kind, outcome.reason) == (kind, reason)
    if reason == "status":
        assert outcome.retry_after == timedelta(seconds=9)


def test_a_blocked_address_and_a_closed_port_are_left_to_the_engine_by_reason(kit):
    async def run(closed):
        for url, reason in (("http://169.254.169.254/x", "blocked-address"), (closed, "refused")):
            with pytest.raises(HttpError) as raised:
                await kit.attempt(kit.settings(url=url))
            assert raised.value.reason == reason

    with socket.socket() as taken:  # bound and not listening: nobody else can answer there
        taken.bind(("127.0.0.1", 0))
        asyncio.run(run(f"http://127.0.0.1:{taken.getsockname()[1]}/"))


def test_the_record_shows_the_request_without_its_signature(kit):
    async def run():
        async with kit.receiving() as receiver:
            _, call = await kit.attempt(kit.settings(url=receiver.origin, signing_secret=new_secret()))
            recorded = call.http.exchange
            assert recorded.request_headers["webhook-signature"] == "***"
            assert recorded.request_body == receiver.body.decode()
            assert recorded.status == 200

    asyncio.run(run())
