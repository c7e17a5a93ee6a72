"""CloudEvents over HTTP.

Tokens and the handshake: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md; the modes:
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hookrt.plugin import Inbound, Received, Refused, Reply
from hookrt.sources.cloudevents import CloudEvents

Change = Callable[..., Inbound]

TOKEN = "mF_9.B5f-4.1JqM"  # of the specification's examples
STRUCTURED = "application/cloudevents+json; charset=utf-8"
BATCH = "application/cloudevents-batch+json; charset=utf-8"
UUID = "A234c0de-1234-1234-1234-123456789abc"
EVENT = {"specversion": "1.0", "type": "com.example.someevent", "source": "/mycontext", "id": UUID}


def receive(
    body: bytes | Any = b"",
    media: str | None = STRUCTURED,
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    method: str = "POST",
    token: str | None = TOKEN,
    **settings: Any,
) -> Any:
    sent = {"content-type": media, "authorization": token and f"Bearer {token}", **(headers or {})}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kept = {name: value for name, value in sent.items() if value is not None}
    request = Inbound(method, "https://example.com/in/ce", kept, query or {}, content, datetime(2026, 1, 1, tzinfo=UTC))
    return CloudEvents().receive(
        request,
        CloudEvents.settings.model_validate_json(json.dumps({"secret": TOKEN, **settings})),  # type: ignore[arg-type]
    )


def refusal(*args: Any, **others: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        receive(*args, **others)
    return caught.value


def test_the_token_is_taken_from_the_header_or_from_the_url() -> None:
    assert receive(EVENT).type == "com.example.someevent"
    assert receive(EVENT, token=None, headers={"authorization": f"bearer {TOKEN}"})
    assert receive(EVENT, token=None, query={"access_token": TOKEN, "p": "q"})


@pytest.mark.parametrize("header", ["Basic bUZfOS5CNWYtNC4xSnFN", TOKEN, "Bearer", "Bearer a b", f"Bearer {TOKEN}x"])
def test_any_other_authorization_is_refused_with_401(header: str) -> None:
    both = {"headers": {"authorization": header}, "query": {"access_token": TOKEN}}
    assert refusal(EVENT, token=None, **both).reason == "bad-signature"


@pytest.mark.parametrize("query", [{}, {"access_token": ""}, {"access_token": "x"}, {"access_token": "\ud800"}])
def test_without_a_token_or_with_another_one_it_is_refused_with_401(query: dict[str, str]) -> None:
    assert refusal(EVENT, token=None, query=query).reason == "bad-signature"


def test_a_structured_event_keeps_its_attributes_and_its_data_byte_for_byte() -> None:
    body = (
        b'{"specversion":"1.0","type":"com.example.someevent","time":"2018-04-05T03:56:24Z","id":"%s",'
        b'"source":"/mycontext","subject":"s","comexampleextension1":"value","number":5,"flag":true,"nothing":null,'
        b'"datacontenttype":"application/json","data": { "appinfoA" : 1.10 , "b":[12345678901234567890123] } }'
    ) % UUID.encode()
    assert receive(body) == Received(
        type="com.example.someevent",
        data=b'{ "appinfoA" : 1.10 , "b":[12345678901234567890123] }',
        id=UUID,
        subject="s",
        time=datetime(2018, 4, 5, 3, 56, 24, tzinfo=UTC),
        attributes={"comexampleextension1": "value", "number": 5, "flag": True, "cesource": "/mycontext"},
        content_type="application/json",
    )


def test_an_event_without_data_has_none() -> None:
    assert receive(EVENT).data == b"null"
    assert receive({**EVENT, "data": None, "data_base64": None}).data == b"null"


def test_binary_data_comes_out_of_its_base64() -> None:
    received = receive({**EVENT, "datacontenttype": "image/png", "data_base64": base64.b64encode(b"\x89PNG").decode()})
    assert (received.data, received.binary, received.content_type) == (b"\x89PNG", True, "image/png")


def test_an_event_in_binary_mode_has_its_attributes_in_headers() -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-type": "com.example.someevent",
        "ce-time": "2018-04-05T03:56:24Z",
        "ce-id": UUID,
        "ce-source": "/mycontext",
        "ce-comexampleextension1": "Euro%20%E2%82%AC%20%F0%9F%98%80",
        "ce-quoted": '"a \\"b\\" %25"',
    }
    received = receive(b' {"n": 1} ', "application/json; charset=utf-8", headers)
    assert received == Received(
        type="com.example.someevent",
        data=b'{"n": 1}',
        id=UUID,
        time=datetime(2018, 4, 5, 3, 56, 24, tzinfo=UTC),
        attributes={"comexampleextension1": "Euro € 😀", "quoted": 'a "b" %', "cesource": "/mycontext"},
        content_type="application/json; charset=utf-8",
    )
    picture = receive(b"\x89PNG", "image/png", headers)
    assert (picture.data, picture.binary) == (b"\x89PNG", True)
    assert (receive(b"", None, headers).data, receive(b"<a/>", None, headers).binary) == (b"null", True)


def test_a_batch_is_several_events_in_order() -> None:
    several = receive([{**EVENT, "type": "a.b", "data": 1}, {**EVENT, "type": "c.d", "data": [2]}], BATCH)
    assert [(one.type, one.data) for one in several] == [("a.b", b"1"), ("c.d", b"[2]")]
    assert receive([], BATCH) == Reply(status=204)


def test_a_batch_names_the_event_that_is_none() -> None:
    refused = refusal([EVENT, {**EVENT, "source": ""}], BATCH)
    assert (refused.reason, refused.message) == ("malformed", "event 2 of the batch: the CloudEvent has no source")


def test_events_of_two_sources_with_one_id_are_two() -> None:
    one, other = receive({**EVENT, "id": "1"}), receive({**EVENT, "id": "1", "source": "/other"})
    assert one.id.startswith("1~")
    assert one.id != other.id
    assert one.id == receive({**EVENT, "id": "1", "data": 5}).id
    assert len(receive({**EVENT, "id": "x" * 255}).id) <= 255


@pytest.mark.parametrize(
    "changed",
    [
        {"specversion": "0.3"},
        {"specversion": None},
        {"id": ""},
        {"id": 5},
        {"source": None},
        {"type": ["a"]},
        {"type": ""},
        {"type": "..."},
        {"subject": {}},
        {"subject": "a\u0000b"},
        {"time": 5},
        {"Extension": "x"},
        {"a_b": "x"},
        {"ext": 1.5},
        {"ext": 2**31},
        {"ext": 10**400},
        {"ext": {"a": 1}},
        {"ext": "a\nb"},
        {"data": 1, "data_base64": "AA=="},
        {"data_base64": "ä"},
        {"data_base64": "A"},
        {"data_base64": 5},
        {"data_base64": []},
        {"source": "x" * 2049},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_what_is_no_cloudevent_is_refused_with_400(changed: dict[str, Any]) -> None:
    body = (
        json.dumps({**EVENT, **changed}).encode() if 10**400 not in changed.values() else b'{"a":' + b"9" * 400 + b"}"
    )
    assert refusal(body).reason == "malformed"


@pytest.mark.parametrize("name", ["ce-ext%ff", "ce-type"])
def test_a_header_that_is_not_utf8_once_decoded_is_refused_with_400(name: str) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/", "ce-type": "t", name: "%ff"}
    assert refusal(b"{}", "application/json", headers).reason == "malformed"


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"{}", "application/json"),
        (b"{}", None),
        (b"[]", STRUCTURED),
        (b"{}", BATCH),
        (b"[1]", BATCH),
        (b"[[]]", BATCH),
        (b"\xff", STRUCTURED),
        (b"[" * 100_000, BATCH),
        (b'{"data":' + b"[" * 70 + b"]" * 70 + b"}", STRUCTURED),
    ],
)
def test_what_is_none_of_the_modes_is_refused_with_400(body: bytes, media: str | None) -> None:
    assert refusal(body, media).reason == "malformed"


def test_a_sender_that_asks_first_gets_consent() -> None:
    asked = {"webhook-request-origin": "eventemitter.example.com", "webhook-request-rate": "120"}
    reply = receive(method="OPTIONS", headers=asked, token=None)
    assert reply.status == 200
    assert reply.headers == {
        "allow": "POST, OPTIONS",
        "webhook-allowed-origin": "eventemitter.example.com",
        "webhook-allowed-rate": "*",
    }


def test_consent_can_be_kept_to_some_origins() -> None:
    asked = {"webhook-request-origin": "eventemitter.example.com"}
    assert receive(method="OPTIONS", headers=asked, origins=["eventemitter.example.com"]).status == 200
    reply = receive(method="OPTIONS", headers=asked, origins=["other.example.com"])
    assert (reply.status, "webhook-allowed-origin" in reply.headers) == (403, False)


@pytest.mark.parametrize("origin", [None, "", "a b", "a\r\nb", "ä", "x" * 254, "a, b"])
def test_who_asks_without_a_name_is_refused_with_400(origin: str | None) -> None:
    headers = {} if origin is None else {"webhook-request-origin": origin}
    assert refusal(method="OPTIONS", headers=headers).reason == "malformed"


def test_consent_lets_no_event_in_without_the_token() -> None:
    asked = {"webhook-request-origin": "eventemitter.example.com"}
    assert refusal(EVENT, headers=asked, token=None, origins=["eventemitter.example.com"]).reason == "bad-signature"
