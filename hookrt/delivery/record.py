"""From a verdict to the store: one transaction for each attempt, then those who want to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hookrt.delivery.announce import Announcer
from hookrt.delivery.intake import Intake
from hookrt.delivery.keeping import keep_text
from hookrt.delivery.lane import Job
from hookrt.delivery.ports import Ports
from hookrt.delivery.run_attempt import Ended
from hookrt.delivery.streaks import Streaks
from hookrt.delivery.waiters import Waiters
from hookrt.errors import EventError, StoreError
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery, Status, StepResult, StepStatus
from hookrt.model.event import EventDraft, encode_data
from hookrt.model.hook import Step
from hookrt.model.ids import emitted_event_id
from hookrt.model.outcome import Emission, Outcome, OutcomeKind
from hookrt.model.own_events import is_reserved
from hookrt.plugin.observer import AttemptRecorded
from hookrt.store.contract import NewEvent, Recorded, Recording

PATIENCE_S = 1.0
"""How long to wait before a result is offered again to a store that could not take it."""


@dataclass(slots=True)
class Change:
    """How a delivery goes on: its next status and lane, and what is new about it.

    `running` means that this process keeps it for the next step. `attempt` is the one that led here, if any, and
    `emitted` the events of its step.
    """

    status: Status
    lane: str
    due_us: int
    new_results: Mapping[str, StepResult] = field(default_factory=dict)
    step_attempts: int = 0
    reason: str | None = None
    attempt: Attempt | None = None
    emitted: Sequence[NewEvent] = ()


@dataclass(frozen=True, slots=True)
class News:
    """Who wants to know of what is recorded: deaths are announced, and failures in a row are counted."""

    announcer: Announcer
    streaks: Streaks


class Recorder:
    """Writes what became of a delivery, until the store takes it; tells the observers and those who wait."""

    def __init__(self, ports: Ports, intake: Intake, waiters: Waiters, news: News) -> None:
        self._ports = ports
        self._intake = intake
        self._waiters = waiters
        self._announcer = news.announcer
        self._streaks = news.streaks

    async def record(self, job: Job, change: Change) -> Delivery | None:
        """Commit the change and return the delivery as it is now; None when somebody else has it by now.

        A store that is full or broken is offered the result again until it takes it: what was done is not lost
        while the process lives. Only a cancellation ends that.
        """
        before = job.delivery
        after = _changed(before, change)
        if change.status is Status.DEAD:
            death = await self._announcer.prepare_death(after, job.event, change.attempt)
            change.emitted = [*change.emitted, *death]
        recording = self._recording(before, after, change)
        if await self._insist(recording) is Recorded.STALE:
            self._ports.log.warning("result-of-lost-lease", delivery=before.id, hook=before.hook)
            return None
        if change.emitted:
            self._announcer.count(change.emitted)
        if before.order_key is not None and after.status is not Status.RUNNING:
            self._intake.kick()  # the turn may have passed to another one
        self._tell(before, after, change)
        return after

    def emissions(self, job: Job, step: Step, ended: Ended) -> tuple[Ended, Sequence[NewEvent]]:
        """The events that this attempt emits; one that is not acceptable turns the attempt into a reject."""
        outcome = ended.outcome
        if outcome.kind is not OutcomeKind.DONE or not outcome.events:
            return ended, ()
        try:
            drafts = [self._draft(job, step, number, emission) for number, emission in enumerate(outcome.events)]
            return ended, self._intake.emitted(drafts, f"hook:{job.delivery.hook}")
        except EventError as error:
            why = keep_text(f"an emitted event is not acceptable: {error}", self._ports.mask)
            rejected = Outcome.reject("bad-event", why)
            attempt = replace(
                ended.attempt, outcome=rejected.kind.value, reason=rejected.reason, message=rejected.message
            )
            return Ended(rejected, attempt), ()

    def _draft(self, job: Job, step: Step, number: int, emission: Emission) -> EventDraft:
        depth = job.event.depth + 1
        if depth > self._ports.limits.depth:
            raise EventError(f"{depth} events in a row have caused each other: the limit against loops")
        if is_reserved(emission.type):
            raise EventError("types that begin with 'hookrt.' are for hookrt itself")
        return EventDraft(
            type=emission.type,
            content=encode_data(emission.data),
            id=emission.id or emitted_event_id(job.delivery.id, step.id, number),
            subject=emission.subject,
            cause=job.delivery.id,
            depth=depth,
        )

    def _recording(self, before: Delivery, after: Delivery, change: Change) -> Recording:
        return Recording(
            delivery=before.id,
            token=before.lease_token,
            status=after.status,
            lane=after.lane,
            due_us=after.due_us,
            at_us=self._ports.store.now_us(),
            attempt=change.attempt,
            attempts=after.attempts,
            step_attempts=after.step_attempts,
            failed_steps=after.failed_steps,
            new_results=change.new_results,
            reason=after.reason,
            lease=self._intake.lease(before.lease_token) if after.status is Status.RUNNING else None,
            emitted=change.emitted,
        )

    async def _insist(self, recording: Recording) -> Recorded:
        while True:
            try:
                return await self._ports.store.record(recording)
            except StoreError as error:
                self._ports.log.error("result-not-stored", delivery=recording.delivery, error=str(error))
                await self._ports.clock.sleep(PATIENCE_S)

    def _tell(self, before: Delivery, after: Delivery, change: Change) -> None:
        """Those who wait, the observers, and, of what went wrong, the log."""
        observer, attempt = self._ports.observer, change.attempt
        if attempt is not None:
            action = self._action_of(before.hook, attempt.step)
            observer.attempt_recorded(
                AttemptRecorded(before.id, before.hook, before.lane, action, attempt, after.status)
            )
            if attempt.outcome != OutcomeKind.DONE.value:
                self._log_failure(after, attempt)
                self._streaks.failed(after.hook)
        if after.status.final:
            if after.status is Status.SUCCEEDED:
                if self._streaks.failing:
                    self._streaks.succeeded(after.hook)
            elif after.status is Status.DEAD and attempt is None:
                self._streaks.failed(after.hook)
            self._intake.open_deliveries -= 1
            self._waiters.finished(after)
            observer.delivery_ended(after.hook, after.status)
        elif after.status is Status.HELD:  # held ones are outside the pending limit
            self._intake.open_deliveries -= 1

    def _action_of(self, hook: str, step: str) -> str:
        found = self._ports.router.get(hook)
        return next((one.action for one in found.steps if one.id == step), "") if found else ""

    def _log_failure(self, after: Delivery, attempt: Attempt) -> None:
        fields = {"delivery": after.id, "hook": after.hook, "step": attempt.step, "reason": attempt.reason}
        if after.status is Status.DEAD:
            self._ports.log.error("delivery-dead", **fields, attempts=after.attempts, message=attempt.message)
        else:
            self._ports.log.warning("attempt-failed", **fields, message=attempt.message, status=after.status.value)


def _changed(before: Delivery, change: Change) -> Delivery:
    """The delivery after the change; written out, since `dataclasses.replace` costs more than all else here."""
    results, failed = before.results, before.failed_steps
    if change.new_results:
        results = {**results, **change.new_results}
        failed = sum(result.status is StepStatus.FAILED for result in results.values())
    return Delivery(
        id=before.id,
        hook=before.hook,
        lane=change.lane,
        status=change.status,
        created_us=before.created_us,
        due_us=change.due_us,
        expires_us=before.expires_us,
        origin=before.origin,
        event_source=before.event_source,
        event_id=before.event_id,
        results=results,
        attempts=before.attempts + (change.attempt is not None),
        step_attempts=change.step_attempts,
        failed_steps=failed,
        reason=change.reason,
        updated_us=before.updated_us,
        order_key=before.order_key,
        replay_of=before.replay_of,
        salt=before.salt,
        lease_token=before.lease_token,
    )
