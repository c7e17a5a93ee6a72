"""The verdict: what the engine decides from an outcome."""

from __future__ import annotations

from dataclasses import dataclass

from hookrt.model.delivery import StepResult


@dataclass(frozen=True, slots=True)
class StepOver:
    """The step is over with this result, and the series goes on: with the next step, or to its end."""

    result: StepResult


@dataclass(frozen=True, slots=True)
class RetryAt:
    """The same step again, not before this time (microseconds since the epoch)."""

    due_us: int
    reason: str


@dataclass(frozen=True, slots=True)
class Dead:
    """No more attempts: the delivery is kept as dead."""

    reason: str
    message: str | None = None


Verdict = StepOver | RetryAt | Dead
