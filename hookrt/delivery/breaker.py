"""The circuit breaker of one endpoint: a pure state machine, to which the time is handed in.

Closed, attempts pass. After too many failures it opens: nothing passes for a pause. Then it is half-open: one attempt,
the probe, may find out. A success closes it, a failure opens it for longer.
"""

from __future__ import annotations

from enum import StrEnum

from hookrt.model.breaker_policy import BreakerPolicy

PROBE_S = 1.0
"""While the probe is under way, the others are told to ask again this many seconds later."""

JITTER = 0.2
"""The share by which a pause is longer at random, so that breakers that opened together do not probe together."""

_DOUBLINGS = 30
"""Pauses are at their longest well before, and powers stay small."""


class State(StrEnum):
    """Whether attempts pass: all, none, or one."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Counts failures of attempts, and says whether the next one may start. Times are monotonic seconds.

    `turn` changes with each state. Whoever starts an attempt keeps it and hands it back with the result, so that late
    results of attempts that began before a change do not count. `calm` says that there is no failure to remember, and
    a success need not be told.
    """

    __slots__ = (
        "_failed",
        "_pauses",
        "_probing",
        "_seen",
        "_window_ends",
        "calm",
        "policy",
        "row",
        "state",
        "turn",
        "until",
    )

    def __init__(self, policy: BreakerPolicy) -> None:
        self.policy = policy
        self.state = State.CLOSED
        self.turn = 0
        self.row = 0
        self.until = 0.0
        self.calm = True
        self._window_ends = 0.0
        self._seen = 0
        self._failed = 0
        self._pauses = 0
        self._probing = False

    def wait_until(self, now: float) -> float | None:
        """When it is worth asking again; None when an attempt may start now. Changes nothing."""
        if self.state is State.CLOSED:
            return None
        if self.state is State.OPEN:
            return self.until if now < self.until else None
        return now + PROBE_S if self._probing else None

    def begin(self, now: float) -> float | None:
        """As `wait_until`; where it is None, the attempt counts as started, half-open as the probe."""
        until = self.wait_until(now)
        if until is None and self.state is not State.CLOSED:
            if self.state is State.OPEN:
                self._change(State.HALF_OPEN)
            self._probing = True
        return until

    def succeeded(self, turn: int, now: float) -> None:
        """The endpoint answered an attempt that began in this turn."""
        if turn != self.turn:
            return
        if self.state is State.HALF_OPEN:
            self._pauses = 0
            self._change(State.CLOSED)
        elif self.state is State.CLOSED and not self.calm:
            self.row = 0
            self._seen += 1
            self.calm = now >= self._window_ends

    def failed(self, turn: int, now: float, chance: float) -> None:
        """The endpoint failed an attempt that began in this turn; `chance` from 0 to 1 is for the jitter."""
        if turn != self.turn:
            return
        if self.state is State.HALF_OPEN:
            self._open(now, chance)
        elif self.state is State.CLOSED:
            self._count_failure(now)
            if self.row >= self.policy.failures or self._is_bad_share():
                self._open(now, chance)

    def unclear(self, turn: int) -> None:
        """An attempt of this turn ended in a way that says nothing about the endpoint: another one may be the probe."""
        if turn == self.turn:
            self._probing = False

    def _count_failure(self, now: float) -> None:
        """One more; a window begins with the first failure that is in none."""
        if self.calm or now >= self._window_ends:
            self._window_ends = now + self.policy.window.total_seconds()
            self._seen = self._failed = 0
        self.calm = False
        self.row += 1
        self._seen += 1
        self._failed += 1

    def _is_bad_share(self) -> bool:
        return self._seen >= self.policy.attempts and self._failed >= self.policy.ratio * self._seen

    def _open(self, now: float, chance: float) -> None:
        policy = self.policy
        longest = policy.max_pause.total_seconds()
        pause = min(policy.pause.total_seconds() * 2 ** min(self._pauses, _DOUBLINGS), longest)
        self._pauses += 1
        self.until = now + pause * (1 + JITTER * chance)
        self._change(State.OPEN)

    def _change(self, state: State) -> None:
        self.state = state
        self.turn += 1
        self.row = 0
        self.calm = state is State.CLOSED
        self._probing = False
