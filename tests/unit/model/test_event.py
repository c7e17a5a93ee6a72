"""Events: what is accepted, what is refused and how, and what expressions see."""

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.errors import EventError
from hookrt.model.event import MAX_NAME, Event, check_event, check_type, encode_data, format_time

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def make(**fields):
    return Event(**{"id": "e1", "type": "User.Created", "source": "app", "time": NOON, **fields})


@pytest.mark.parametrize(
    "name", ["A", "User.Created", "user.data.updated", "com.example/x", "Ünï.Ködé", "a-b_c:d", "x" * 255]
)
def test_a_type_is_segments_joined_by_dots(name):
    check_type(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "A.", ".A", "A..B", "A B", "A\tB", "A\n", "User.*", "**", "A\0", "A\x85", "A\x7f", "A\udc80", "x" * 256],
)
def test_a_type_without_segments_or_with_blanks_stars_or_control_characters_is_refused(name):
    with pytest.raises(EventError, match="'type'"):
        check_type(name)


@pytest.mark.parametrize("field", ["id", "source", "subject"])
@pytest.mark.parametrize("bad", ["", "a\0b", "a\nb", "\x1b[2J", "a\x9f", "\ud800", "x" * (MAX_NAME + 1)])
def test_ids_sources_and_subjects_carry_no_nul_or_control_characters(field, bad):
    with pytest.raises(EventError, match=f"'{field}'"):
        check_event(make(**{field: bad}))


def test_a_control_character_is_named_with_its_position():
    with pytest.raises(EventError, match=r"'id' has a control character \(\\x1b\) at position 3"):
        check_event(make(id="ab\x1bc"))


def test_names_may_hold_spaces_and_any_script():
    check_event(make(id="order 12 / ü", source="https://example.com/π", subject="日本"))


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(EventError, match="'time' has no zone"):
        check_event(make(time=datetime(2025, 1, 1)))  # noqa: DTZ001 - the very thing


@pytest.mark.parametrize(
    "time",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=1))),
    ],
)
def test_a_time_outside_the_calendar_in_utc_is_refused(time):
    with pytest.raises(EventError, match="'time'"):
        check_event(make(time=time))


@pytest.mark.parametrize("name", ["", "Upper", "with-dash", "a" * 65, "a b", "ü"])
def test_an_attribute_is_named_with_lower_case_letters_and_digits(name):
    with pytest.raises(EventError, match="attribute"):
        check_event(make(attributes={name: "x"}))


def test_cloudevents_extensions_are_accepted():
    check_event(make(attributes={"traceparent": "00-1-2-01", "sequence": 7, "sampled": True}))


def test_an_attribute_with_a_control_character_is_refused():
    with pytest.raises(EventError, match="attribute 'x1'"):
        check_event(make(attributes={"x1": "a\r\nInjected: yes"}))


def test_a_content_type_with_a_control_character_is_refused():
    with pytest.raises(EventError, match="'datacontenttype'"):
        check_event(make(content_type="text/plain\r\nX: y"))


def test_json_deeper_than_64_levels_is_refused():
    check_event(make(content=b"[" * 64 + b"]" * 64))
    with pytest.raises(EventError, match="64 levels"):
        check_event(make(content=b"[" * 65 + b"]" * 65))


def test_binary_content_is_not_read_as_json():
    event = make(content=b"[" * 1000 + b"\xff", binary=True)
    check_event(event)
    assert event.data is None
    assert event.data_base64 == "W1tb" * 333 + "W/8="
    assert event.as_dict()["data_base64"] == event.data_base64


def test_the_data_keep_their_bytes():
    content = b'{"a": 1.10,  "big": 123456789012345678901234567890}'
    event = make(content=content)
    assert event.data == {"a": 1.1, "big": 123456789012345678901234567890}
    assert event.content == content


def test_the_data_are_decoded_once_and_fresh_ones_belong_to_nobody_else():
    event = make(content=b'{"a": []}')
    assert event.data is event.data
    other = event.fresh()
    assert other == event
    other.data["a"].append(1)
    assert event.data == {"a": []}


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda event: pickle.loads(pickle.dumps(event))])
def test_a_copy_of_an_event_still_decodes_its_data(copied):
    assert copied(make(content=b"[1]")).data == [1]


def test_an_event_cannot_be_changed():
    with pytest.raises(AttributeError):
        make().id = "other"


def test_expressions_see_plain_values():
    event = make(subject="u1", content=b'{"n": 1}', attributes={"x": "y"})
    assert event.as_dict() == {
        "id": "e1",
        "type": "User.Created",
        "source": "app",
        "subject": "u1",
        "time": "2025-01-01T12:00:00Z",
        "data": {"n": 1},
        "attributes": {"x": "y"},
    }


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "2025-01-01T12:00:00Z"),
        (NOON.replace(microsecond=5), "2025-01-01T12:00:00.000005Z"),
        (datetime(2025, 1, 1, 2, tzinfo=timezone(timedelta(hours=3))), "2024-12-31T23:00:00Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
    ],
)
def test_times_are_shown_in_utc(moment, text):
    assert format_time(moment) == text


@pytest.mark.parametrize("data", [float("nan"), float("inf"), {"a": [1, -float("inf")]}, [None, (float("nan"),)]])
def test_nan_and_infinity_are_no_json(data):
    with pytest.raises(EventError, match="NaN"):
        encode_data(data)


def test_none_is_json():
    assert encode_data({"a": None, "b": [1.5, None]}) == b'{"a":null,"b":[1.5,null]}'


def test_what_json_cannot_carry_is_refused():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    for data in (object(), {"a": object()}, "\ud800", deep, {(1, 2): 3}):
        with pytest.raises(EventError, match="'data' is not JSON"):
            encode_data(data)


@given(st.text(), st.text(), st.text(), st.text())
def test_any_text_is_accepted_or_refused_with_words(type_, id_, source, subject):
    said = ""
    try:
        check_event(make(type=type_, id=id_, source=source, subject=subject))
        (type_ + id_ + source + subject).encode()
    except EventError as error:
        said = str(error)
    assert said == "" or said.isprintable()
