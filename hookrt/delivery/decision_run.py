"""One decision on its way: hook after hook, until one denies, all have answered, or the time is over."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hookrt.delivery.decide import result_of
from hookrt.delivery.decision_record import Ledger, Page, StepOver
from hookrt.delivery.decision_step import Doer, Trying
from hookrt.delivery.gate import Refusal
from hookrt.delivery.keeping import keep_text
from hookrt.delivery.lane import Job
from hookrt.delivery.run_attempt import Ended
from hookrt.errors import ExpressionError, StoreError
from hookrt.model.decision import INTERRUPTED, Answer, Decision, HookDecision
from hookrt.model.delivery import Status, StepResult, StepStatus
from hookrt.model.event import Event
from hookrt.model.hook import Condition, Hook, Scope, Step
from hookrt.secrets.masking import mask_within

DEADLINE = "deadline"
"""The cause where the time was over."""

STOPPING = "stopping"
"""The cause where the runtime stopped."""

CONDITION = "condition"
"""The cause where a `when` could not be evaluated."""

BAD_ANSWER = "bad-answer"
"""The cause where the output is no answer, or its patch does not fit."""

STORE = "store"
"""The cause where the record could not be begun, so that the hook was not asked."""

STUCK = "stuck"
"""The cause where earlier attempts of the hook were cut off and go on all the same, so that it was not asked."""

LATE_S = 0.05
"""Seconds after the end in which the conditions of those who were not asked are still looked at."""


class Unanswered(Exception):  # noqa: N818
    """The hook cannot answer; `cause` is one word, the text a sentence."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the event, the monotonic time of the deadline, and the bytes that its data may have.

    `disabled` says which hooks are disabled at run time, `stuck` of one whether it has too many attempts that do not
    end.
    """

    event: Event
    timeout: timedelta
    deadline: float
    most: int
    disabled: Callable[[], Awaitable[Collection[str]]]
    stuck: Callable[[str], bool]


@dataclass(slots=True)
class _Turn:
    """A hook that is asked now."""

    hook: Hook
    begun: float
    page: Page | None = None
    trying: Trying | None = None
    results: dict[str, StepResult] = field(default_factory=dict)


class DecisionRun:
    """Asks the hooks. Whoever runs it may `cut` it at any time: from then on nothing changes what was said."""

    def __init__(self, question: Question, hooks: Sequence[Hook], doer: Doer, ledger: Ledger) -> None:
        self._question = question
        self._event = question.event
        self._left = deque(hooks)
        self._doer = doer
        self._ports = doer.ports
        self._ledger = ledger
        self._said: list[HookDecision] = []
        self._turn: _Turn | None = None
        self.over = False
        self.cut_off: str | None = None
        """The hook whose attempt was cut off, and may still go on."""

    async def run(self) -> None:
        """Ask one hook after another."""
        if self._left:
            disabled = await self._question.disabled()
            self._left = deque(hook for hook in self._left if hook.name not in disabled)
        while self._left and not self.over:
            if self._now() >= self._question.deadline:  # conditions alone can take so long
                late = self._too_late()
                self.cut(late.cause, str(late))
                return
            turn = self._begin(self._left.popleft())
            if turn is not None:
                await self._ask(turn)
        self.over = True

    def cut(self, cause: str, message: str) -> None:
        """End it now: what has not answered is answered by its `on_error`, the hook under way and those behind it."""
        turn = self._turn
        if turn is not None:
            self._cut_attempt(turn, cause, message)
            self._fall_back(turn, Unanswered(cause, message))
        until = self._now() + LATE_S
        while self._left and not self.over:
            hook = self._left.popleft()
            turn = self._begin(hook) if self._now() < until else _Turn(hook, self._now())
            if turn is not None:
                self._fall_back(turn, Unanswered(cause, message))
        self.over = True

    def abandon(self) -> None:
        """End it now, since nobody waits for it any more."""
        turn, self._turn, self.over = self._turn, None, True
        if turn is not None:
            self._cut_attempt(turn, "abandoned", "whoever asked has gone")
            if turn.page is not None:
                self._ledger.end(turn.page, Status.CANCELLED, INTERRUPTED)

    def decision(self) -> Decision:
        """What has been said."""
        last = self._said[-1] if self._said else None
        denied = last is not None and last.decision == "deny"
        return Decision(
            id=self._event.id,
            decision="deny" if denied else "allow",
            data=self._event.fresh().data,
            reason=last.reason if last is not None and denied else None,
            hooks=tuple(self._said),
        )

    def _begin(self, hook: Hook) -> _Turn | None:
        """The hook's turn, None for one that does not want the event as it is now, or cannot say."""
        self._turn = turn = _Turn(hook, self._now())  # from here on it is answered, whatever happens
        try:
            wanted = self._holds(turn, hook.when)
        except Unanswered as error:
            self._fall_back(turn, error)
            return None
        if not wanted:
            self._turn = None
            return None
        turn.page = self._ledger.open(hook)
        return turn

    async def _ask(self, turn: _Turn) -> None:
        try:
            assert turn.page is not None
            if self._question.stuck(turn.hook.name):
                raise Unanswered(STUCK, "earlier attempts of it were cut off, and have not ended yet")
            await self._saved(turn.page)
            output = await self._steps(turn)
            self._check_turn(turn)
            self._take(turn, output)
        except Unanswered as error:
            self._check_turn(turn)
            self._fall_back(turn, error)

    async def _saved(self, page: Page) -> None:
        try:
            await asyncio.shield(page.saved)
        except StoreError as error:
            raise Unanswered(STORE, f"it was not asked, since that could not be recorded: {error}") from None

    async def _steps(self, turn: _Turn) -> Any:
        """The output of the last step that was not skipped; an empty answer that allows where all were."""
        output: Any = {"decision": "allow"}
        for step in turn.hook.steps:
            self._check_turn(turn)
            if not self._holds(turn, step.when):
                self._step_over(turn, StepOver(step.id, StepResult(StepStatus.SKIPPED)))
                continue
            output = await self._step(turn, step)
        return output

    async def _step(self, turn: _Turn, step: Step) -> Any:
        assert turn.page is not None
        clock = self._ports.clock
        delivery = replace(turn.page.delivery, results=turn.results)
        turn.trying = trying = Trying(step, delivery.attempts + 1, clock.now_us(), clock.monotonic())
        made = await self._doer.attempt(Job(delivery, self._event), turn.hook, trying, self._question.deadline)
        self._check_turn(turn)
        turn.trying = None
        if isinstance(made, Refusal):
            raise Unanswered(made.reason, f"the step {step.id!r} was not started: {made.reason}")
        ended, emitted = made
        result = result_of(ended.outcome)
        self._step_over(turn, StepOver(step.id, result, step.action, ended.attempt, emitted))
        if result.status is StepStatus.FAILED and not step.continue_on_error:
            raise self._why_failed(step, ended)
        return result.output

    def _step_over(self, turn: _Turn, over: StepOver) -> None:
        assert turn.page is not None
        turn.results[over.step] = over.result
        shown = replace(over.result, output=mask_within(over.result.output, self._ports.mask))
        self._ledger.step_over(turn.page, replace(over, result=shown))  # nothing reads it but people

    def _why_failed(self, step: Step, ended: Ended) -> Unanswered:
        outcome = ended.outcome
        reason = outcome.reason or "failed"
        if reason == "timeout" and self._now() >= self._question.deadline:
            return self._too_late()
        return Unanswered(reason, f"the step {step.id!r} failed: {outcome.message or reason}")

    def _too_late(self) -> Unanswered:
        return Unanswered(DEADLINE, f"no answer within the decision's {self._question.timeout.total_seconds():g} s")

    def _holds(self, turn: _Turn, when: Condition | None) -> bool:
        """Whether a `when`, of the hook or a step, lets it go on; raises Unanswered where it cannot say."""
        try:
            return when is None or when.holds(Scope(self._event, turn.hook.name, self._ports.env, turn.results))
        except ExpressionError as error:
            raise self._unanswerable(turn.hook, error.message) from None
        except Exception as error:  # a mistake of ours must not open a door
            raise self._unanswerable(turn.hook, f"{type(error).__name__}: {error}") from None

    def _unanswerable(self, hook: Hook, why: str) -> Unanswered:
        self._ports.observer.condition_failed(hook.name)
        return Unanswered(CONDITION, f"its `when` has no answer: {keep_text(why, self._ports.mask)}")

    def _check_turn(self, turn: _Turn) -> None:
        """It may have been cut while something that does not heed its cancellation went on."""
        if self._turn is not turn:
            raise asyncio.CancelledError

    def _take(self, turn: _Turn, output: Any) -> None:
        """Take the hook's answer, its patch included."""
        try:
            answer = Answer.read(output)
            if answer.decision == "allow" and answer.patch is not None:
                content = answer.apply(self._event.data, self._question.most)
                self._event = replace(self._event, content=content)
        except ValueError as error:
            raise Unanswered(BAD_ANSWER, keep_text(str(error), self._ports.mask)) from None
        reason = None if answer.reason is None else keep_text(answer.reason, self._ports.mask)
        assert turn.page is not None
        self._ledger.end(turn.page, Status.SUCCEEDED, answer.decision)
        self._say(turn, HookDecision(turn.hook.name, answer.decision, "answer", self._since(turn), reason))

    def _fall_back(self, turn: _Turn, why: Unanswered) -> None:
        """Let the hook's `on_error` answer."""
        choice = turn.hook.on_error or "deny"
        if turn.page is None:
            turn.page = self._ledger.open(turn.hook)
        self._ledger.end(turn.page, Status.DEAD, f"{choice}: {why.cause}")
        said = HookDecision(
            hook=turn.hook.name,
            decision=choice,
            by="on_error",
            duration=self._since(turn),
            reason=f"no answer: {why.cause}" if choice == "deny" else None,
            cause=why.cause,
            message=keep_text(str(why), self._ports.mask),
        )
        self._say(turn, said)

    def _say(self, turn: _Turn, said: HookDecision) -> None:
        self._turn = None
        page = turn.page
        stored = page is not None and not self._ledger.broken
        self._said.append(replace(said, delivery=page.delivery.id if page is not None and stored else None))
        if said.decision == "deny":
            self.over = True

    def _now(self) -> float:
        return self._ports.clock.monotonic()

    def _since(self, turn: _Turn) -> timedelta:
        return timedelta(seconds=self._now() - turn.begun)

    def _cut_attempt(self, turn: _Turn, cause: str, message: str) -> None:
        trying, turn.trying = turn.trying, None
        if trying is None or turn.page is None:
            return
        self.cut_off = turn.hook.name
        trying.late = cause == DEADLINE
        attempt = trying.cut(self._now(), cause, message)
        result = StepResult(StepStatus.FAILED, error=f"{cause}: {message}")
        self._ledger.step_over(turn.page, StepOver(trying.step.id, result, trying.step.action, attempt))
