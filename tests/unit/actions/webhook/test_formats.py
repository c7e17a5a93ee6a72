"""How an event is written: CloudEvents as their specification has it, raw as it came, Logto as Logto sends it."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.actions.webhook.formats import FORMATS, Written
from hookrt.plugin import Event

TIME = datetime(2026, 11, 23, 12, 0, 0, 250_999, tzinfo=UTC)
CONTENT = b'{"userId": "u1",  "n": 1.10}'


def event_of(content: bytes = CONTENT, type: str = "PostSignIn", **changed: Any) -> Event:
    return Event("evt 1", type, "logto", TIME, content=content, **changed)


def write(name: str, event: Event) -> Written:
    return FORMATS[name].write(event, "welcome")  # type: ignore[index]


# cloudevents


def test_a_structured_cloudevent_has_all_attributes_and_the_data_as_it_came() -> None:
    event = event_of(subject="u1", content_type="application/json", attributes={"traceparent": "00-a", "level": 3})
    written = write("cloudevents", event)
    assert written.headers == {"content-type": "application/cloudevents+json"}
    assert written.body.endswith(b'"data":' + CONTENT + b"}")
    assert json.loads(written.body) == {
        "specversion": "1.0",
        "id": "evt 1",
        "source": "logto",
        "type": "PostSignIn",
        "subject": "u1",
        "time": "2026-11-23T12:00:00.250999Z",
        "datacontenttype": "application/json",
        "traceparent": "00-a",
        "level": 3,
        "data": {"userId": "u1", "n": 1.10},
    }


def test_a_structured_cloudevent_carries_bytes_in_base64() -> None:
    found = json.loads(write("cloudevents", event_of(b"\x00\xff", binary=True, content_type="image/png")).body)
    assert (base64.b64decode(found["data_base64"]), found["datacontenttype"]) == (b"\x00\xff", "image/png")
    assert "data" not in found


def test_an_extension_cannot_take_the_place_of_an_attribute() -> None:
    found = json.loads(write("cloudevents", event_of(attributes={"type": "forged", "id": "forged"})).body)
    assert (found["type"], found["id"]) == ("PostSignIn", "evt 1")


def test_a_binary_cloudevent_has_its_attributes_in_headers_percent_encoded() -> None:
    event = event_of(subject='Zoë "☃" 100%', attributes={"sampled": True, "level": 3})
    written = write("cloudevents-binary", event)
    assert written.body == CONTENT
    assert written.headers == {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "evt%201",
        "ce-source": "logto",
        "ce-type": "PostSignIn",
        "ce-time": "2026-11-23T12:00:00.250999Z",
        "ce-subject": "Zo%C3%AB%20%22%E2%98%83%22%20100%25",
        "ce-sampled": "true",
        "ce-level": "3",
    }


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40))
def test_an_attribute_in_a_header_is_printable_ascii_and_comes_back(text: str) -> None:
    from urllib.parse import unquote

    value = write("cloudevents-binary", event_of(subject=text)).headers["ce-subject"]
    assert value.isascii()
    assert value.isprintable()
    assert unquote(value) == text


# raw


@pytest.mark.parametrize(
    ("event", "body", "kind"),
    [
        (event_of(), CONTENT, "application/json"),
        (event_of(content_type="application/vnd.acme+json"), CONTENT, "application/vnd.acme+json"),
        (event_of(b"<a/>", binary=True, content_type="text/xml"), b"<a/>", "text/xml"),
        (event_of(b"\x00", binary=True), b"\x00", "application/octet-stream"),
        (event_of('"<ä/>"'.encode(), content_type="text/xml"), "<ä/>".encode(), "text/xml"),
        (event_of(b'{"a": 1}', content_type="text/xml"), b'{"a": 1}', "application/json"),
        (event_of(b'"text"'), b'"text"', "application/json"),
    ],
)
def test_raw_sends_the_data_as_it_came_with_its_content_type(event: Event, body: bytes, kind: str) -> None:
    assert write("raw", event) == Written(body, {"content-type": kind})


# logto


def keys_of(body: bytes) -> str:
    return " ".join(json.loads(body))


def test_logto_has_the_keys_of_the_data_beside_its_own_and_the_hook_last() -> None:
    body = write("logto", event_of(b'{"userId":"u1","n":1.10}')).body
    assert (
        body
        == b'{"event":"PostSignIn","createdAt":"2026-11-23T12:00:00.250Z","userId":"u1","n":1.10,"hookId":"welcome"}'
    )


def test_logto_interaction_events_have_their_keys_in_logtos_order() -> None:
    data = {
        "application": {},
        "user": {},
        "userIp": "::1",
        "userId": "u",
        "userAgent": "x",
        "sessionId": "s",
        "interactionEvent": "SignIn",
        "adaptiveMfaResult": {},
        "other": 1,
    }
    body = write("logto", event_of(json.dumps(data).encode(), "PostSignInAdaptiveMfaTriggered")).body
    assert keys_of(body) == (
        "adaptiveMfaResult event interactionEvent createdAt "
        "sessionId userAgent userId userIp user application other hookId"
    )


def test_logto_data_events_have_their_keys_in_logtos_order() -> None:
    backwards = "data matchedRoute params status method path application ip sessionId userAgent interactionEvent"
    content = json.dumps(dict.fromkeys(re.findall(r"\w+", backwards))).encode()
    body = write("logto", event_of(content, "User.Created")).body
    assert keys_of(body) == (
        "event createdAt interactionEvent userAgent sessionId ip application "
        "path method status params matchedRoute data hookId"
    )


def test_logto_exception_events_have_their_keys_behind_the_common_ones() -> None:
    body = write("logto", event_of(b'{"type":"email","value":"a@b.c","ip":"::1"}', "Identifier.Lockout")).body
    assert keys_of(body) == "event createdAt ip type value hookId"


def test_logtos_own_keys_win_over_those_of_the_data() -> None:
    body = write("logto", event_of(b'{"event":"x","createdAt":"x","hookId":"x","a":1}')).body
    assert json.loads(body) == {
        "event": "PostSignIn",
        "createdAt": "2026-11-23T12:00:00.250Z",
        "a": 1,
        "hookId": "welcome",
    }
    assert body.count(b"createdAt") == body.count(b'"event"') == body.count(b"hookId") == 1


@pytest.mark.parametrize(
    ("content", "more"), [(b"null", {}), (b"[1, 2]", {"data": [1, 2]}), (b' "text"', {"data": "text"}), (b" {} ", {})]
)
def test_logto_data_that_is_no_object_stands_below_data(content: bytes, more: dict[str, Any]) -> None:
    found = json.loads(write("logto", event_of(content)).body)
    assert {name: found[name] for name in found.keys() - {"event", "createdAt", "hookId"}} == more


def test_logto_cannot_carry_bytes() -> None:
    with pytest.raises(ValueError, match="no JSON"):
        write("logto", event_of(b"\x00", binary=True))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda one: st.lists(one, max_size=2), max_leaves=4
)


@given(st.dictionaries(st.text(max_size=12), _JSON, max_size=6), st.sampled_from(["PostRegister", "Role.Created", "x"]))
def test_logto_keeps_every_value(data: dict[str, Any], kind: str) -> None:
    body = write("logto", event_of(json.dumps(data).encode(), kind)).body
    found = json.loads(body)
    reserved = {"event", "createdAt", "hookId"}
    assert {name: value for name, value in found.items() if name not in reserved} == {
        name: value for name, value in data.items() if name not in reserved
    }
    assert list(found)[-1] == "hookId"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            "PostSignIn",
            '{"event":"PostSignIn","interactionEvent":"SignIn","createdAt":"2026-11-23T12:00:00.250Z","sessionId":"s",'
            '"userAgent":"x","userId":"u","userIp":"::1","user":{"id":"u","name":"Zoë ☃"},"application":{"id":"a"},'
            '"hookId":"HOOK"}',
        ),
        (
            "Role.Scopes.Updated",
            '{"event":"Role.Scopes.Updated","createdAt":"2026-11-23T12:00:00.250Z","userAgent":"x","ip":"::1","path":'
            '"/roles/r/scopes","method":"POST","status":201,"params":{"id":"r"},"matchedRoute":"/roles/:id/scopes",'
            '"data":[{"id":"s"}],"hookId":"HOOK"}',
        ),
    ],
)
def test_a_webhook_of_logtos_that_came_in_goes_out_with_the_same_bytes_but_the_hooks_name(kind: str, body: str) -> None:
    came = body.replace("HOOK", "at25al5gmnq04jmqq1qb5").encode()
    assert write("logto", event_of(came, kind)).body == body.replace("HOOK", "welcome").encode()
