"""Decisions: hooks of `mode: decide` are asked before an application goes on, and the deadline holds in any case.

What is asked runs in a task of its own. At the deadline whoever asked gets an answer, whatever that task is doing; it
is cancelled, and nothing that it still says counts.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Coroutine
from datetime import timedelta
from typing import Any

from hookrt.clock import duration_us, from_us
from hookrt.delivery.decision_record import Ledger, Secretary
from hookrt.delivery.decision_run import DEADLINE, STOPPING, DecisionRun, Question
from hookrt.delivery.decision_step import Doer
from hookrt.delivery.endpoint_watch import EndpointWatch
from hookrt.delivery.engine import Engine
from hookrt.delivery.intake import event_digest
from hookrt.delivery.leases import cancel_all
from hookrt.delivery.ports import Ports
from hookrt.delivery.record import News, Recorder
from hookrt.errors import EventError, Overloaded, StoreError
from hookrt.model.decision import DECISION_ATTRIBUTE, Decision, HookDecision
from hookrt.model.event import Event, EventDraft, check_event
from hookrt.model.hook import Hook
from hookrt.model.own_events import OWN_SOURCE
from hookrt.store.contract import NewEvent

MOST_AT_ONCE = 256
"""So many decisions may be under way in one process; of those whose record is still being written, four times."""

MOST_STUCK = 64
"""So many attempts of one hook may go on after they were cut off; then it is not asked until one of them ends."""

SETTLE_S = 1.0
"""How long a stop waits for records to be written."""

_LEASE_US = 60_000_000


class Decisions:
    """Makes decisions, in any process that has the hooks, whether it delivers or not.

    `owner` names this process in leases; `most` is the number of bytes that an event's data may have.
    """

    def __init__(self, ports: Ports, engine: Engine, owner: str, most: int) -> None:
        self._ports = ports
        self._engine = engine
        self._most = most
        recorder = Recorder(
            ports, engine.intake, engine.waiters, News(engine.announcer, engine.states.streaks)
        )  # here it only says which events a step may emit
        watch = EndpointWatch(ports, engine.gates, engine.announcer)
        self._doer = Doer(ports, watch, recorder)
        # Not the owner whose leases are renewed as long as the process lives, and which claims nothing of its own.
        self._secretary = Secretary(
            ports, engine.waiters, f"{owner}-decisions", lambda: engine.intake.take_tokens(1), engine.announcer.count
        )
        self._asking: set[asyncio.Task[None]] = set()
        self._writing: set[asyncio.Task[None]] = set()
        self._under_way: set[asyncio.Future[None]] = set()
        self._stuck: Counter[str] = Counter()

    async def decide(self, draft: EventDraft, default_source: str, timeout: timedelta) -> Decision:
        """Ask the hooks for this event; answered within `timeout`.

        Raises EventError for what is no event, Overloaded when too much is asked at once.
        """
        begun = self._ports.clock.monotonic()
        self._check_load()
        event = self._complete(draft, default_source)
        over = asyncio.get_running_loop().create_future()
        self._under_way.add(over)
        try:
            decision = await self._decide(event, timeout, begun + timeout.total_seconds())
        finally:
            self._under_way.discard(over)
            over.cancel()
        self._tell(decision, self._ports.clock.monotonic() - begun)
        return decision

    def fall_back(self, draft: EventDraft, default_source: str, timeout: timedelta) -> Decision:
        """What `on_error` says of this event, without a look at conditions and without a record.

        It touches nothing that belongs to the event loop. Raises EventError.
        """
        event = self._complete(draft, default_source)
        disabled = self._engine.states.disabled if self._engine.leading else ()
        said: list[HookDecision] = []
        for hook in self._ports.router.deciding(event):
            if hook.name not in disabled:
                said.append(_unasked(hook, timeout))
                if said[-1].decision == "deny":
                    return Decision(event.id, "deny", event.data, said[-1].reason, tuple(said))
        return Decision(event.id, "allow", event.data, None, tuple(said))

    async def stop(self, drain: timedelta) -> None:
        """Let those under way end within `drain`, answer the others, and finish writing."""
        if self._asking:
            _, late = await asyncio.wait(self._asking, timeout=drain.total_seconds())
            for task in late:
                task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=SETTLE_S)
        if self._writing:
            _, unwritten = await asyncio.wait(self._writing, timeout=SETTLE_S)
            await cancel_all(unwritten)

    async def _decide(self, event: Event, timeout: timedelta, deadline: float) -> Decision:
        now_us = self._ports.store.now_us()
        ledger = Ledger(
            self._secretary,
            NewEvent(event, event_digest(event), now_us, fresh=True),
            now_us + duration_us(timeout) + _LEASE_US,
        )
        most = max(self._most, len(event.content))
        question = Question(event, timeout, deadline, most, self._disabled, self._is_stuck)
        run = DecisionRun(question, self._ports.router.deciding(event), self._doer, ledger)
        task = self._start(run.run())
        try:
            await self._wait(task, deadline)
            self._conclude(run, task, timeout)
        except asyncio.CancelledError:
            run.abandon()
            raise
        finally:
            task.cancel()
            self._leave(task, run.cut_off)
            self._keep_writing(ledger)
        if ledger.writing is not None:
            await self._wait(ledger.writing, deadline)
        return run.decision()

    def _conclude(self, run: DecisionRun, task: asyncio.Task[None], timeout: timedelta) -> None:
        """Where the hooks did not end it by themselves: the time is over, the runtime stops, or it has a mistake."""
        if run.over:
            return
        if not task.done():
            run.cut(DEADLINE, f"no answer within the decision's {timeout.total_seconds():g} s")
        elif task.cancelled():
            run.cut(STOPPING, "the runtime stopped")
        else:
            error = task.exception()
            self._ports.log.error("decision-failed", error=self._ports.mask(repr(error)))
            run.cut("exception", f"the decision failed: {type(error).__name__}")

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name="hookrt decision")
        self._asking.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()  # one that it raised after the deadline, say, is nobody's any more

    def _leave(self, task: asyncio.Task[None], hook: str | None) -> None:
        """Remember, until it ends, an attempt that was cut off: it may be one that heeds no cancellation."""
        if hook is None or task.done():
            return
        self._stuck[hook] += 1

        def ended(_: asyncio.Task[None]) -> None:
            self._stuck[hook] -= 1
            if not self._stuck[hook]:
                del self._stuck[hook]

        task.add_done_callback(ended)

    def _is_stuck(self, hook: str) -> bool:
        return self._stuck[hook] >= MOST_STUCK

    def _keep_writing(self, ledger: Ledger) -> None:
        ledger.close()
        if (writing := ledger.writing) is not None:
            self._writing.add(writing)
            writing.add_done_callback(self._writing.discard)

    async def _wait(self, task: asyncio.Task[None], deadline: float) -> None:
        left = deadline - self._ports.clock.monotonic()
        await asyncio.wait({task}, timeout=max(left, 0.0))

    async def _disabled(self) -> Collection[str]:
        """The hooks that are disabled at run time; a process that does not deliver has to ask the store."""
        if self._engine.leading:
            return self._engine.states.disabled
        try:
            states = await self._ports.store.hook_states.changed()
        except StoreError as error:
            self._ports.log.warning("hook-states-unknown", error=str(error))
            return ()
        return {state.hook for state in states if state.disabled}

    def _check_load(self) -> None:
        if len(self._under_way) >= MOST_AT_ONCE or len(self._writing) >= 4 * MOST_AT_ONCE:
            counted = f"{len(self._under_way)} decisions are under way, {len(self._writing)} being recorded"
            raise Overloaded(f"{counted}: the limit")

    def _complete(self, draft: EventDraft, default_source: str) -> Event:
        event = Event(
            id=self._ports.ids.new("dec"),
            type=draft.type,
            source=draft.source if draft.source is not None else default_source,
            time=from_us(self._ports.clock.now_us()),
            subject=draft.subject,
            content=draft.content,
            attributes={**draft.attributes, DECISION_ATTRIBUTE: True},
        )
        check_event(event)
        if event.source == OWN_SOURCE:
            raise EventError(f"'source' is {OWN_SOURCE!r}: only hookrt itself sends as it")
        return event

    def _tell(self, decision: Decision, seconds: float) -> None:
        self._ports.observer.decision_made(decision, seconds)
        failed = [one for one in decision.hooks if one.by == "on_error"]
        for one in failed:
            fields = {"decision": decision.id, "hook": one.hook, "cause": one.cause, "message": one.message}
            self._ports.log.warning("decision-unanswered", **fields, answered=one.decision)


def _unasked(hook: Hook, timeout: timedelta) -> HookDecision:
    """What a hook's `on_error` says when nobody came round to ask it."""
    choice = hook.on_error or "deny"
    reason = f"no answer: {DEADLINE}" if choice == "deny" else None
    message = "it was not asked in time: something holds up the event loop"
    return HookDecision(hook.name, choice, "on_error", timeout, reason, DEADLINE, message)
