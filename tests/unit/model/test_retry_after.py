"""Retry-After, in seconds or as a date, from endpoints that may send anything."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.model.policy import MAX_DELAY
from hookrt.model.retry_after import parse_retry_after

DATE = "Wed, 01 Jan 2025 12:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0), ("120", 120), (" 7 ", 7), ("1.5", 1.5), ("5.", 5), (".5", 0.5), ("86400", 86400)],
)
def test_seconds_are_read(value, seconds):
    assert parse_retry_after(value, None) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", ["86401", "9" * 30, "9" * 400, "Fri, 01 Jan 9999 00:00:00 GMT"])
def test_no_wait_is_longer_than_a_day(value):
    assert parse_retry_after(value, DATE) == MAX_DELAY


def test_a_date_is_measured_against_the_responses_own_clock():
    assert parse_retry_after("Wed, 01 Jan 2025 12:02:00 GMT", DATE) == timedelta(minutes=2)
    assert parse_retry_after("Wednesday, 01-Jan-25 12:02:00 GMT", DATE) == timedelta(minutes=2)


def test_a_date_in_the_past_means_now():
    assert parse_retry_after("Tue, 31 Dec 2024 12:00:00 GMT", DATE) == timedelta(0)


def test_a_date_without_the_responses_own_date_says_nothing():
    assert parse_retry_after("Wed, 01 Jan 2025 12:02:00 GMT", None) is None
    assert parse_retry_after("Wed, 01 Jan 2025 12:02:00 GMT", "nonsense") is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "soon",
        "-5",
        "+5",
        "1e3",
        "1_0",
        "٣",
        "1,5",
        "1.2.3",
        ".",
        "Mon, 01 Jan 2024 00:00:00 +99999999999999",
    ],
)
def test_what_cannot_be_read_says_nothing(value):
    assert parse_retry_after(value, DATE) is None


@given(st.text(), st.text())
def test_anything_is_read_without_an_error(value, date):
    parse_retry_after(value, date)


@given(st.text(alphabet="0123456789 ,:+-GMTJan", max_size=40))
def test_whatever_is_read_lies_between_nothing_and_a_day(value):
    read = parse_retry_after(value, DATE)
    assert read is None or timedelta(0) <= read <= MAX_DELAY
