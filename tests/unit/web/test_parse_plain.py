"""hookrt's own form of an event: what is taken, and what a mistake in it is answered with."""

from datetime import UTC, datetime

import pytest

from hookrt.errors import EventError, EventTooLarge
from hookrt.web.malformed import Malformed
from hookrt.web.parse_events import MAX_BATCH, Form, Limits, parse_events


def parse(body: bytes, form: Form = Form.PLAIN, limits: Limits | None = None):
    return parse_events(form, (), body, limits or Limits())


def refuse(body: bytes, form: Form = Form.PLAIN) -> EventError:
    with pytest.raises(EventError) as caught:
        parse(body, form)
    return caught.value


def test_data_is_kept_byte_for_byte_as_it_came_in():
    data = b'{ "b":1.10, "a" : 1E5,\n "n":123456789012345678901234567890, "s":"\\u00e9\xc3\xa9" }'
    [draft] = parse(b'{"type":"A.B","data": ' + data + b" }").drafts
    assert draft.content == data


def test_an_event_without_data_has_null():
    [draft] = parse(b'{"type":"A"}').drafts
    assert draft.content == b"null"
    assert draft.id is None
    assert draft.source is None


def test_all_keys_are_taken():
    body = (
        b'{"type":"A","id":"1","source":"shop","subject":"x","time":"2026-01-31T12:00:00+02:00","data":[],'
        b'"attributes":{"traceparent":"00-ab","count":3,"flag":true}}'
    )
    [draft] = parse(body).drafts
    assert (draft.type, draft.id, draft.source, draft.subject) == ("A", "1", "shop", "x")
    assert draft.time == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert draft.attributes == {"traceparent": "00-ab", "count": 3, "flag": True}


@pytest.mark.parametrize(
    ("key", "meant"),
    [("payload", "data"), ("tpye", "type"), ("event", "type"), ("timestamp", "time"), ("Data", "data")],
)
def test_an_unknown_key_is_named_with_a_did_you_mean(key, meant):
    error = refuse(f'{{"type":"A","{key}":1}}'.encode())
    assert f"unknown key {key!r} (did you mean {meant!r}?)" in str(error)
    assert "type, data, id, source, subject, time, attributes" in str(error)


def test_all_unknown_keys_are_named_at_once():
    error = refuse(b'{"type":"A","payload":1,"zzz":2}')
    assert "'payload'" in str(error)
    assert "'zzz'" in str(error)


def test_a_cloudevent_sent_as_plain_json_is_told_its_content_type():
    error = refuse(b'{"specversion":"1.0","type":"A","source":"s","id":"1"}')
    assert "application/cloudevents+json" in str(error)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"data":1}', "no 'type'"),
        (b'{"type":1}', "'type' is wrong"),
        (b'{"type":"A","id":7}', "'id' is wrong: expected text or null, got a whole number"),
        (b'{"type":"A","time":"2026-01-31T12:00:00"}', "has no zone"),
        (b'{"type":"A","time":"yesterday"}', "RFC 3339"),
        (b'{"type":"A","time":5}', "RFC 3339"),
        (b'{"type":"A","time":"0001-01-01T00:00:00+05:00"}', "outside the years"),
        (b'{"type":"A","attributes":{"a":[1]}}', "'attributes' is wrong"),
        (b'{"type":"A","attributes":{"Big":1}}', "lower-case"),
        (b'{"type":"A","attributes":{"source":"x"}}', "CloudEvents' own"),
        (b'{"type":"A","attributes":{"a":3000000000}}', "32 bits"),
        (b'{"type":"A","attributes":{"a":"x\\ny"}}', "control character"),
        (b'"text"', "this is a JSON text"),
        (b"17", "a JSON object"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(body, words):
    assert words in str(refuse(body))


@pytest.mark.parametrize(
    ("body", "words", "position", "line", "column"),
    [
        (b'{"type":"A",\n "data": {"a": nul}}', "expecting value", 28, 2, 16),
        (b'{"type":"A","data":NaN}', "NaN is no JSON value", 19, 1, 20),
        (b'{"type":"A","data":[-Infinity]}', "-Infinity is no JSON value", 20, 1, 21),
        (b'\xef\xbb\xbf{"type":"A"}', "byte order mark", 0, 1, 1),
        (b'{"type":"A",\n"data":"\xff"}', "not UTF-8", 21, 2, 9),
        (b'{"type":"\xc3\xa9",\n\n"data":1,}', "malformed", None, 3, None),
        (b'{"type":"A"', "too early", 11, 1, 12),
        (b"  \n ", "empty", 4, 1, None),
        (b'{"type":"A"} x', "extra data", 13, 1, 14),
        (b'{"type":"A","data":1e999}', "too large", 19, 1, 20),
        (b'{"type":"A","data":"\\ud800"}', "\\ud800 is half of a surrogate pair", 20, 1, 21),
    ],
)
def test_malformed_json_is_answered_with_reason_and_position(body, words, position, line, column):
    error = refuse(body)
    assert isinstance(error, Malformed)
    assert words in str(error)
    assert error.line == line
    if position is not None:
        assert error.position == position
    if column is not None:
        assert error.column == column


def test_data_that_only_a_full_reading_refuses_is_refused():
    assert "UTF-8" in str(refuse(b'{"type":"A","data":{"deep":["\xc0\x80"]}}'))


def test_depth_at_most_64():
    deepest = b"[" * 64 + b"]" * 64
    assert parse(b'{"type":"A","data":' + deepest + b"}").drafts[0].content == deepest
    assert "64 levels" in str(refuse(b'{"type":"A","data":[' + deepest + b"]}"))
    assert parse(b'[{"type":"A","data":' + deepest + b"}]").drafts[0].content == deepest
    assert "64 levels" in str(refuse(b'[{"type":"A","data":[' + deepest + b"]}]"))


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 65 + b'"' + b'\\"' * 500_000])
def test_hostile_nesting_is_refused_at_once(body):
    assert isinstance(refuse(body), EventError)


def test_an_event_above_its_limit_is_too_large():
    limits = Limits(event=40, batch=200)
    assert parse(b'{"type":"A","data":"' + b"x" * 18 + b'"}', limits=limits).drafts
    with pytest.raises(EventTooLarge, match="40 bytes"):
        parse(b'{"type":"A","data":"' + b"x" * 19 + b'"}', limits=limits)


def test_a_json_array_is_a_batch_in_its_order():
    parsed = parse(b' \n[ {"type":"A"}, {"type":"B","data":[1, 2]} ]')
    assert parsed.batch
    assert [draft.type for draft in parsed.drafts] == ["A", "B"]
    assert parsed.drafts[1].content == b"[1, 2]"


def test_an_empty_array_is_an_empty_batch():
    parsed = parse(b"[]")
    assert parsed.batch
    assert not parsed.drafts


def test_a_batch_names_the_offending_index_and_its_place():
    error = refuse(b'[{"type":"A"},\n {"type":"B","tpye":1},\n {"type":"C"}]')
    assert error.index == 1
    assert "at index 1" in str(error)
    assert error.line == 2
    late = refuse(b'[{"type":"A"},\n {"type":"A"},\n {"type":"A","data":"\xff"}]')
    assert isinstance(late, Malformed)
    assert (late.line, late.position) == (3, 51)


def test_a_batch_with_an_event_above_its_limit_names_it():
    with pytest.raises(EventTooLarge, match="index 1") as caught:
        parse(b'[{"type":"A"},{"type":"A","data":"' + b"x" * 40 + b'"}]', limits=Limits(event=30, batch=500))
    assert caught.value.index == 1


def test_a_batch_of_too_many_events_is_too_large():
    body = b"[" + b",".join([b'{"type":"A"}'] * (MAX_BATCH + 1)) + b"]"
    with pytest.raises(EventTooLarge, match=str(MAX_BATCH)):
        parse(body)
    with pytest.raises(EventTooLarge, match=str(MAX_BATCH)):
        parse(b'{"type":"A"}\n' * (MAX_BATCH + 1), Form.LINES)


def test_ndjson_takes_one_event_a_line_and_skips_blank_lines():
    parsed = parse(b'{"type":"A"}\r\n\n  \n{"type":"B","data":{"x" : 1}}', Form.LINES)
    assert parsed.batch
    assert [draft.type for draft in parsed.drafts] == ["A", "B"]
    assert parsed.lines == [1, 4]
    assert parsed.drafts[1].content == b'{"x" : 1}'


def test_ndjson_names_the_offending_line():
    error = refuse(b'{"type":"A"}\n\n{"type":"B","data":tru}\n', Form.LINES)
    assert isinstance(error, Malformed)
    assert (error.line, error.index, error.column) == (3, 1, 20)
    assert str(error).startswith("line 3, column 20:")


def test_ndjson_depth_is_counted_for_each_line():
    parsed = parse((b'{"type":"A","data":' + b"[" * 40 + b"]" * 40 + b"}\n") * 3, Form.LINES)
    assert len(parsed.drafts) == 3


def test_ndjson_without_a_line_is_refused():
    assert "empty" in str(refuse(b"\n \n", Form.LINES))
