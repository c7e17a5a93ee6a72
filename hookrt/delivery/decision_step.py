"""One step of a hook that is asked for a decision: one attempt, if its endpoint's gate lets it start in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from hookrt.delivery.endpoint_watch import NO_SIGN, EndpointWatch, Refused, Sign
from hookrt.delivery.gate import LANE_RESTING, RATE_LIMITED, Gate, Refusal
from hookrt.delivery.guarded_http import HASTY, GuardedHttp
from hookrt.delivery.lane import Job
from hookrt.delivery.ports import Ports
from hookrt.delivery.record import Recorder
from hookrt.delivery.run_attempt import Ended, run_attempt
from hookrt.model.attempt import Attempt, Exchange
from hookrt.model.hook import Hook, Step
from hookrt.model.outcome import OutcomeKind
from hookrt.plugin.protocols import Http
from hookrt.store.contract import NewEvent

LEAST = timedelta(milliseconds=1)
"""The least time that an attempt is told it has."""


@dataclass(slots=True)
class Trying:
    """An attempt under way: what is needed to record it when the deadline ends it. `late` says that it did."""

    step: Step
    number: int
    started_us: int
    begun: float
    http: Http | None = None
    late: bool = False

    def cut(self, now: float, reason: str, message: str) -> Attempt:
        """The attempt as it is recorded when something from outside ends it."""
        elapsed_us = int((now - self.begun) * 1_000_000)
        kind = OutcomeKind.REJECT.value
        return Attempt(
            self.number, self.step.id, self.started_us, elapsed_us, kind, reason, message, exchange=self._exchange()
        )

    def _exchange(self) -> Exchange | None:
        return self.http.exchange if self.http is not None else None


@dataclass(frozen=True, slots=True)
class Doer:
    """Makes attempts. `recorder` knows what events a step may emit."""

    ports: Ports
    watch: EndpointWatch
    recorder: Recorder

    async def attempt(
        self, job: Job, hook: Hook, trying: Trying, deadline: float
    ) -> tuple[Ended, Sequence[NewEvent]] | Refusal:
        """Make the attempt and say what it emits, or why it does not start in time; `deadline` is monotonic."""
        gate = self.watch.gates.for_lane(trying.step.lane)
        if gate.watchful and (refusal := await self._start(gate, job, deadline)) is not None:
            self.watch.refused(Refused(gate, refusal))
            return refusal
        left = timedelta(seconds=deadline - self.ports.clock.monotonic())
        step = replace(trying.step, timeout=max(min(trying.step.timeout, left), LEAST), keeps_output=True)
        at = _At(step, trying, gate)
        if self.watch.gates.leads_anywhere(step.lane):
            at.guard = GuardedHttp(self.watch, job, offers=False, hasty=at.hasty)
        ended = await self._run(job, hook, at)
        if isinstance(ended, Refusal):
            return ended
        return self.recorder.emissions(job, step, ended)

    async def _run(self, job: Job, hook: Hook, at: _At) -> Ended | Refusal:
        turn = at.gate.turn
        try:
            ended = await run_attempt(job, hook, at.step, self.ports, at.around)
        except BaseException:
            self.watch.attempted(at.gate, turn, self._sign_of_end(at.trying), job)
            raise
        if at.guard is None and at.hasty and ended.outcome.reason == "timeout":
            self.watch.attempted(at.gate, turn, NO_SIGN, job)
        elif at.guard is None:
            self.watch.ended(at.gate, turn, ended, job)
        elif (refused := at.guard.ended(at.gate, turn, ended)) is not None:
            self.watch.refused(refused)
            return refused.why
        return ended

    async def _start(self, gate: Gate, job: Job, deadline: float) -> Refusal | None:
        """Wait for the endpoint's next start, if that comes in time."""
        now = self.ports.clock.monotonic()
        gate.end_rest(now)
        refusal = gate.refuse(now)
        if refusal is None:
            start = gate.book_before(now, deadline)
            if start is None:
                refusal = Refusal(LANE_RESTING if gate.resting(now) else RATE_LIMITED, deadline, 0.0)
            else:
                if start > now:
                    await self.ports.clock.sleep(start - now)
                refusal = gate.begin(self.ports.clock.monotonic())
        self.watch.look_at(gate, job)
        return refusal

    def _sign_of_end(self, trying: Trying) -> Sign:
        """Nothing was heard for as long as the deadline let it: who lets it be short does not speak for the others."""
        elapsed = self.ports.clock.monotonic() - trying.begun
        return Sign(answers=False, reason="timeout") if trying.late and elapsed >= HASTY.total_seconds() else NO_SIGN


@dataclass(slots=True)
class _At:
    """An attempt with its step as cut to the deadline, and the gates it passes."""

    step: Step
    trying: Trying
    gate: Gate
    guard: GuardedHttp | None = None

    @property
    def hasty(self) -> bool:
        """Whether whoever asks leaves so little time that a timeout says nothing about the endpoint."""
        return self.step.timeout < min(self.trying.step.timeout, HASTY)

    def around(self, http: Http) -> Http:
        """The way out, with the guard before it, remembered for the record."""
        self.trying.http = http if self.guard is None else self.guard.around(http)
        return self.trying.http
