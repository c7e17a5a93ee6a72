"""Starts for those who cannot come back: one that comes too late is not taken."""

from __future__ import annotations

from datetime import timedelta

from hookrt.delivery.gate import RATE_LIMITED, Gate
from hookrt.model.hook import Destination


def test_a_start_that_comes_too_late_is_not_taken() -> None:
    gate = Gate("slow", Destination("slow", rate=1))
    assert gate.book_before(100.0, 100.5) == 100.0
    assert gate.book_before(100.0, 100.5) is None
    assert gate.book_before(100.0, 101.5) == 101.0
    assert gate.book(100.0) == 102.0


def test_a_rest_is_waited_for_only_where_it_ends_in_time() -> None:
    gate = Gate("tired", Destination("tired"))
    gate.rest(100.0, timedelta(seconds=2))
    assert gate.book_before(100.0, 101.0) is None
    assert gate.book_before(100.0, 103.0) == 102.0


def test_who_does_not_come_back_is_promised_nothing() -> None:
    gate = Gate("slow", Destination("slow", rate=1))
    assert gate.begin_unbooked(100.0, promised=False) is None
    for _ in range(50):
        refusal = gate.begin_unbooked(100.0, promised=False, offers=False)
        assert refusal is not None
        assert (refusal.reason, refusal.until) == (RATE_LIMITED, 101.0)
    assert gate.begin_unbooked(101.1, promised=False) is None
