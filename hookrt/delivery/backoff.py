"""How long to wait before the next attempt: pure arithmetic."""

from __future__ import annotations

from datetime import timedelta

from hookrt.clock import duration_us
from hookrt.model.policy import MAX_DELAY, RetryPolicy


def next_delay(policy: RetryPolicy, attempts: int, asked: timedelta | None, chance: float) -> timedelta | None:
    """The wait after `attempts` attempts of a step, None when there is to be no further one.

    `chance` from 0 to 1 places the wait inside the jitter's range. `asked` is what the endpoint wants at least
    (Retry-After), counted up to the policy's `max_retry_after`; jitter never goes below it.
    """
    if attempts < 1 or attempts > len(policy.delays):
        return None
    planned = policy.wait(attempts, chance)
    return planned if asked is None else max(planned, min(asked, policy.max_retry_after, MAX_DELAY))


def next_due_us(policy: RetryPolicy, attempts: int, asked: timedelta | None, chance: float, now_us: int) -> int | None:
    """The time of the next attempt in microseconds since the epoch; jitter is in it."""
    delay = next_delay(policy, attempts, asked, chance)
    return None if delay is None else now_us + duration_us(delay)
