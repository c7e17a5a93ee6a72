"""What an outcome means for its delivery: pure."""

from __future__ import annotations

from dataclasses import dataclass

from hookrt.delivery.backoff import next_due_us
from hookrt.model.delivery import StepResult, StepStatus
from hookrt.model.hook import Step
from hookrt.model.outcome import Outcome, OutcomeKind
from hookrt.model.verdict import Dead, RetryAt, StepOver, Verdict


@dataclass(slots=True)
class Situation:
    """What else there is to know: attempts of this step so far (this one included), the time, the end of the
    delivery's life, and a random number from 0 to 1 for the jitter.
    """

    attempts: int
    now_us: int
    expires_us: int
    chance: float


def decide(outcome: Outcome, step: Step, situation: Situation) -> Verdict:
    """The verdict on one attempt.

    A retry that its policy does not cover, or that has none left, ends the step as a reject does: the delivery is
    dead, or goes on with a failed step where `continue_on_error` says so. A retry that would come after the
    delivery's end makes it dead with the reason `expired`.
    """
    if outcome.kind is OutcomeKind.DONE:
        return StepOver(StepResult(StepStatus.SUCCEEDED, outcome.output if step.keeps_output else None))
    reason = outcome.reason or "unknown"
    if outcome.kind is OutcomeKind.RETRY and step.retry.covers(reason, outcome.status):
        due_us = next_due_us(step.retry, situation.attempts, outcome.retry_after, situation.chance, situation.now_us)
        if due_us is not None and due_us >= situation.expires_us:
            return Dead("expired", f"the next attempt would come after the delivery's end ({reason})")
        if due_us is not None:
            return RetryAt(due_us, reason)
    if step.continue_on_error:
        return StepOver(result_of(outcome))
    return Dead(reason, outcome.message)


def result_of(outcome: Outcome) -> StepResult:
    """What a step has come to that is not tried again."""
    if outcome.kind is OutcomeKind.DONE:
        return StepResult(StepStatus.SUCCEEDED, outcome.output)
    reason = outcome.reason or "unknown"
    return StepResult(StepStatus.FAILED, error=f"{reason}: {outcome.message}" if outcome.message else reason)
