"""Events as people hand them to a command."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from hookrt.cli import event_input
from hookrt.cli.event_input import plain_form, read_data, read_event
from hookrt.errors import EventError, EventTooLarge
from hookrt.model.event import format_time


def _stdin(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))


def test_an_event_is_read_in_place_from_a_file_and_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '{"type": "User.Created", "data": {"n": 1.10}, "id": "e1", "subject": "u1"}'
    path = tmp_path / "event.json"
    path.write_text(text)
    _stdin(monkeypatch, text.encode())
    inline, file, stdin = read_event(text), read_event(str(path)), read_event("-")
    assert inline.content == file.content == stdin.content == b'{"n": 1.10}'
    assert (inline.type, inline.id, inline.subject, inline.source) == ("User.Created", "e1", "u1", "http")


def test_a_structured_cloudevent_is_an_event_too() -> None:
    given = {"specversion": "1.0", "type": "T", "id": "1", "source": "/s", "time": "2026-01-31T12:00:00Z", "data": 5}
    event = read_event(json.dumps(given))
    assert (event.source, event.content, format_time(event.time)) == ("/s", b"5", "2026-01-31T12:00:00Z")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"type": "T", "data": {,}}', "line 1, column 24"),
        ('{"data": {}}', "no 'type'"),
        ('{"type": "T", "payload": {}}', "did you mean 'data'"),
        ('{"type": "a b"}', "'type' is 'a b'"),
        ('{"type": "T", "id": "a\\u0000"}', "control character"),
        ('{"specversion": "1.0", "type": "T"}', "no 'id'"),
        ("[1]", 'an event is a JSON object like {"type": "User.Created", "data": {}}, this is a JSON array'),
        (" []", "this is a JSON array"),
        ('[{"type": "T"}, 1]', "this is a JSON array"),
        ('[{"type": "T"}, {"type": "T"}]', "here are 2 events, one is needed"),
        ("[1", "line 1, column 3"),
        ('"T"', "this is a JSON text"),
        ('{"type": "T", "data": ' + "[" * 5000 + "]" * 5000 + "}", "levels deep"),
    ],
)
def test_a_bad_event_names_what_is_wrong_and_where(text: str, said: str) -> None:
    with pytest.raises(EventError, match="the event: ") as caught:
        read_event(text)
    assert said in str(caught.value)


def test_a_bad_event_in_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    bad = {b"": "empty", b"\xff\xfe": "UTF-8", b"[]": "JSON array", b"[1]": "JSON array", b"17": "JSON object"}
    for text, said in bad.items():
        path.write_bytes(text)
        with pytest.raises(EventError, match=r"event\.json: ") as caught:
            read_event(str(path))
        assert said in str(caught.value)


def test_a_file_beyond_the_limit_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_input, "MAX_INPUT", 10)
    path = tmp_path / "event.json"
    path.write_bytes(b" " * 11)
    with pytest.raises(EventTooLarge, match=r"event\.json has more than"):
        read_event(str(path))


def test_data_is_json_in_place_a_file_after_at_or_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(b'{"n": 1.10}\n')
    _stdin(monkeypatch, b"[1]")
    assert read_data('{"n": 1.10}') == b'{"n": 1.10}'
    assert read_data(f"@{path}") == b'{"n": 1.10}'
    assert read_data("-") == b"[1]"


@pytest.mark.parametrize("text", ["{a: 1}", "", "{'a': 1}", "NaN", "[1,]", "@"])
def test_data_that_is_no_json_is_refused_with_its_place(text: str, tmp_path: Path) -> None:
    with pytest.raises((EventError, OSError)):
        read_data(text)


def test_data_goes_out_byte_for_byte() -> None:
    body = plain_form("T", b'{"n": 1.10, "big": 123456789012345678901234567890}', id_="x", source=None, subject='"')
    assert body == b'{"type":"T","id":"x","subject":"\\"","data":{"n": 1.10, "big": 123456789012345678901234567890}}'


def test_a_type_that_is_none_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(EventError, match="'type'"):
        plain_form("User.*", b"null", id_=None, source=None, subject=None)
