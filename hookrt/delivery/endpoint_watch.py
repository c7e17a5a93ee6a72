"""Watching the endpoints: what attempts tell about them, told on to gates, log, observers and hooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hookrt.clock import from_us
from hookrt.delivery.announce import Announcer
from hookrt.delivery.breaker import State
from hookrt.delivery.gate import Gate, Refusal
from hookrt.delivery.gates import Gates
from hookrt.delivery.lane import Job, Lane
from hookrt.delivery.ports import Ports
from hookrt.delivery.run_attempt import Ended
from hookrt.model.attempt import Exchange
from hookrt.model.event import format_time
from hookrt.model.outcome import Outcome, OutcomeKind
from hookrt.model.own_events import BREAKER_OPENED

FAILURES = frozenset({"dns", "refused", "reset", "tls", "connect", "timeout", "protocol"})
"""The reasons by which an endpoint failed; what never reached it, and what it answered below 500, says otherwise."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What an attempt tells about its endpoint: it answered, it failed, or nothing (None); and the reason."""

    answers: bool | None
    reason: str | None = None


NO_SIGN = Sign(answers=None)
"""It tells nothing."""


@dataclass(slots=True)
class Refused:
    """A start that did not happen: at which gate, and why."""

    gate: Gate
    why: Refusal


def read_sign(outcome: Outcome, exchange: Exchange | None) -> Sign:
    """What an outcome tells about the endpoint; 429 is an answer, since it has a remedy of its own."""
    if outcome.kind is OutcomeKind.DONE:
        return Sign(answers=True)
    if outcome.reason in FAILURES:
        return Sign(answers=False, reason=outcome.reason)
    status = exchange.status if exchange is not None else None
    return Sign(None if status is None else status < 500, outcome.reason)


class EndpointWatch:
    """Tells the gates what attempts came to, and everybody else what became of the gates."""

    def __init__(self, ports: Ports, gates: Gates, announcer: Announcer) -> None:
        self._ports = ports
        self._announcer = announcer
        self.gates = gates

    async def start(self, lane: Lane, job: Job) -> Refusal | None:
        """Wait for the lane's next start, or say why there is none soon."""
        refusal = await lane.start(self._ports.clock)
        self.look_at(lane.gate, job)
        return refusal

    def ended(self, gate: Gate, turn: int, ended: Ended, job: Job) -> None:
        """What an attempt in this lane says of its endpoint."""
        breaker, outcome = gate.breaker, ended.outcome
        if breaker is not None and not (breaker.calm and outcome.kind is OutcomeKind.DONE):
            self.attempted(gate, turn, read_sign(outcome, ended.attempt.exchange), job)
        if outcome.slow_down is not None:
            self.overloaded(gate, outcome.slow_down)

    def attempted(self, gate: Gate, turn: int, sign: Sign, job: Job) -> None:
        """An attempt that began in this turn of the gate's breaker is over."""
        breaker = gate.breaker
        if breaker is None:
            return
        now = self._ports.clock.monotonic()
        if sign.answers is None:
            breaker.unclear(turn)
        elif sign.answers:
            breaker.succeeded(turn, now)
        else:
            breaker.failed(turn, now, self._ports.random())
        gate.look()
        self.look_at(gate, job, sign.reason)

    def overloaded(self, gate: Gate, duration: timedelta) -> None:
        """The endpoint has too much to do: nothing is sent to it for this long."""
        if gate.rest(self._ports.clock.monotonic(), duration):
            self._ports.log.warning("lane-rests", lane=gate.name, seconds=round(duration.total_seconds(), 1))
            self._ports.observer.lane_rested(gate.name if gate.configured else None)

    def refused(self, refused: Refused) -> None:
        """An attempt did not start, and none is spent."""
        gate = refused.gate
        self._ports.observer.start_refused(gate.name if gate.configured else None, refused.why.reason)

    def look_at(self, gate: Gate, job: Job, reason: str | None = None) -> None:
        """Tell of a breaker whose state has changed since the last look."""
        before, state = gate.told, gate.state
        if state is before:
            return
        gate.told = state
        self._ports.observer.breaker_changed(gate.name if gate.configured else None, state.value)
        if state is State.OPEN:
            self._tell_opened(gate, job, reason, again=before is State.HALF_OPEN)
        else:
            self._ports.log.info(f"breaker-{state.value}", lane=gate.name)

    def _tell_opened(self, gate: Gate, job: Job, reason: str | None, *, again: bool) -> None:
        assert gate.breaker is not None
        ports = self._ports
        seconds = max(gate.breaker.until - ports.clock.monotonic(), 0.0)
        tell = ports.log.info if again else ports.log.warning
        tell("breaker-open", lane=gate.name, reason=reason, seconds=round(seconds, 1), hook=job.delivery.hook)
        if not again:
            until = from_us(ports.store.now_us() + int(seconds * 1_000_000))
            data = {"lane": gate.name, "reason": reason, "hook": job.delivery.hook, "until": format_time(until)}
            self._announcer.announce(BREAKER_OPENED, data, of=job.event)
