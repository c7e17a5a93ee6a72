"""How much the engine takes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one process; the defaults suit a small machine.

    `concurrency` is the number of attempts under way per lane where its destination sets none, `in_flight` the
    deliveries held in memory and `in_flight_bytes` their payloads, `pending` the open deliveries in the store
    beyond which nothing more is accepted.
    """

    concurrency: int = 32
    in_flight: int = 10_000
    in_flight_bytes: int = 128 * 1024 * 1024
    pending: int = 1_000_000
    depth: int = 16
    lease: timedelta = timedelta(seconds=60)
    poll: timedelta = timedelta(seconds=1)
    removed_hook_hold: timedelta = timedelta(hours=1)
    writer_lag: timedelta = timedelta(seconds=1)
