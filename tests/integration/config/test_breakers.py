"""`breaker:` of a destination as it is written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hookrt.model.breaker_policy import DEFAULT_BREAKER, BreakerPolicy


def breaker(bench: Any, text: str) -> BreakerPolicy | None:
    [found] = bench.configuration(
        f"destinations:\n  crm: {{url: https://crm.example.com{text}}}\n"
    ).destinations.values()
    return found.breaker


def test_a_destination_has_a_breaker_unless_it_is_off(bench: Any) -> None:
    assert breaker(bench, "") == breaker(bench, ", breaker: on") == breaker(bench, ", breaker: {}") == DEFAULT_BREAKER
    assert breaker(bench, ", breaker: off") is None


def test_each_figure_can_be_set_and_the_others_stay(bench: Any) -> None:
    assert breaker(bench, ", breaker: {failures: 3, ratio: 1, pause: 30s}") == BreakerPolicy(
        failures=3, ratio=1.0, pause=timedelta(seconds=30)
    )
    written = "{failures: 3, ratio: 0.2, attempts: 50, window: 5m, pause: 1s, max_pause: 1h}"
    assert breaker(bench, f", breaker: {written}") == BreakerPolicy(
        3, 0.2, 50, timedelta(minutes=5), timedelta(seconds=1), timedelta(hours=1)
    )


def test_a_pause_alone_may_be_longer_than_the_longest_by_default(bench: Any) -> None:
    found = breaker(bench, ", breaker: {pause: 1h}")
    assert found is not None
    assert found.pause == found.max_pause == timedelta(hours=1)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("false", "write `on`, `off`, or a mapping"),
        ("of", "write `on`, `off`, or a mapping"),
        ("{failure: 3}", "has no setting 'failure'"),
        ("{failures: 0}", "`breaker.failures`"),
        ("{ratio: 1.5}", "`breaker.ratio`"),
        ("{ratio: 50%}", "must be a number"),
        ("{pause: 10}", "`breaker.pause`"),
        ("{pause: 1ms}", "from 100ms to 1d"),
        ("{pause: 10m, max_pause: 5m}", "`max_pause` is shorter than `pause`"),
    ],
)
def test_a_bad_breaker_is_an_error_at_its_place(bench: Any, written: str, message: str) -> None:
    [error, *_] = bench.errors(f"destinations:\n  crm: {{url: https://crm.example.com, breaker: {written}}}\n")
    assert error.startswith("2:")
    assert message in error
