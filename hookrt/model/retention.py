"""How long what has come to an end is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

SHORTEST = timedelta(hours=24)
"""An event is kept at least this long after it came in, since as long as it is there a repeated one is recognised."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long an event is kept with its deliveries and their attempts, counted from the end of each delivery.

    It goes when every one of its deliveries has been final for as long as its status says; one that no hook matched
    goes `unmatched` after it came in. `payload` is how long after the last end its data is kept, None for as long as
    the event. Above `max_events` or `max_deliveries` the oldest go before their time, but none within SHORTEST. An
    event with an open delivery never goes.
    """

    succeeded: timedelta = timedelta(days=7)
    cancelled: timedelta = timedelta(days=7)
    dead: timedelta = timedelta(days=30)
    unmatched: timedelta = timedelta(days=7)
    payload: timedelta | None = None
    max_events: int = 10_000_000
    max_deliveries: int = 10_000_000
