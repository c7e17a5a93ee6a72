"""Watches a world from outside, and notes the first promise that is broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hookrt.clock import Clock, duration_us
from hookrt.model.delivery import Delivery, Status, StepStatus
from hookrt.model.hook import Hook, Step
from hookrt.model.outcome import Outcome, OutcomeKind
from hookrt.model.policy import MAX_DELAY
from hookrt.plugin.action import ActionCall
from hookrt.store.contract import Claim, Claimed, Recorded, Recording
from hookrt.store.memory.memory import Memory
from hookrt.store.memory.rows import DeliveryRow
from simulation import checks
from simulation.hooks import configuration
from simulation.plan import Plan

_PASSABLE = frozenset({Status.WAITING, Status.HELD})


@dataclass(frozen=True)
class Violation:
    """A broken promise."""

    check: str
    message: str

    def __str__(self) -> str:
        return f"{self.check}: {self.message}"


@dataclass(eq=False)
class Running:
    """An attempt under way, in the process of this name."""

    process: str
    delivery: str
    lane: str
    step: Step
    number: int


@dataclass(frozen=True)
class Told:
    """What an attempt came to, and when."""

    at_us: int
    outcome: Outcome | None


class Monitor:
    """Compares what the engine does with what is on disk. `trace` takes a line for everything that happens."""

    def __init__(self, plan: Plan, clock: Clock, memory: Memory, trace: Callable[[str], None] | None) -> None:
        self._limits = plan.limits
        self._punctual = not plan.stall and not plan.has("freeze")
        self._clock = clock
        self._memory = memory
        self.trace = trace
        self.violation: Violation | None = None
        self.on_violation: Callable[[], None] = lambda: None
        self.hooks: Mapping[str, Hook] = {hook.name: hook for hook in configuration().hooks}
        self.active: list[Running] = []
        self.starts: dict[tuple[str, str], float] = {}
        self.leased_us: dict[str, int] = {}
        self.told: dict[tuple[str, int], Told] = {}
        self.ids: dict[tuple[str, str], str] = {}
        self.waited: set[tuple[str, int]] = set()
        self.cancelled: dict[str, str | None] = {}
        self.away: set[str] = set()
        self.ever_away: set[str] = set()
        self.accepted: dict[tuple[str, str], tuple[str, ...]] = {}
        self.counts: Counter[str] = Counter()
        self.over = False

    def fail(self, check: str, message: str) -> None:
        """A promise is broken; only the first one counts."""
        if self.violation is None and not self.over:
            self.violation = Violation(check, message)
            self.note("BROKEN", f"{check}: {message}")
            self.on_violation()

    def note(self, who: str, what: str) -> None:
        """Something for the trace."""
        if self.trace is not None:
            self.trace(f"{self._clock.monotonic():10.4f} {who:8} {what}")

    # Attempts

    def begin(self, process: str, delivery: str, call: ActionCall[Any]) -> Running:
        """An attempt begins: may it?"""
        self.counts["attempts"] += 1
        step = next(one for one in self.hooks[call.hook].steps if one.id == call.step)
        row = self._memory.deliveries.get(delivery)
        number = row.delivery.attempts + 1 if row else 0
        running = Running(process, delivery, step.lane, step, number)
        self.note(process, f"attempt {delivery[-6:]} {call.hook}.{call.step} #{number} at {step.lane}")
        if row is None:
            self.fail(checks.NOT_LEASED, f"{delivery} is attempted and not on disk")
        else:
            self._check_lease(running, row)
            self._check_steps(call, step, row.delivery)
            self._check_times(running, row)
            self._check_order(row)
        if self.ids.setdefault((delivery, step.id), call.message_id) != call.message_id:
            self.fail(checks.OTHER_ID, f"{delivery} {step.id}")
        self._check_lane(running)
        self.active.append(running)
        return running

    def end(self, running: Running, outcome: Outcome | None) -> None:
        """An attempt is over; None for one that was cut off."""
        if running in self.active:
            self.active.remove(running)
        self.told[running.delivery, running.number] = Told(self._clock.now_us(), outcome)
        said = f"{outcome.kind.value} {outcome.reason or ''}" if isinstance(outcome, Outcome) else "cut off"
        self.note(running.process, f"ended   {running.delivery[-6:]} {running.step.id} {said}")

    def crashed(self, process: str) -> None:
        """A process is gone, and with it what it had under way."""
        self.active = [one for one in self.active if one.process != process]

    def _check_lease(self, running: Running, row: DeliveryRow) -> None:
        status, identity = row.delivery.status, running.delivery
        if status is Status.CANCELLED and self.cancelled.get(identity) == running.process:
            return  # it was leased when somebody cancelled it: its result will not count
        if status is Status.SUCCEEDED or running.step.id in row.delivery.results:
            self.fail(checks.SENT_AGAIN, f"{identity} {running.step.id} is over, and attempted again")
        elif status is not Status.RUNNING or row.owner != running.process:
            self.fail(checks.NOT_LEASED, f"{identity} is {status.value} and leased to {row.owner or 'nobody'}")
        if any(one.delivery == identity for one in self.active):
            self.fail(checks.TWICE_AT_ONCE, identity)

    def _check_steps(self, call: ActionCall[Any], step: Step, delivery: Delivery) -> None:
        for earlier in self.hooks[call.hook].steps:
            if earlier is step:
                break
            if earlier.id not in delivery.results:
                self.fail(checks.NOT_RECORDED, f"{delivery.id} runs {step.id} without a result of {earlier.id}")
        if call.attempt != delivery.step_attempts + 1:
            self.fail(
                checks.NOT_RECORDED,
                f"{delivery.id} attempt {call.attempt} of {step.id} after {delivery.step_attempts} on disk",
            )

    def _check_times(self, running: Running, row: DeliveryRow) -> None:
        delivery, step = row.delivery, running.step
        leased_us = self.leased_us.get(delivery.id, delivery.created_us)
        if delivery.due_us > max(leased_us, self._clock.now_us()):
            self.fail(checks.TOO_EARLY, f"{delivery.id} is due at {delivery.due_us}, leased at {leased_us}")
        paced = configuration().destinations.get(running.lane)
        if self._clock.now_us() >= delivery.expires_us and not (paced and paced.rate):
            self.fail(checks.TOO_LATE, f"{delivery.id} ended at {delivery.expires_us}")
        early_s = self._missing_wait_s(delivery, step, leased_us)
        if early_s > 0 and (delivery.id, delivery.attempts) not in self.waited:
            self.fail(checks.IMPATIENT, f"{delivery.id} {step.id} is tried again {early_s:.3f} s too soon")

    def _missing_wait_s(self, delivery: Delivery, step: Step, now_us: int) -> float:
        """How much of the wait after the last recorded attempt of this step is left."""
        told = self.told.get((delivery.id, delivery.attempts))
        if not delivery.step_attempts or told is None:
            return 0.0
        return (told.at_us + _least_wait_us(step, delivery.step_attempts, told.outcome) - now_us) / 1e6

    def _check_order(self, row: DeliveryRow) -> None:
        """With `order`, those of the same key before it, by the order of commit, are final; with `skip` those that wait
        are passed, and when they are due again have no right to be the next.
        """
        rules = self.hooks[row.delivery.hook].keyed
        if rules is None or rules.order is None or row.delivery.replay_of is not None:
            return
        for before in self._memory.in_order[: row.seq]:
            one = before.delivery
            if one.hook != row.delivery.hook or one.status.final or one.replay_of is not None:
                continue
            passed = rules.order.skip and (one.status in _PASSABLE or (one.attempts and one.status is Status.PENDING))
            if _key_of(before) == _key_of(row) and not passed:
                self.fail(checks.ORDER, f"{row.delivery.id} is attempted and {one.id} before it is {one.status.value}")

    def _check_lane(self, running: Running) -> None:
        name = running.lane
        destination = configuration().destinations.get(name)
        most = (destination.concurrency if destination else None) or self._limits.concurrency
        here = sum(1 for one in self.active if (one.process, one.lane) == (running.process, name))
        if here >= most:
            self.fail(checks.TOO_MANY, f"{here + 1} at {name}, whose limit is {most}")
        if destination and destination.rate and self._punctual:
            now, last = self._clock.monotonic(), self.starts.get((running.process, name))
            if last is not None and now < last + 1 / destination.rate - 1e-6:
                self.fail(checks.TOO_FAST, f"{name}: {now - last:.3f} s after the start before")
            self.starts[running.process, name] = now

    # Commits

    def commits(self, process: str, name: str, arguments: tuple[Any, ...], perform: Callable[[], Any]) -> Any:
        """An operation of the store, at the moment of its commit."""
        row = self._memory.deliveries.get(arguments[0].delivery) if name == "record" else None
        before = (row.owner, row.delivery) if row else (None, None)
        if name == "release_held":  # due at once, as the contract says
            held = [one.delivery for one in self._memory.in_order if one.delivery.status is Status.HELD]
            self.waited |= {(one.id, one.attempts) for one in held if one.hook == arguments[0]}
        result = perform()
        if self.trace is not None and name not in {"next_due_us", "counts"} and result:
            self.note(process, f"commit  {name}{_shown(name, arguments, result)}")
        if name == "record" and result is Recorded.DONE and before[1] is not None:
            self._check_record(process, before[0], before[1], arguments[0])
        elif name == "claim_due":
            self._check_claim(arguments[0], result)
        elif name in {"save", "save_all"}:
            for new in arguments[0] if name == "save_all" else (arguments[0],):
                for one in new.deliveries:
                    self.leased_us[one.id] = max(self._clock.now_us(), one.due_us)
        return result

    def _check_claim(self, claim: Claim, claimed: list[Claimed]) -> None:
        now_us = self._clock.now_us()
        taken = Counter(one.delivery.lane for one in claimed)
        for one in claimed:
            self.leased_us[one.delivery.id] = now_us
            if one.delivery.due_us > now_us:
                self.fail(checks.TOO_EARLY, f"{one.delivery.id} is claimed before it is due")
            step = self.hooks[one.delivery.hook].step_after(one.delivery.results)
            if step is not None and self._missing_wait_s(one.delivery, step, now_us) <= 0:
                self.waited.add((one.delivery.id, one.delivery.attempts))
        for lane, count in taken.items():
            if count > claim.free.get(lane, claim.free_elsewhere):
                self.fail(checks.TOO_MANY, f"{count} are claimed for {lane}")

    def _check_record(self, process: str, owner: str | None, before: Delivery, recording: Recording) -> None:
        if owner != process:
            self.fail(checks.STALE, f"{process} records {before.id}, which is leased to {owner or 'nobody'}")
        if recording.lease is not None:
            self.leased_us[before.id] = max(self._clock.now_us(), recording.due_us)
        failed = any(result.status is StepStatus.FAILED for result in recording.new_results.values())
        if recording.status is Status.DEAD or failed:
            self._check_end(before, recording)

    def _check_end(self, before: Delivery, recording: Recording) -> None:
        """A delivery dies, or one of its steps has failed for good."""
        step = self.hooks[before.hook].step_after(before.results)
        attempt = recording.attempt
        if attempt is not None and attempt.number <= before.attempts:
            return  # its first answer was lost, and it is recorded once more
        if attempt is None or step is None:
            over = self._clock.now_us() >= before.expires_us or recording.at_us >= before.expires_us
            if not over:
                self.fail(checks.GAVE_UP, f"{before.id} dies without an attempt, {recording.reason}")
            return
        spent = before.step_attempts + 1 >= step.retry.attempts
        rejected = attempt.outcome == OutcomeKind.REJECT.value
        if not spent and not rejected and recording.reason != "expired":
            self.fail(checks.GAVE_UP, f"{before.id} dies after {before.step_attempts + 1} attempts, {recording.reason}")

    # What the engine tells

    def answered(self, process: str, key: tuple[str, str], deliveries: tuple[str, ...]) -> None:
        """An event was answered as accepted."""
        self.counts["accepted"] += 1
        self.accepted[key] = deliveries
        if key not in self._memory.events or any(one not in self._memory.deliveries for one in deliveries):
            self.fail(checks.NOT_DURABLE, f"{key[1]} was answered by {process} and is not on disk")

    def heard(self, delivery: str, *, attempt: int | None = None) -> None:
        """An observer heard of an attempt of this number, or of the delivery's end."""
        row = self._memory.deliveries.get(delivery)
        if row is None or (attempt is not None and attempt not in row.attempts):
            self.fail(checks.UNTRUE, f"{delivery} attempt {attempt}")

    @property
    def open_deliveries(self) -> int:
        """Those on disk that are pending, running or waiting."""
        open_statuses = {Status.PENDING, Status.RUNNING, Status.WAITING}
        return sum(1 for row in self._memory.in_order if row.delivery.status in open_statuses)


def _key_of(row: DeliveryRow) -> object:
    """What `by: event.data.key` makes of it."""
    return row.event.event.data.get("key")


def _least_wait_us(step: Step, attempts: int, outcome: Outcome | None) -> int:
    """The least wait after so many attempts that came to this."""
    delays = step.retry.delays
    planned_us = duration_us(delays[min(attempts, len(delays)) - 1]) if delays else 0
    asked = outcome.retry_after if isinstance(outcome, Outcome) else None
    ceiling = min(getattr(step.retry, "max_retry_after", MAX_DELAY), MAX_DELAY)
    asked_us = duration_us(min(asked, ceiling)) if asked else 0
    return max(int(planned_us * (1 - step.retry.jitter)), asked_us) - 1


def _shown(name: str, arguments: tuple[Any, ...], result: Any) -> str:
    if name == "record":
        one: Recording = arguments[0]
        return f" {one.delivery[-6:]} {one.status.value} {sorted(one.new_results)} {result.value}"
    if name == "save":
        new = arguments[0]
        made = [f"{one.id[-6:]} {one.hook} {one.status.value}" for one in new.deliveries]
        return f" {new.event.type} {new.event.id} {'duplicate' if result.duplicate else made}"
    if name == "claim_due":
        return f" {[one.delivery.id[-6:] for one in result]}"
    return f" {result}" if isinstance(result, int) else ""
