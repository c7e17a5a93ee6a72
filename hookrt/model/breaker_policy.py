"""When an endpoint that fails is left alone for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens, and for how long.

    It opens after `failures` in a row, or when of at least `attempts` within `window` a share of `ratio` failed. It
    stays open for `pause`, twice as long each time that the probe after it fails, `max_pause` at most.
    """

    failures: int = 10
    ratio: float = 0.5
    attempts: int = 20
    window: timedelta = timedelta(minutes=1)
    pause: timedelta = timedelta(seconds=10)
    max_pause: timedelta = timedelta(minutes=5)


DEFAULT_BREAKER = BreakerPolicy()
"""A hiccup costs ten seconds; an endpoint that is down is asked about once in five minutes."""
