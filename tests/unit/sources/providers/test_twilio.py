"""Twilio's requests, as https://www.twilio.com/docs/usage/webhooks/webhooks-security describes them.

The signatures without a remark are those of that page and of the tests of Twilio's own library
(https://github.com/twilio/twilio-python, tests/unit/test_request_validator.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from pydantic import ValidationError

from hookrt.plugin import Inbound, Received, Refused
from hookrt.sources.twilio import Twilio

Change = Callable[..., Inbound]

TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
CALL = {"CallSid": "CA1234567890ABCDE", "Digits": "1234", "To": "+18005551212"}
PAGE = {**CALL, "From": "+12349013030", "Caller": "+12349013030"}  # of the page
LIBRARY = {**CALL, "From": "+14158675309", "Caller": "+14158675309"}  # of the library's tests
JSON = b'{"property": "value", "boolean": true}'
JSON_URL = f"{URL}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
FORM = "application/x-www-form-urlencoded"


def receive(
    signature: str, body: bytes | dict[str, str], url: str = URL, *, media: str = FORM, public: str | None = None
) -> Received:
    content = body if isinstance(body, bytes) else urlencode(body).encode()
    query = dict(parse_qsl(url.partition("?")[2], keep_blank_values=True))
    headers = {"x-twilio-signature": signature, "content-type": media}
    request = Inbound("POST", url, headers, query, content, datetime(2026, 1, 1, tzinfo=UTC))
    settings = Twilio.settings.model_validate({"secret": TOKEN, "url": public})
    return Twilio().receive(request, settings)  # type: ignore[arg-type]


def refusal(*args: Any, **others: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        receive(*args, **others)
    return caught.value


def test_the_example_of_twilios_page_verifies() -> None:
    received = receive("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", PAGE)
    assert received.data == PAGE
    assert refusal("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", {**PAGE, "Digits": "1235"}).reason == "bad-signature"
    assert refusal("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", {**PAGE, "Extra": ""}).reason == "bad-signature"
    assert refusal("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", PAGE, URL + "3").reason == "bad-signature"


def test_the_example_of_twilios_library_verifies_in_any_order() -> None:
    assert receive("RSOYDt4T1cUTdK1PDd93/VVr8B8=", LIBRARY)
    assert receive("RSOYDt4T1cUTdK1PDd93/VVr8B8=", dict(reversed(LIBRARY.items())))


def test_a_port_that_twilio_did_not_sign_is_left_out() -> None:
    assert receive("RSOYDt4T1cUTdK1PDd93/VVr8B8=", LIBRARY, URL.replace(".com", ".com:1234"))
    http = URL.replace(".com", ".com:1234").replace("https", "http")
    assert receive("Zmvh+3yNM1Phv2jhDCwEM3q5ebU=", LIBRARY, http), "this one is signed with its port"


def test_a_port_that_twilio_signed_is_put_in() -> None:
    assert receive("kvajT1Ptam85bY51eRf/AJRuM3w=", LIBRARY)
    assert receive("0ZXoZLH/DfblKGATFgpif+LLRf4=", LIBRARY, URL.replace("https", "http"))


def test_a_repeated_field_is_signed_by_its_values_in_order() -> None:
    body = b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234"
    assert receive("IK+Dwps556ElfBT0I3Rgjkr1wJU=", body).data == {
        "Sid": "CA123",
        "SidAccount": "AC123",
        "Digits": ["5678", "1234"],
    }


def test_a_json_body_is_verified_by_its_hash_in_the_signed_url() -> None:
    assert receive("a9nBmqA0ju/hNViExpshrM61xv4=", JSON, JSON_URL, media="application/json").data == JSON
    changed = JSON.replace(b"true", b"false")
    assert "bodySHA256" in refusal("a9nBmqA0ju/hNViExpshrM61xv4=", changed, JSON_URL, media="application/json").message


def test_a_json_body_that_nothing_signs_is_refused() -> None:
    """The signature of a URL alone, which an empty form has too, proves nothing of a body."""
    # printf '%s' "$URL" | openssl dgst -sha1 -hmac 12345 -binary | base64
    refused = refusal("zYQTYrRWXE7LtzbG4PfP7/bkkGo=", JSON, media="application/json")
    assert (refused.reason, "nothing signs the body" in refused.message) == ("bad-signature", True)


def test_the_hash_counts_for_a_form_as_well() -> None:
    # printf '%s' "$JSON_URL" as above: the very signature of the JSON request
    refused = refusal("a9nBmqA0ju/hNViExpshrM61xv4=", b"", JSON_URL)
    assert "bodySHA256" in refused.message


def test_behind_a_proxy_the_url_that_twilio_calls_can_be_set() -> None:
    seen = "http://10.0.0.7:4665/in/twilio?foo=1&bar=2"
    assert "set `url`" in refusal("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", PAGE, seen).message
    assert receive("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", PAGE, seen, public="https://mycompany.com/myapp.php")


@pytest.mark.parametrize(
    "url", ["", "mycompany.com/in", "ftp://a/b", "https://a/b?c=1", "https://a/b#c", "https://:80/", "https://a:b/"]
)
def test_a_url_that_twilio_cannot_call_is_refused_at_check(url: str) -> None:
    with pytest.raises(ValidationError):
        Twilio.settings.model_validate({"secret": TOKEN, "url": url})


@pytest.mark.parametrize(
    "url",
    ["", "/in/x", "https://", "https://[::1", "https://a:b/c", "https://a:99999/", "https://[::1]:443/x", "x" * 9],
)
def test_whatever_url_a_request_has_it_is_only_refused(url: str) -> None:
    assert refusal("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", PAGE, url).reason == "bad-signature"


@pytest.mark.parametrize(
    ("fields", "type_", "subject"),
    [
        ({"MessageSid": "SM1", "SmsSid": "SM1", "SmsStatus": "received", "Body": ""}, "message.received", "SM1"),
        ({"MessageSid": "SM1", "MessageStatus": "delivered", "SmsStatus": "sent"}, "message.delivered", "SM1"),
        ({"CallSid": "CA1", "CallStatus": "in-progress"}, "call.in-progress", "CA1"),
        ({"CallSid": "CA1", "RecordingSid": "RE1", "RecordingStatus": "completed"}, "recording.completed", "RE1"),
        ({"CallSid": "CA1", "CallStatus": "completed", "RecordingSid": "RE1"}, "call.completed", "CA1"),
        (
            {"ConferenceSid": "CF1", "CallSid": "CA1", "StatusCallbackEvent": "participant-join"},
            "conference.participant-join",
            "CF1",
        ),
        ({"ConversationSid": "CH1", "EventType": "onMessageAdded"}, "conversation.onMessageAdded", "CH1"),
        ({"WorkspaceSid": "WS1", "TaskSid": "WT1", "EventType": "task.created"}, "task_router.task.created", "WT1"),
        ({"AccountSid": "AC1"}, "request", None),
        ({"CallSid": "CA1"}, "request", None),
    ],
)
def test_the_type_tells_the_thing_and_what_became_of_it(
    senders: Any, fields: dict[str, str], type_: str, subject: str | None
) -> None:
    twilio = senders["twilio"]
    received = twilio.receive(twilio.request(urlencode(fields).encode()))
    assert (received.type, received.subject, received.data) == (type_, subject, fields)


def test_the_idempotency_token_is_the_id(senders: Any, change: Change) -> None:
    twilio = senders["twilio"]
    request = change(twilio.request(), {"i-twilio-idempotency-token": "1a2b"})
    assert twilio.receive(request).id == "1a2b"


def test_without_a_token_a_message_is_known_by_its_sid_and_status(senders: Any) -> None:
    twilio = senders["twilio"]
    assert twilio.receive(twilio.request()).id == "SM1:received"
    call = twilio.receive(twilio.request(b"CallSid=CA1&CallStatus=in-progress&Digits=1"))
    assert call.id is None, "a call is asked about again and again in one state"


@pytest.mark.parametrize("body", [b"a=\xff", b"a=%ff", b"a=1&" * 1001])
def test_a_form_that_cannot_be_read_is_refused_with_400(senders: Any, body: bytes) -> None:
    twilio = senders["twilio"]
    with pytest.raises(Refused) as caught:
        twilio.receive(twilio.request(body))
    assert caught.value.reason == "malformed"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 99_999, b'{"a":1e999}'])
def test_a_json_body_that_is_none_is_refused_with_400(senders: Any, change: Change, body: bytes) -> None:
    twilio = senders["twilio"]
    digest = hashlib.sha256(body).hexdigest()
    request = change(twilio.request(b""), {"content-type": "application/json"}, query={"bodySHA256": digest}, body=body)
    with pytest.raises(Refused) as caught:
        twilio.receive(request)
    assert caught.value.reason == "malformed"


def test_twilio_is_answered_with_an_empty_document_unless_it_is_set(senders: Any) -> None:
    respond = senders["twilio"].settings().respond
    assert (respond.status, respond.headers, respond.body) == (200, {"content-type": "text/xml"}, "<Response/>")
    assert senders["twilio"].settings(respond={"status": 204}).respond.body is None
