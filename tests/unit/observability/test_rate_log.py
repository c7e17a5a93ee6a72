"""Many lines of one event become one a second; a quiet event is written as it comes."""

import pytest

from hookrt.observability.rate_log import RateLog
from hookrt.testing import FakeClock, RecordedLog


@pytest.fixture
def kit():
    clock, log = FakeClock(), RecordedLog()
    return RateLog(log, clock, per_second=3), clock, log.lines


def test_a_quiet_event_is_written_as_it_comes(kit):
    log, _, lines = kit
    log.warning("attempt failed", hook="a", reason="status")
    log.info("started")
    assert lines == [("warning", "attempt failed", {"hook": "a", "reason": "status"}), ("info", "started", {})]


def test_what_comes_above_the_rate_is_one_line_with_count_and_a_sample(kit):
    log, clock, lines = kit
    for number in range(10):
        log.warning("failed", n=number)
    assert [fields["n"] for _, _, fields in lines] == [0, 1, 2]
    clock.advance(1)
    log.flush()
    assert lines[3:] == [("warning", "failed", {"n": 9, "count": 7})]
    log.flush()
    assert len(lines) == 4


def test_the_next_line_of_the_event_brings_the_count_too(kit):
    log, clock, lines = kit
    for _ in range(5):
        log.error("failed")
    clock.advance(10)
    log.error("failed")
    assert lines[3:] == [("error", "failed", {"count": 2}), ("error", "failed", {})]


def test_while_it_stays_above_the_rate_there_is_one_line_a_second(kit):
    log, clock, lines = kit
    for _ in range(5):
        for number in range(100):
            log.warning("failed", n=number)
        clock.advance(1)
        log.flush()
    assert [fields.get("count") for _, _, fields in lines] == [None, None, None, 97, 100, 100, 100, 100]


def test_lines_pass_again_when_it_has_become_quiet(kit):
    log, clock, lines = kit
    for _ in range(100):
        log.warning("failed")
    clock.advance(1)
    log.warning("failed")
    clock.advance(1)
    log.flush()
    del lines[:]
    log.warning("failed", n=1)
    assert lines == [("warning", "failed", {"n": 1})]


def test_events_and_levels_are_counted_apart(kit):
    log, _, lines = kit
    for _ in range(3):
        for level in ("debug", "info", "warning", "error"):
            getattr(log, level)("a")
            getattr(log, level)("b")
    assert len(lines) == 24


def test_no_line_is_lost(kit):
    log, clock, lines = kit
    for second in range(20):
        for _ in range(second % 7):
            log.info("x")
        clock.advance(0.7)
    log.close()
    assert sum(fields.get("count", 1) for _, _, fields in lines) == sum(second % 7 for second in range(20))


def test_closing_writes_what_was_held_back(kit):
    log, _, lines = kit
    for _ in range(5):
        log.info("x")
    log.close()
    assert lines[-1] == ("info", "x", {"count": 2})
    log.close()
    assert len(lines) == 4


def test_a_second_that_is_not_over_is_not_flushed(kit):
    log, clock, lines = kit
    for _ in range(5):
        log.info("x")
    clock.advance(0.5)
    log.flush()
    assert len(lines) == 3


def test_ever_new_events_do_not_fill_the_memory(kit):
    log, _, lines = kit
    for number in range(5000):
        log.info(f"event {number}")
    assert len(lines) == 5000
    assert len(log._seconds) <= 1000
