"""A test of a hook: its steps are really run, once each, for an event that is stored nowhere.

It asks neither whether the hook is enabled nor whether it wants the event, neither breaker nor rate, and tells none of
them: what it finds out is for whoever asked. What steps emit is only told.
Nothing is retried, unless its staging says so: `hookrt.proving` lets time pass by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from hookrt.delivery.decide import result_of
from hookrt.delivery.lane import Job
from hookrt.delivery.marked_http import MarkedHttp
from hookrt.delivery.ports import Ports
from hookrt.delivery.run_attempt import Ended, run_attempt
from hookrt.errors import ExpressionError
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery, Status, StepResult, StepStatus
from hookrt.model.event import Event
from hookrt.model.hook import Hook, Scope, Step
from hookrt.plugin.protocols import Http

MOST_AT_ONCE = 8
"""So many tests run at a time in one process; others wait."""


@dataclass(frozen=True, slots=True)
class TrialStep:
    """What became of a step: its attempt, None where it was skipped or not reached; `result` is None for the latter.

    `emitted` are the types of the events that it would have emitted, `note` says why its `when` has no answer,
    `attempts` counts the tries, of which `attempt` is the last.
    """

    step: str
    action: str
    attempt: Attempt | None = None
    result: StepResult | None = None
    emitted: tuple[str, ...] = ()
    note: str | None = None
    attempts: int = 0

    @property
    def failed(self) -> bool:
        """Whether it was tried, in vain."""
        return self.result is not None and self.result.status is StepStatus.FAILED


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What became of a test, step by step. It failed when any step did, also one after which the hook goes on."""

    event: Event
    hook: str
    steps: tuple[TrialStep, ...] = ()

    @property
    def failed(self) -> TrialStep | None:
        """The first step that failed, None where all went well."""
        return next((one for one in self.steps if one.failed), None)

    @property
    def telling(self) -> Attempt | None:
        """The attempt that says most: that which failed, else the last one that had an answer, else the last one."""
        if self.failed is not None:
            return self.failed.attempt
        made = [one.attempt for one in self.steps if one.attempt is not None]
        answered = [attempt for attempt in made if attempt.exchange is not None]
        return next(reversed(answered or made), None)


class Staging:
    """How the steps of a test are run: really, once each, with a mark on every request."""

    def around(self, step: Step) -> Callable[[Http], Http]:
        """What to put before the way out of the next attempt of a step."""
        return MarkedHttp

    def again(self, step: Step, ended: Ended, attempts: int) -> bool:
        """Whether to try a step again after so many attempts; then the time has come."""
        return False


AS_IT_IS = Staging()
"""The staging of tests that people ask for."""


class Trial:
    """Runs tests of hooks."""

    def __init__(self, ports: Ports, staging: Staging = AS_IT_IS) -> None:
        self._ports = ports
        self._staging = staging
        self._places = asyncio.Semaphore(MOST_AT_ONCE)

    async def run(self, event: Event, hook: Hook) -> TrialResult:
        """Every step in order, until one fails after which the hook does not go on."""
        async with self._places:
            now_us = self._ports.clock.now_us()
            identity = self._ports.ids.new("test")
            delivery = Delivery(identity, hook.name, "", Status.RUNNING, now_us, now_us, now_us)
            job = Job(replace(delivery, event_source=event.source, event_id=event.id), event)
            steps: list[TrialStep] = []
            for step in hook.steps:
                over = await self._step(job, hook, step)
                steps.append(over)
                if over.failed and not step.continue_on_error:
                    break
                _keep(job, over)
        left = [TrialStep(step.id, step.action) for step in hook.steps[len(steps) :]]
        return TrialResult(event, hook.name, (*steps, *left))

    async def _step(self, job: Job, hook: Hook, step: Step) -> TrialStep:
        scope = Scope(job.event, hook.name, self._ports.env, job.delivery.results)
        try:
            skipped, note = step.when is not None and not step.when.holds(scope), None
        except ExpressionError as error:
            skipped, note = True, f"its `when` has no answer: {self._ports.mask(error.message)}"
        if skipped:
            return TrialStep(step.id, step.action, result=StepResult(StepStatus.SKIPPED), note=note)
        while True:
            ended = await run_attempt(job, hook, step, self._ports, self._staging.around(step))
            attempts = job.delivery.step_attempts + 1
            if not self._staging.again(step, ended, attempts):
                break
            job.delivery = replace(job.delivery, attempts=job.delivery.attempts + 1, step_attempts=attempts)
        emitted = tuple(emission.type for emission in ended.outcome.events)
        return TrialStep(step.id, step.action, ended.attempt, result_of(ended.outcome), emitted, attempts=attempts)


def _keep(job: Job, over: TrialStep) -> None:
    assert over.result is not None
    results = {**job.delivery.results, over.step: over.result}
    made = job.delivery.attempts + (over.attempt is not None)
    job.delivery = replace(job.delivery, results=results, attempts=made, step_attempts=0)
