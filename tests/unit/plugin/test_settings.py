"""Settings: strict, without unknown keys, with durations and sizes as people write them."""

import json
from datetime import date, timedelta
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hookrt.plugin import Duration, Secret, Settings, Size
from hookrt.plugin.settings import MAX_DURATION, MAX_SIZE, format_duration, format_size, parse_duration, parse_size


class Level(StrEnum):
    LOW = "low"


class Model(Settings):
    wait: Duration = timedelta(seconds=1)
    room: Size = 0
    count: int = 0
    on: bool = False
    token: Secret | None = None
    level: Level = Level.LOW
    day: date | None = None
    pair: tuple[int, str] | None = None


def read(**values):
    return Model.model_validate_json(json.dumps(values))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("250ms", 0.25),
        ("15s", 15),
        ("1.5m", 90),
        ("2h", 7200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("1m1s1ms", 61.001),
    ],
)
def test_a_duration_is_a_number_with_a_unit(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)
    assert read(wait=text).wait == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "15", "15 s", "12:30", "-5s", "s", "1y", "٣s", "1h 30m", "1e3s", "5S", 15, None, True]
)
def test_what_shows_no_unit_is_no_duration(text):
    with pytest.raises(ValueError, match="is no duration: write a number with a unit"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["3651d", "9" * 5000 + "s", "1e9d".replace("e9", "0" * 300)])
def test_a_duration_beyond_ten_years_is_a_slip(text):
    with pytest.raises(ValueError, match="longer than ten years"):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=MAX_DURATION))
def test_a_duration_is_shown_as_it_is_read(duration):
    whole = timedelta(milliseconds=duration // timedelta(milliseconds=1))
    assert parse_duration(format_duration(whole)) == whole


@pytest.mark.parametrize(
    ("text", "size"),
    [("0B", 0), ("64KiB", 65536), ("64 KiB", 65536), ("1MiB", 1048576), ("500kB", 500_000), ("1.5KB", 1500), (7, 7)],
)
def test_a_size_is_bytes_or_a_number_with_a_unit(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "1", "1 mib", "MiB", "-1B", "1TiB", -1, True, None, 1.5])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="is no size"):
        parse_size(text)


@pytest.mark.parametrize("text", ["1025GiB", "9" * 400 + "GB"])
def test_a_size_beyond_a_terabyte_is_a_slip(text):
    with pytest.raises(ValueError, match="more than a terabyte"):
        parse_size(text)


@pytest.mark.parametrize(
    "wrong", [{"count": "7"}, {"count": 1.5}, {"on": "yes"}, {"on": 1}, {"level": 1}, {"unknown": 1}]
)
def test_nothing_is_converted_and_unknown_keys_are_errors(wrong):
    with pytest.raises(ValidationError):
        read(**wrong)


def test_enums_dates_and_tuples_are_read_from_json():
    settings = read(level="low", day="2025-01-31", pair=[1, "a"])
    assert (settings.level, settings.day, settings.pair) == (Level.LOW, date(2025, 1, 31), (1, "a"))


def test_a_secret_is_never_shown():
    settings = read(token="s3cret")
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in settings.model_dump_json()
    assert settings.token.get_secret_value() == "s3cret"


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError):
        read().count = 1


def test_editors_learn_how_to_write_durations_and_sizes():
    properties = Model.model_json_schema()["properties"]
    assert properties["wait"]["type"] == "string"
    assert properties["wait"]["examples"]
    assert properties["room"]["type"] == ["string", "integer"]


@given(st.integers(0, MAX_SIZE))
def test_a_size_is_written_so_that_it_is_read_again(count: int) -> None:
    assert parse_size(format_size(count)) == count


def test_a_size_is_written_in_the_largest_unit_that_fits() -> None:
    assert [format_size(count) for count in (0, 64, 65536, 3 * 2**20, 2**30 + 1024)] == [
        "0B",
        "64B",
        "64KiB",
        "3MiB",
        "1048577KiB",
    ]
