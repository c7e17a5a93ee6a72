"""CloudEvents over HTTP, structured, in a batch, and binary."""

import json
from datetime import UTC, datetime

import pytest

from hookrt.errors import EventError
from hookrt.web.parse_events import Form, Limits, UnknownForm, form_of, parse_events

CORE = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "Order.Paid"}


def structured(**more):
    body = json.dumps({**CORE, **more}).encode()
    [draft] = parse_events(Form.STRUCTURED, (), body, Limits()).drafts
    return draft


def binary(headers, body=b"", content_type: str | None = "application/json"):
    given = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "Order.Paid", **headers}
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value is not None]
    if content_type is not None:
        pairs.append((b"content-type", content_type.encode()))
    [draft] = parse_events(Form.BINARY, pairs, body, Limits()).drafts
    return draft


def test_a_structured_cloudevent_keeps_its_extensions_and_its_data_byte_for_byte():
    body = (
        b'{"specversion":"1.0","id":"1","source":"/shop","type":"Order.Paid","subject":"o1","time":"2026-01-01T00:00:00Z",'
        b'"datacontenttype":"application/json","dataschema":"https://s.example/1","tenant":"t1","prio":2,"hot":true,'
        b'"gone":null,"data": { "a" : 1.10 }}'
    )
    [draft] = parse_events(Form.STRUCTURED, (), body, Limits()).drafts
    assert (draft.id, draft.source, draft.type, draft.subject) == ("1", "/shop", "Order.Paid", "o1")
    assert draft.time == datetime(2026, 1, 1, tzinfo=UTC)
    assert draft.content == b'{ "a" : 1.10 }'
    assert draft.content_type == "application/json"
    assert draft.attributes == {"dataschema": "https://s.example/1", "tenant": "t1", "prio": 2, "hot": True}


def test_null_attributes_count_as_absent():
    draft = structured(subject=None, time=None, datacontenttype=None, data_base64=None, data=None)
    assert (draft.subject, draft.time, draft.content_type, draft.content) == (None, None, None, b"null")


def test_data_base64_becomes_binary_data():
    draft = structured(data_base64="AAEC/w==", datacontenttype="image/png")
    assert draft.binary
    assert draft.content == b"\x00\x01\x02\xff"
    assert draft.content_type == "image/png"


def test_text_data_of_another_type_stays_a_json_text():
    draft = structured(data="<a/>", datacontenttype="text/xml")
    assert not draft.binary
    assert draft.content == b'"<a/>"'


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"specversion": None}, "no 'specversion'"),
        ({"specversion": "0.3"}, "only CloudEvents 1.0"),
        ({"specversion": 1.0}, "only CloudEvents 1.0"),
        ({"id": None}, "no 'id'"),
        ({"source": None}, "no 'source'"),
        ({"type": None}, "no 'type'"),
        ({"id": 5}, "'id' must be a text"),
        ({"time": "2026-01-01T00:00:00"}, "with its zone"),
        ({"time": 5}, "'time' must be a text"),
        ({"Tenant": "x"}, "lower-case"),
        ({"my_tenant": "x"}, "lower-case"),
        ({"tenant": {"a": 1}}, "a text, a whole number or a boolean"),
        ({"tenant": 1.5}, "a text, a whole number or a boolean"),
        ({"tenant": 2**31}, "32 bits"),
        ({"datacontenttype": "a\nb"}, "control character"),
        ({"data": 1, "data_base64": "AA=="}, "not both"),
        ({"data_base64": "A*"}, "not base64"),
        ({"data_base64": 5}, "must be a text"),
    ],
)
def test_what_is_no_cloudevent_is_refused_with_the_reason(more, words):
    with pytest.raises(EventError, match=words):
        structured(**more)


def test_a_cloudevents_batch_names_the_offending_index():
    body = json.dumps([CORE, {**CORE, "id": None}]).encode()
    with pytest.raises(EventError, match="index 1: the CloudEvent has no 'id'") as caught:
        parse_events(Form.STRUCTURED_BATCH, (), body, Limits())
    assert caught.value.index == 1


def test_a_cloudevents_batch_may_be_empty():
    parsed = parse_events(Form.STRUCTURED_BATCH, (), b"[]", Limits())
    assert parsed.batch
    assert not parsed.drafts


def test_a_cloudevents_batch_must_be_an_array():
    with pytest.raises(EventError, match="array"):
        parse_events(Form.STRUCTURED_BATCH, (), json.dumps(CORE).encode(), Limits())


def test_a_binary_cloudevent_takes_attributes_from_headers_and_json_from_the_body():
    draft = binary({"ce-subject": "o1", "ce-time": "2026-01-01T00:00:00Z", "ce-tenant": "t1"}, b'{ "a":1.10 }')
    assert (draft.subject, draft.attributes, draft.content) == ("o1", {"tenant": "t1"}, b'{ "a":1.10 }')
    assert not draft.binary


@pytest.mark.parametrize("content_type", ["image/png", "text/plain", "application/xml; charset=latin-1", None])
def test_a_binary_cloudevent_of_any_other_type_keeps_its_bytes(content_type):
    draft = binary({}, b"\x00\xff", content_type)
    assert draft.binary
    assert draft.content == b"\x00\xff"
    assert draft.content_type == content_type


def test_a_binary_cloudevent_without_a_body_has_null():
    draft = binary({})
    assert (draft.content, draft.binary) == (b"null", False)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ('"quoted \\"text\\""', 'quoted "text"'),
        ("plain text", "plain text"),
        ("50%", "50%"),
        ("%41%42", "AB"),
        ("%2541", "%41"),
    ],
)
def test_header_values_are_unquoted_and_percent_decoded_once(value, read):
    assert binary({"ce-note": value}).attributes == {"note": read}


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"ce-note": "%C0%A0"}, "not UTF-8"),
        ({"ce-note": "%0A"}, "control character"),
        ({"ce-my_note": "x"}, "lower-case"),
        ({"ce-datacontenttype": "text/plain"}, "Content-Type"),
        ({"ce-specversion": None}, "no 'specversion'"),
        ({"ce-type": None}, "no 'type'"),
        ({"ce-data": "x"}, "data"),
    ],
)
def test_bad_cloudevents_headers_are_refused(headers, words):
    with pytest.raises(EventError, match=words):
        binary(headers)


def test_a_binary_cloudevent_with_malformed_json_says_where():
    with pytest.raises(EventError, match="byte 5"):
        binary({}, b'{"a":x}')


def test_the_same_header_twice_is_refused():
    pairs = [(b"ce-specversion", b"1.0"), (b"ce-id", b"1"), (b"ce-id", b"2")]
    with pytest.raises(EventError, match="twice"):
        parse_events(Form.BINARY, pairs, b"", Limits())


@pytest.mark.parametrize(
    ("head", "form"),
    [
        ({b"content-type": b"application/json"}, Form.PLAIN),
        ({b"content-type": b"Application/JSON; charset=UTF-8"}, Form.PLAIN),
        ({b"content-type": b"application/x-ndjson"}, Form.LINES),
        ({b"content-type": b"application/cloudevents+json; charset=utf-8"}, Form.STRUCTURED),
        ({b"content-type": b"application/cloudevents-batch+json"}, Form.STRUCTURED_BATCH),
        ({b"content-type": b"application/json", b"ce-specversion": b"1.0"}, Form.BINARY),
        ({b"ce-type": b"A"}, Form.BINARY),
        ({b"content-type": b"application/cloudevents+json", b"ce-specversion": b"1.0"}, Form.STRUCTURED),
    ],
)
def test_the_content_type_tells_the_form(head, form):
    assert form_of(head) is form


@pytest.mark.parametrize(
    "content_type", [b"", b"text/plain", b"application/cloudevents+avro", b"application/json; charset=latin-1", b"\xff"]
)
def test_another_content_type_is_refused_with_a_sentence(content_type):
    with pytest.raises(UnknownForm):
        form_of({b"content-type": content_type})
