"""The stage of one test: a time of its own, and made-up answers to all requests."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from hookrt.clock import duration_us, to_us
from hookrt.delivery.decide import Situation, decide
from hookrt.delivery.run_attempt import Ended
from hookrt.delivery.trial import Staging
from hookrt.egress import Egress
from hookrt.egress.stubbed import StubbedRequest
from hookrt.model.hook import Step
from hookrt.model.hook_test import NO_PROBLEM, HookTest, StepExample, StubAnswer
from hookrt.model.verdict import Dead, RetryAt
from hookrt.plugin.protocols import Http, HttpError

MOST_ATTEMPTS = 100
"""So often a step is tried in a test at most: some policies would go on for days."""

_MIDDLE = 0.5  # of the jitter, so that every run is the same


class StandingClock:
    """Keeps the promises of `hookrt.clock.Clock` with a time that only goes on where somebody waits."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """The time of the test."""
        return self._now_us

    def monotonic(self) -> float:
        """The same in seconds."""
        return self._now_us / 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.move_to(self._now_us + duration_us(timedelta(seconds=max(seconds, 0))))
        await asyncio.sleep(0)

    def move_to(self, now_us: int) -> None:
        """Go on to this time."""
        self._now_us = max(self._now_us, now_us)


@dataclass(slots=True)
class Stage(Staging):
    """What a test is run on. `requests` are those of each step so far, `dead` is why the delivery ended, if it did."""

    test: HookTest
    egress: Egress
    expires: timedelta
    clock: StandingClock = field(init=False)
    requests: defaultdict[str, list[StubbedRequest]] = field(default_factory=lambda: defaultdict(list))
    dead: str | None = None
    _until_us: int = field(init=False)

    def __post_init__(self) -> None:
        """The time is that of the event."""
        now_us = to_us(self.test.event.time)
        self.clock = StandingClock(now_us)
        self._until_us = now_us + duration_us(self.expires)

    def around(self, step: Step) -> Callable[[Http], Http]:
        """A way out in place of the real one, answered as the test says."""
        http = self.egress.stubbed_for(
            step.trusted_origins, step.timeout.total_seconds(), lambda request: self._answer(step.id, request)
        )
        return lambda real: http

    def again(self, step: Step, ended: Ended, attempts: int) -> bool:
        """Whether the step's policy tries again; then it is the time of that attempt."""
        situation = Situation(attempts, self.clock.now_us(), self._until_us, _MIDDLE)
        verdict = decide(ended.outcome, step, situation)
        if isinstance(verdict, RetryAt) and attempts < MOST_ATTEMPTS:
            self.clock.move_to(verdict.due_us)
            return True
        if isinstance(verdict, (Dead, RetryAt)):
            self.dead = verdict.reason
        return False

    def _answer(self, step: str, request: StubbedRequest) -> StubAnswer:
        answers = answers_of(self.test.steps, step)
        sent = self.requests[step]
        sent.append(request)
        stub = answers[min(len(sent), len(answers)) - 1]
        if stub.error is not None:
            raise HttpError(stub.error, "so the test wants it")
        return stub


def answers_of(examples: Mapping[str, StepExample], step: str) -> tuple[StubAnswer, ...]:
    """What a step's requests are answered."""
    example = examples.get(step)
    return (NO_PROBLEM,) if example is None else example.answers
