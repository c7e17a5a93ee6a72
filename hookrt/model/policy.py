"""When a step is tried again, and for how long a delivery lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hookrt.model.answers import RetryOn, read_retry_on

MAX_DELAY = timedelta(days=1)
"""No wait that a policy plans or an endpoint asks for is longer than this; jitter comes on top of a planned one."""

DEFAULT_EXPIRES = timedelta(days=7)
"""How long a delivery may take in all, unless its hook says otherwise (RULES, "Deliveries")."""

DEFAULT_TIMEOUT = timedelta(seconds=15)
"""How long one attempt may take by default; the Standard Webhooks advise 15 to 30 seconds."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The waits between the attempts of one step: `len(delays) + 1` attempts at most.

    `jitter` is the share by which each wait varies at random, both ways. With `reasons` only an outcome with one
    of these reasons is tried again, with `only` what that lists. An endpoint that asks for a longer wait (Retry-After)
    gets `max_retry_after` at most, which is never more than MAX_DELAY.
    """

    name: str
    delays: tuple[timedelta, ...] = ()
    jitter: float = 0.2
    reasons: frozenset[str] | None = None
    max_retry_after: timedelta = MAX_DELAY
    only: RetryOn | None = None

    @property
    def attempts(self) -> int:
        """How often the step is tried at most."""
        return len(self.delays) + 1

    @property
    def only_after(self) -> tuple[str, ...] | None:
        """The failures that are tried again, in words; None for all."""
        if self.only is not None:
            return self.only.written
        return None if self.reasons is None else tuple(sorted(self.reasons))

    def covers(self, reason: str, status: int | None) -> bool:
        """Whether an outcome with this reason, of an answer with this status where there was one, is tried again."""
        if self.reasons is not None and reason not in self.reasons:
            return False
        return self.only is None or self.only.covers(status or 0, reason)

    def wait(self, number: int, chance: float) -> timedelta:
        """The wait before the retry of this number, from 1; `chance` from 0 to 1 places it in the jitter's range."""
        planned = min(max(self.delays[number - 1], timedelta(0)), MAX_DELAY)
        return max(planned * (1 + self.jitter * (2 * chance - 1)), timedelta(0))

    def times(self) -> tuple[AttemptTime, ...]:
        """When each attempt is made if all before it fail at once and nobody asks to wait, the first one included."""
        found = [AttemptTime(timedelta(0), timedelta(0), timedelta(0))]
        for number in range(1, self.attempts):
            before = found[-1]
            planned, earliest, latest = (self.wait(number, chance) for chance in (0.5, 0.0, 1.0))
            found.append(AttemptTime(before.planned + planned, before.earliest + earliest, before.latest + latest))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class AttemptTime:
    """How long after a step's first attempt another one is made: without jitter, and at the ends of its range."""

    planned: timedelta
    earliest: timedelta
    latest: timedelta


NO_RETRY = RetryPolicy("none", jitter=0.0)
"""One attempt, whatever happens."""

AFTER_CRASH = RetryPolicy("none", (timedelta(0),), jitter=0.0, reasons=frozenset({"crashed"}))
"""One more attempt when the worker that ran the first one died; else none."""

STANDARD = RetryPolicy(
    "standard",
    (
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=5),
        timedelta(hours=10),
        timedelta(hours=14),
        timedelta(hours=20),
        timedelta(hours=24),
    ),
)
"""The schedule that the Standard Webhooks specification recommends: ten attempts over about three days."""

LOGTO = RetryPolicy(
    "logto",
    (timedelta(milliseconds=300), timedelta(milliseconds=600), timedelta(milliseconds=1200)),
    jitter=0.0,
    max_retry_after=timedelta(0),
    only=read_retry_on(["5xx"]),
)
"""As Logto documents it: three more attempts soon after an answer from 500 on, whatever its Retry-After says; none when
there was no answer, nor one in time."""


def exponential(
    initial: timedelta = timedelta(seconds=10),
    factor: float = 2.0,
    maximum: timedelta = timedelta(hours=6),
    attempts: int = 8,
    jitter: float = 0.2,
) -> RetryPolicy:
    """Waits that grow by `factor` from `initial` up to `maximum`, for `attempts` attempts in all."""
    ceiling = maximum.total_seconds()
    seconds, wait = [], min(initial.total_seconds(), ceiling)
    for _ in range(attempts - 1):
        seconds.append(wait)
        wait = min(wait * factor, ceiling)  # step by step: a power of the factor would overflow
    return RetryPolicy("exponential", tuple(timedelta(seconds=value) for value in seconds), jitter)


def fixed(every: timedelta, attempts: int, jitter: float = 0.2) -> RetryPolicy:
    """The same wait each time, for `attempts` attempts in all."""
    return RetryPolicy("fixed", (every,) * max(attempts - 1, 0), jitter)


def listed(delays: tuple[timedelta, ...], jitter: float = 0.2) -> RetryPolicy:
    """Exactly these waits."""
    return RetryPolicy("list", delays, jitter)
