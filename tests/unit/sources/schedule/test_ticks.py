"""When a schedule ticks, also where clocks change; the dates are those of the EU and the US in 2026."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.sources.schedule_ticks import ALIASES, CronTicks, EvenTicks, next_ticks, read_cron, read_zone, ticks_between

BERLIN = read_zone("Europe/Berlin")
GAP, OVERLAP = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)


def local(expression: str, after: datetime, most: int) -> list[str]:
    found = next_ticks(CronTicks(expression, BERLIN), after, most)
    return [tick.astimezone(BERLIN).isoformat() for tick in found]


def test_a_fixed_time_that_does_not_exist_comes_at_the_first_minute_that_does() -> None:
    assert local("30 2 * * *", GAP - timedelta(days=1), 3) == [
        "2026-03-28T02:30:00+01:00",
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_several_fixed_times_that_do_not_exist_are_one() -> None:
    assert local("0,30 2,3 * * *", GAP, 3) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-29T03:30:00+02:00",
        "2026-03-30T02:00:00+02:00",
    ]


def test_a_fixed_time_that_exists_twice_comes_the_first_time_only() -> None:
    assert local("30 2 * * *", OVERLAP, 2) == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]


def test_in_the_second_of_two_equal_hours_the_first_one_is_not_due_again() -> None:
    second = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time
    assert local("30 2 * * *", second, 1) == ["2026-10-26T02:30:00+01:00"]


def test_what_runs_by_the_hour_follows_the_time_that_passes() -> None:
    assert [tick[11:16] for tick in local("0 * * * *", GAP, 3)] == ["03:00", "04:00", "05:00"]
    assert local("0 * * * *", OVERLAP - timedelta(hours=1), 3) == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]


@given(
    st.sampled_from(["30 2 * * *", "0,30 1-3 * * *", "*/20 * * * *", "15 2 * * SUN", "0 0 * * *", "5 */2 * * *"]),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "UTC"]),
    st.integers(0, 3 * 365 * 24 * 60),
)
def test_the_same_ticks_come_wherever_one_begins_to_count(expression: str, zone: str, minutes: int) -> None:
    ticks, begin = CronTicks(expression, read_zone(zone)), datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    found = next_ticks(ticks, begin - timedelta(days=2), 400)
    assert found == sorted(set(found))
    later = [tick for tick in found if tick > begin]
    assert next_ticks(ticks, begin, len(later)) == later


def test_even_ticks_are_counted_from_1970_and_not_from_the_start() -> None:
    ticks = EvenTicks(timedelta(seconds=30))
    begin = datetime(2026, 1, 1, 12, 0, 17, 250_000, tzinfo=UTC)
    assert [tick.second for tick in next_ticks(ticks, begin, 3)] == [30, 0, 30]
    assert next_ticks(ticks, begin.replace(second=30, microsecond=0), 1)[0].minute == 1, "later, not at"
    assert next_ticks(EvenTicks(timedelta(days=1)), begin, 1) == [datetime(2026, 1, 2, tzinfo=UTC)]


@pytest.mark.parametrize("years", [0.001, 1, 20])
def test_of_many_missed_ticks_the_newest_are_found_without_counting_all(years: float) -> None:
    until = datetime(2026, 1, 1, tzinfo=UTC)
    found, more = ticks_between(EvenTicks(timedelta(seconds=1)), until - timedelta(days=365 * years), until, 100)
    assert (len(found), found[-1], more) == (100, until, True)
    assert found[0] == until - timedelta(seconds=99)


def test_rare_ticks_are_found_however_long_ago() -> None:
    until = datetime(2026, 1, 1, 12, tzinfo=UTC)
    yearly = CronTicks(ALIASES["@yearly"], UTC)
    assert ticks_between(yearly, datetime(2020, 6, 1, tzinfo=UTC), until, 100) == (
        [datetime(year, 1, 1, tzinfo=UTC) for year in range(2021, 2027)],
        False,
    )
    assert ticks_between(yearly, datetime(2026, 1, 1, tzinfo=UTC), until, 100) == ([], False)
    assert ticks_between(yearly, until, until - timedelta(days=9), 100) == ([], False), "a clock that went back"


@pytest.mark.parametrize("text", ["0 3 * * *", "*/5 8-18 * * mon-fri", "0 0 L * *", "0 0 * JAN,JUL MON#1", " @Daily "])
def test_what_cron_knows_is_taken(text: str) -> None:
    assert len(read_cron(text).split()) == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("60 * * * *", "bad minute"),
        ("* * 0 * *", "bad day-of-month"),
        ("* * * * XYZ", "bad day-of-week"),
        ("* * *", "this one has 3"),
        ("*/30 * * * * *", "for seconds write `every: 30s`"),
        ("", "this one has 0"),
        ("@reboot", "there are @hourly"),
        ("0 0 31 2 *", "bad day-of-month"),
        ("* * */20 * 1L", "never comes"),
        ("1," * 400 + " * * * *", "at most 500 characters"),
        ("٣ * * * *", "bad minute"),
    ],
)
def test_what_is_no_cron_expression_is_said_in_words(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        read_cron(text)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Europe/Berln", "did you mean Europe/Berlin?"),
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("berlin", "did you mean Europe/Berlin?"),
        ("new york", "did you mean America/New_York?"),
        ("Europe", "there is no time zone 'Europe'"),
        ("../../etc/passwd", "there is no time zone"),
        ("/etc/passwd", "there is no time zone"),
        ("", "there is no time zone ''"),
        ("+02:00", "write one like Europe/Berlin or UTC"),
        ("a\x00b", "there is no time zone"),
    ],
)
def test_what_is_no_time_zone_gets_a_suggestion(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        read_zone(name)
