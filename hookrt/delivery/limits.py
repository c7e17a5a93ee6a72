"""How much the engine takes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from hookrt.model.retention import Retention


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one process; the defaults suit a small machine.

    `concurrency` is the number of attempts under way per lane where its destination sets none, `in_flight` the
    deliveries held in memory and `in_flight_bytes` their payloads, `pending` the open deliveries in the store
    beyond which nothing more is accepted. A hook that fails for `disable_after` without a success is disabled (None:
    never); `held` deliveries are kept for each disabled hook, for `disabled_hook_hold`. `retention` is how long
    what has ended is kept.
    """

    concurrency: int = 32
    in_flight: int = 10_000
    in_flight_bytes: int = 128 * 1024 * 1024
    pending: int = 1_000_000
    depth: int = 16
    lease: timedelta = timedelta(seconds=60)
    poll: timedelta = timedelta(seconds=1)
    removed_hook_hold: timedelta = timedelta(hours=1)
    disabled_hook_hold: timedelta = timedelta(days=30)
    disable_after: timedelta | None = timedelta(days=5)
    held: int = 100_000
    retention: Retention = field(default_factory=Retention)
    writer_lag: timedelta = timedelta(seconds=1)
