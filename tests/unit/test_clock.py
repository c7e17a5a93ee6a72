"""Stored times are whole microseconds, exact in both directions."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.clock import SystemClock, duration_us, from_us, to_us


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_comes_back_from_the_store_as_it_went(moment):
    assert from_us(to_us(moment)) == moment


def test_zones_do_not_change_the_moment():
    moment = datetime(2025, 6, 1, 12, tzinfo=UTC)
    assert to_us(moment.astimezone(timezone(timedelta(hours=-9)))) == to_us(moment)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="no zone"):
        to_us(datetime(2025, 1, 1))  # noqa: DTZ001 - the very thing


def test_durations_are_whole_microseconds():
    assert duration_us(timedelta(seconds=1, microseconds=1)) == 1_000_001
    assert duration_us(timedelta(days=-1)) == -86_400_000_000


def test_the_system_clock_tells_the_machines_time():
    clock = SystemClock()
    before = datetime.now(UTC)
    assert to_us(before) - 1 <= clock.now_us() <= to_us(datetime.now(UTC)) + 1
    assert clock.monotonic() <= clock.monotonic()
    asyncio.run(clock.sleep(0))
