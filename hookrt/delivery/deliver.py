"""A leased delivery on its way: step after step, until it ends, waits, or leaves this lane."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hookrt.delivery.decide import Situation, decide
from hookrt.delivery.endpoint_watch import NO_SIGN, EndpointWatch, Refused
from hookrt.delivery.guarded_http import GuardedHttp
from hookrt.delivery.hook_states import HookStates
from hookrt.delivery.lane import Job, Lane, Place
from hookrt.delivery.lanes import Lanes
from hookrt.delivery.ports import Ports
from hookrt.delivery.record import Change, Recorder
from hookrt.delivery.run_attempt import Ended, run_attempt
from hookrt.errors import ExpressionError
from hookrt.model.attempt import Attempt
from hookrt.model.decision import DECISION_ORIGIN, INTERRUPTED
from hookrt.model.delivery import Delivery, Status, StepResult, StepStatus
from hookrt.model.hook import Hook, Scope, Step
from hookrt.model.hook_state import HOOK_DISABLED
from hookrt.model.verdict import Dead, RetryAt, StepOver, Verdict
from hookrt.store.contract import NewEvent

HOOK_REMOVED = "hook-removed"
"""The reason of deliveries whose hook is not defined (any more, or yet)."""


@dataclass(slots=True)
class Courier:
    """Takes one delivery as far as it gets. `take_up` lets a hook have what is held for it, `states` knows which are
    disabled, `watch` which endpoints are to be left alone.
    """

    ports: Ports
    lanes: Lanes
    recorder: Recorder
    take_up: Callable[[Hook], None]
    states: HookStates
    watch: EndpointWatch

    async def deliver(self, job: Job, lane: Lane, place: Place) -> None:
        """Run the steps that this lane is for; hand over, park or finish the delivery."""
        while True:
            hook = self._hook_of(job.delivery)
            if hook is None:
                await self._hold(job)
                return
            if not await self._advance(job, _At(hook, lane, place)):
                return

    async def postpone(self, job: Job, reason: str) -> None:
        """Put it back for a minute, without an attempt."""
        due_us = self.ports.store.now_us() + 60_000_000
        change = Change(Status.WAITING, job.delivery.lane, due_us, reason=reason)
        await self.recorder.record(job, replace(change, step_attempts=job.delivery.step_attempts))

    def _hook_of(self, delivery: Delivery) -> Hook | None:
        hook = self.ports.router.get(delivery.hook)
        if hook is None or not hook.enabled or hook.origin != delivery.origin or hook.name in self.states.disabled:
            return None
        return hook if hook.on_error is None else None  # it fires for nothing any more

    async def _hold(self, job: Job) -> None:
        delivery = job.delivery
        if delivery.origin == DECISION_ORIGIN:  # a decision that nobody finished; whoever asked has gone
            await self._leave(job, Change(Status.CANCELLED, delivery.lane, delivery.due_us, reason=INTERRUPTED))
            return
        found = self.ports.router.get(delivery.hook)
        disabled = found is not None and (not found.enabled or found.name in self.states.disabled)
        reason = HOOK_DISABLED if disabled else HOOK_REMOVED
        change = Change(Status.HELD, delivery.lane, delivery.due_us, reason=reason)
        await self._leave_held(job, replace(change, step_attempts=delivery.step_attempts))

    async def _leave_held(self, job: Job, change: Change) -> bool:
        await self._leave(job, change)
        hook = self._hook_of(job.delivery)
        if hook is not None:  # it came back while this was written, and may have looked for held ones before
            self.take_up(hook)
        return False

    async def _advance(self, job: Job, at: _At) -> bool:
        """One step; whether there is more to do here."""
        now_us = self.ports.store.now_us()
        delivery, lane = job.delivery, at.lane
        step = at.hook.step_after(delivery.results)
        if step is None:
            return await self._leave(job, Change(Status.SUCCEEDED, lane.name, now_us))
        if now_us >= delivery.expires_us:
            return await self._leave(job, Change(Status.DEAD, lane.name, now_us, reason="expired"))
        if delivery.step_attempts and delivery.tried not in (None, step.id):  # another step's: the hook has changed
            delivery = job.delivery = replace(delivery, step_attempts=0)
        if step.lane != lane.name:
            return await self._move(job, step, _Over({}, step_attempts=delivery.step_attempts))
        if step.when is not None and not self._holds(job, at.hook, step):
            return await self._go_on(job, at, _Over({step.id: StepResult(StepStatus.SKIPPED)}))
        return await self._attempt(job, step, at)

    async def _attempt(self, job: Job, step: Step, at: _At) -> bool:
        gate = at.lane.gate
        if gate.watchful:
            if not self.lanes.open:
                return False  # a stop waits for no start: its lease is released with the others
            refusal = await self.watch.start(at.lane, job)
            if refusal is not None:
                return await self._come_back(job, at, Refused(gate, refusal))
            if self._hook_of(job.delivery) is not at.hook or self.ports.store.now_us() >= job.delivery.expires_us:
                self.watch.attempted(gate, gate.turn, NO_SIGN, job)
                return True  # things changed while it waited: look at them anew
        guard = GuardedHttp(self.watch, job) if at.lane.leads_anywhere else None
        turn = gate.turn
        try:
            ended = await run_attempt(job, at.hook, step, self.ports, guard.around if guard is not None else None)
        except BaseException:
            self.watch.attempted(gate, turn, NO_SIGN, job)
            raise
        if guard is None:
            self.watch.ended(gate, turn, ended, job)
        elif (refused := guard.ended(gate, turn, ended)) is not None:
            return await self._come_back(job, at, refused)
        return await self._conclude(job, step, at, ended)

    async def _come_back(self, job: Job, at: _At, refused: Refused) -> bool:
        """The endpoint is to be left alone: later, with no attempt spent, nor beyond the delivery's end."""
        delivery, ports = job.delivery, self.ports
        at.place.free()
        self.watch.refused(refused)
        seconds = refused.why.due_in(ports.clock.monotonic(), ports.random())
        due_us = min(ports.store.now_us() + int(seconds * 1_000_000), delivery.expires_us)
        change = Change(Status.WAITING, at.lane.name, due_us, step_attempts=delivery.step_attempts)
        change.reason = refused.why.reason
        return await self._leave(job, change)

    async def _conclude(self, job: Job, step: Step, at: _At, ended: Ended) -> bool:
        ended, emitted = self.recorder.emissions(job, step, ended)
        attempts = job.delivery.step_attempts + 1
        situation = Situation(attempts, self.ports.store.now_us(), job.delivery.expires_us, self.ports.random())
        verdict = decide(ended.outcome, step, situation)
        if ended.outcome.disable is not None and await self._is_unwanted(at, ended.outcome.disable, verdict):
            at.place.free()
            return await self._leave_held(job, _kept_back(at.lane, situation, ended.attempt))
        if isinstance(verdict, StepOver):
            over = _Over({step.id: verdict.result}, ended.attempt, emitted)
            return await self._go_on(job, at, over)
        at.place.free()
        return await self._leave(job, _change_of(verdict, at.lane, situation, ended.attempt))

    async def _is_unwanted(self, at: _At, why: str, verdict: Verdict) -> bool:
        """The endpoint asks for an end of this hook. Whether its delivery is to wait with the others that come."""
        return await self.states.obey(at.hook, why) and not isinstance(verdict, StepOver)

    async def _go_on(self, job: Job, at: _At, over: _Over) -> bool:
        """A step is over: the next one here, elsewhere, or none. Each starts after this commit."""
        step = at.hook.step_after({**job.delivery.results, **over.results})
        lane = at.lane.name
        if step is None or step.lane != lane:
            at.place.free()
        if step is None:
            return await self._leave(job, over.change(Status.SUCCEEDED, lane, self.ports.store.now_us()))
        if step.lane != lane:
            return await self._move(job, step, over)
        status = Status.RUNNING if self.lanes.open else Status.PENDING
        kept = await self.recorder.record(job, over.change(status, lane, self.ports.store.now_us()))
        if kept is None or status is Status.PENDING:
            return False
        job.delivery = kept
        return self.lanes.open  # closed meanwhile: its lease is released with the others

    async def _move(self, job: Job, step: Step, over: _Over) -> bool:
        """To another lane: at once where it has room, else by way of the store."""
        reserved = self.lanes.reserve(step.lane, job.size)
        status = Status.RUNNING if reserved else Status.PENDING
        moved: Delivery | None = None
        try:
            moved = await self.recorder.record(job, over.change(status, step.lane, self.ports.store.now_us()))
        finally:
            if reserved and moved is None:
                self.lanes.give_back(step.lane, job.size)
        if reserved and moved is not None:
            self.lanes.put(step.lane, Job(moved, job.event))
        return False

    async def _leave(self, job: Job, change: Change) -> bool:
        await self.recorder.record(job, change)
        return False

    def _holds(self, job: Job, hook: Hook, step: Step) -> bool:
        scope = Scope(job.event, hook.name, self.ports.env, job.delivery.results)
        try:
            return step.when is None or step.when.holds(scope)
        except ExpressionError as error:
            self.ports.log.info(
                "condition-unanswerable", hook=hook.name, step=step.id, why=self.ports.mask(error.message)
            )
            self.ports.observer.condition_failed(hook.name)
            return False


@dataclass(slots=True)
class _At:
    """Where a delivery is: the hook as it is now, the lane, and the worker's place in it."""

    hook: Hook
    lane: Lane
    place: Place


@dataclass(slots=True)
class _Over:
    """A step that is over: its result, the attempt that led to it, if any, and what it emits.

    Without a result nothing is over, and `step_attempts` are those of the present step.
    """

    results: Mapping[str, StepResult]
    attempt: Attempt | None = None
    emitted: Sequence[NewEvent] = ()
    step_attempts: int = 0

    def change(self, status: Status, lane: str, now_us: int) -> Change:
        return Change(
            status, lane, now_us, self.results, self.step_attempts, attempt=self.attempt, emitted=self.emitted
        )


def _kept_back(lane: Lane, situation: Situation, attempt: Attempt) -> Change:
    """Held for a hook that this attempt disabled."""
    change = Change(Status.HELD, lane.name, situation.now_us, step_attempts=situation.attempts, attempt=attempt)
    change.reason = HOOK_DISABLED
    return change


def _change_of(verdict: RetryAt | Dead, lane: Lane, situation: Situation, attempt: Attempt) -> Change:
    waits = isinstance(verdict, RetryAt)
    return Change(
        Status.WAITING if waits else Status.DEAD,
        lane.name,
        verdict.due_us if isinstance(verdict, RetryAt) else situation.now_us,
        step_attempts=situation.attempts,
        reason=verdict.reason,
        attempt=attempt,
    )
