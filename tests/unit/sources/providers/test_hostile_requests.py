"""Whatever comes over the wire, a source answers it or refuses it; nothing else ever leaves it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hookrt.plugin import Event, EventError, Inbound, Received, Refused, Reply, check_event

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SENDERS_WORDS = (
    "action id type event subtype event_id event_time challenge payload command trigger_id team channel item object",
    "object_kind event_name object_attributes status project repository organization created data related_object",
    "specversion source subject time datacontenttype data_base64 MessageSid MessageStatus CallSid CallStatus",
)
KEYS = [word for line in SENDERS_WORDS for word in line.split()]
OBJECTS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)
BODIES = (
    st.binary(max_size=200)
    | OBJECTS.map(lambda value: json.dumps(value).encode())
    | st.lists(OBJECTS, max_size=3).map(lambda value: json.dumps(value).encode())
    | OBJECTS.map(lambda value: b"payload=" + quote_plus(json.dumps(value)).encode())
    | st.just(b'{"type":"event_callback","event":{"type":"x","channel":[]}}')
)
HEADER = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=40)
MEDIA = st.sampled_from(
    (
        "application/json",
        "application/json; charset=utf-16",
        "application/x-www-form-urlencoded",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "a/b+json",
        "text/xml",
        ";",
        "",
    )
)
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def say(sender: Any, request: Inbound) -> Received | Reply | Refused | list[Received]:
    """What a source makes of it, found to be something that an event can be."""
    try:
        said = sender.receive(request)
    except Refused as refused:
        return refused
    for one in said if isinstance(said, list) else [said]:
        if isinstance(one, Received):
            check(one, request)
    return said


def check(one: Received, request: Inbound) -> None:
    content = one.data if isinstance(one.data, bytes) else json.dumps(one.data).encode()
    event = Event(
        id=one.id or "hash",
        type=one.type,
        source="sender",
        time=one.time or request.received,
        subject=one.subject,
        content=content,
        content_type=one.content_type,
        binary=one.binary,
        attributes=one.attributes,
    )
    try:
        check_event(event)
    except EventError as error:
        raise AssertionError(f"{one!r}: {error}") from error


@QUIET
@given(data=st.data())
def test_any_headers_query_and_body_are_answered_or_refused(sender: Any, data: st.DataObject) -> None:
    known = sorted(
        {*sender.request().headers, "authorization", "ce-specversion", "ce-id", "i-twilio-idempotency-token"}
    )
    headers = data.draw(st.dictionaries(st.sampled_from(known), HEADER, max_size=6))
    query = data.draw(st.dictionaries(st.sampled_from(["bodySHA256", "access_token"]), HEADER, max_size=2))
    url = data.draw(st.just("https://a.example/in/x?b") | st.text(max_size=30))
    method = data.draw(st.sampled_from(["POST", "OPTIONS", "GET"]))
    said = say(sender, replace(sender.request(), method=method, headers=headers, query=query, url=url))
    assert isinstance(said, (Refused, Reply))


@QUIET
@given(body=BODIES, media=MEDIA)
@example(b'{"event":{"type":"\\u0000"},"type":"\\u0085"}', "application/json")
@example(b'{"type":"a","created":1e300}', "application/json")
@example(b"a" * 300 + b"=", "application/x-www-form-urlencoded")
def test_any_body_is_answered_or_refused_also_when_it_is_signed(sender: Any, body: bytes, media: str) -> None:
    request = sender.request(body)
    say(sender, request)
    say(sender, replace(request, headers={**request.headers, "content-type": media}))


@QUIET
@given(data=st.data())
def test_any_header_beside_the_signature_is_answered_or_refused(sender: Any, data: st.DataObject) -> None:
    request = sender.request()
    beside = sorted(set(request.headers) - {sender.proof, "content-type"} | {"i-twilio-idempotency-token"})
    headers = data.draw(st.dictionaries(st.sampled_from(beside), HEADER, max_size=4))
    say(sender, replace(request, headers={**request.headers, **headers}))
