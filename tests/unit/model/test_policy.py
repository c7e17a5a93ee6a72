"""Retry policies: how often, and after which waits."""

from datetime import timedelta
from itertools import pairwise

import pytest

from hookrt.model.policy import AFTER_CRASH, MAX_DELAY, NO_RETRY, STANDARD, exponential, fixed, listed


def test_the_standard_schedule_is_ten_attempts_over_three_days():
    assert STANDARD.attempts == 10
    assert timedelta(days=3) < sum(STANDARD.delays, timedelta()) < timedelta(days=4)
    assert list(STANDARD.delays) == sorted(STANDARD.delays)
    assert max(STANDARD.delays) <= MAX_DELAY


def test_the_standard_schedule_is_that_of_the_standard_webhooks_with_a_fifth_of_jitter():
    after = [time.planned - before.planned for before, time in pairwise(STANDARD.times())]
    units = [(5, "seconds"), (5, "minutes"), (30, "minutes"), *((hours, "hours") for hours in (2, 5, 10, 14, 20, 24))]
    assert after == [timedelta(**{unit: count}) for count, unit in units]
    assert STANDARD.times()[0].latest == timedelta(0)
    assert STANDARD.jitter == 0.2


def test_times_add_up_with_all_jitter_one_way_and_the_other():
    times = fixed(timedelta(seconds=10), 3, jitter=0.5).times()
    assert [time.planned.total_seconds() for time in times] == [0, 10, 20]
    assert [time.earliest.total_seconds() for time in times] == [0, 5, 10]
    assert [time.latest.total_seconds() for time in times] == [0, 15, 30]
    assert len(NO_RETRY.times()) == 1


def test_no_retry_is_one_attempt():
    assert NO_RETRY.attempts == 1


def test_after_a_crash_there_is_one_more_attempt_and_only_then():
    assert AFTER_CRASH.attempts == 2
    assert AFTER_CRASH.reasons == {"crashed"}


def test_exponential_waits_double_up_to_the_maximum():
    policy = exponential(timedelta(seconds=10), maximum=timedelta(seconds=60), attempts=6)
    assert [wait.total_seconds() for wait in policy.delays] == [10, 20, 40, 60, 60]
    assert policy.attempts == 6


def test_exponential_with_very_many_attempts_does_not_overflow():
    policy = exponential(factor=10.0, attempts=5000)
    assert policy.attempts == 5000
    assert policy.delays[-1] == timedelta(hours=6)


def test_exponential_may_begin_above_its_maximum():
    assert exponential(timedelta(days=1), maximum=timedelta(hours=1), attempts=2).delays == (timedelta(hours=1),)


@pytest.mark.parametrize("attempts", [0, 1])
def test_one_attempt_has_no_waits(attempts):
    assert exponential(attempts=attempts).delays == ()
    assert fixed(timedelta(seconds=1), attempts).delays == ()


def test_fixed_waits_are_all_the_same():
    assert fixed(timedelta(seconds=3), attempts=4).delays == (timedelta(seconds=3),) * 3


def test_a_list_is_taken_as_it_is():
    waits = (timedelta(seconds=5), timedelta(minutes=1))
    assert listed(waits).delays == waits
    assert listed(waits).attempts == 3
