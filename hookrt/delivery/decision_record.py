"""The record of one decision: its event, and for each hook that took part a delivery which is never run again.

Such a delivery has an origin that no hook has. While its hook is asked it is leased to an owner that claims nothing, so
that after a crash whoever delivers claims it, finds no hook of that origin, and cancels it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from hookrt.delivery.ports import Ports
from hookrt.delivery.waiters import Waiters
from hookrt.errors import HookrtError, StoreError
from hookrt.model.attempt import Attempt
from hookrt.model.decision import DECISION_ORIGIN, INTERRUPTED
from hookrt.model.delivery import Delivery, Status, StepResult, StepStatus
from hookrt.model.event import Event
from hookrt.model.hook import Hook
from hookrt.plugin.observer import AttemptRecorded
from hookrt.store.contract import Lease, NewDelivery, NewEvent, Recorded, Recording

PATIENCE_S = 1.0
"""How long to wait before a result is offered again to a store that could not take it."""

OFFERS = 5
"""How often it is offered; then its delivery is left to whoever finds its lease ended."""


@dataclass(frozen=True, slots=True)
class Secretary:
    """What records are written with. `emitted` is told of the events that steps emitted, once they are stored."""

    ports: Ports
    waiters: Waiters
    owner: str
    take_token: Callable[[], int]
    emitted: Callable[[Sequence[NewEvent]], None]


@dataclass(slots=True)
class StepOver:
    """A step that is over: its result, and the attempt that led to it, if any."""

    step: str
    result: StepResult
    action: str = ""
    attempt: Attempt | None = None
    emitted: Sequence[NewEvent] = ()


@dataclass(slots=True)
class Page:
    """The record of one hook. `saved` ends when it is on disk, with a StoreError when it cannot be."""

    delivery: Delivery
    saved: asyncio.Future[None]
    waiting: StepOver | None = None
    closed: bool = False


@dataclass(slots=True)
class Ledger:
    """Writes the record of one decision in its own order, beside the decision itself; `until_us` ends its leases."""

    secretary: Secretary
    event: NewEvent
    until_us: int
    broken: bool = False
    _begun: bool = False
    _queue: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    _worker: asyncio.Task[None] | None = None

    def open(self, hook: Hook) -> Page:
        """A page for a hook that is about to be asked."""
        ports = self.secretary.ports
        now_us = ports.store.now_us()
        lease = Lease(self.secretary.owner, self.secretary.take_token(), self.until_us)
        new = NewDelivery(
            ports.ids.new("dlv"), hook.name, f"hook:{hook.name}", now_us, self.until_us, DECISION_ORIGIN, lease
        )
        page = Page(_delivery_of(new, lease, self.event.event), asyncio.get_running_loop().create_future())
        page.saved.add_done_callback(_heard)
        first, self._begun = not self._begun, True
        self._put(lambda: self._save(page, new, first=first))
        return page

    def step_over(self, page: Page, over: StepOver) -> None:
        """A step of the hook is over; it is written with the next one, or with the end."""
        if page.closed:
            return
        self._write_waiting(page)
        before = page.delivery
        page.waiting = over
        page.delivery = replace(
            before,
            results={**before.results, over.step: over.result},
            attempts=before.attempts + (over.attempt is not None),
            failed_steps=before.failed_steps + (over.result.status is StepStatus.FAILED),
        )

    def end(self, page: Page, status: Status, reason: str) -> None:
        """The hook has said what it says, or nothing."""
        if page.closed:
            return
        page.closed = True
        page.delivery = replace(page.delivery, status=status, reason=reason)
        self._write_waiting(page, last=True)

    def close(self) -> None:
        """The decision is made; where no hook took part, its event is stored all the same."""
        if not self._begun:
            self._begun = True
            self._put(self._save_bare)

    @property
    def writing(self) -> asyncio.Task[None] | None:
        """What still writes; None when all is written."""
        return self._worker if self._worker is not None and not self._worker.done() else None

    def _write_waiting(self, page: Page, *, last: bool = False) -> None:
        over, page.waiting = page.waiting, None
        if over is not None or last:
            after = page.delivery
            self._put(lambda: self._record(page, after, over))

    def _put(self, work: Callable[[], Awaitable[None]]) -> None:
        self._queue.append(work)
        if self.writing is None:
            self._worker = asyncio.create_task(self._work(), name="hookrt decision record")

    async def _work(self) -> None:
        """What is queued goes to the store together, so that it shares a commit."""
        while self._queue:
            batch, self._queue = self._queue, []
            await asyncio.gather(*(work() for work in batch))

    async def _save(self, page: Page, new: NewDelivery, *, first: bool) -> None:
        store, event = self.secretary.ports.store, self.event.event
        try:
            if self.broken:
                raise StoreError("the decision's event could not be stored")
            if first:
                await store.save(replace(self.event, deliveries=[new]))
                self.secretary.ports.observer.event_accepted(event.source)
            else:
                await store.add_delivery(event.source, event.id, new)
        except HookrtError as error:
            self._break(error)
            page.saved.set_exception(StoreError(str(error)))
        else:
            page.saved.set_result(None)

    async def _save_bare(self) -> None:
        try:
            await self.secretary.ports.store.save(self.event)
        except HookrtError as error:
            self._break(error)
        else:
            self.secretary.ports.observer.event_accepted(self.event.event.source)

    async def _record(self, page: Page, after: Delivery, over: StepOver | None) -> None:
        """Write it once its page is on disk: within one commit a store may look for results before it adds pages."""
        await asyncio.wait([page.saved])
        if self.broken:
            return
        ports, recording = self.secretary.ports, self._recording(after, over)
        try:
            recorded = await self._insist(recording)
            if recorded is Recorded.STALE:
                ports.log.warning("decision-result-late", delivery=after.id, hook=after.hook)
                await ports.store.cancel(after.id, INTERRUPTED)  # held, say, since it was disabled meanwhile
                return
        except HookrtError as error:
            self._break(error)
            return
        if recording.emitted:
            self.secretary.emitted(recording.emitted)
        self._tell(after, over)

    def _recording(self, after: Delivery, over: StepOver | None) -> Recording:
        now_us = self.secretary.ports.store.now_us()
        running = after.status is Status.RUNNING
        return Recording(
            delivery=after.id,
            token=after.lease_token,
            status=after.status,
            lane=after.lane,
            due_us=now_us,
            at_us=now_us,
            attempt=over.attempt if over is not None else None,
            attempts=after.attempts,
            failed_steps=after.failed_steps,
            new_results={over.step: over.result} if over is not None else {},
            reason=after.reason,
            lease=Lease(self.secretary.owner, after.lease_token, self.until_us) if running else None,
            emitted=over.emitted if over is not None else (),
        )

    async def _insist(self, recording: Recording) -> Recorded:
        for _ in range(OFFERS - 1):
            try:
                return await self.secretary.ports.store.record(recording)
            except StoreError:
                await self.secretary.ports.clock.sleep(PATIENCE_S)
        return await self.secretary.ports.store.record(recording)

    def _break(self, error: HookrtError) -> None:
        self.broken = True
        event = self.event.event
        self.secretary.ports.log.error("decision-not-stored", decision=event.id, error=str(error))

    def _tell(self, after: Delivery, over: StepOver | None) -> None:
        observer = self.secretary.ports.observer
        if over is not None and over.attempt is not None:
            told = AttemptRecorded(after.id, after.hook, after.lane, over.action, over.attempt, after.status)
            observer.attempt_recorded(told)
        if after.status.final:
            self.secretary.waiters.finished(after)
            observer.delivery_ended(after.hook, after.status)


def _delivery_of(new: NewDelivery, lease: Lease, event: Event) -> Delivery:
    return Delivery(
        id=new.id,
        hook=new.hook,
        lane=new.lane,
        status=Status.RUNNING,
        created_us=new.due_us,
        due_us=new.due_us,
        expires_us=new.expires_us,
        origin=new.origin,
        event_source=event.source,
        event_id=event.id,
        lease_token=lease.token,
    )


def _heard(future: asyncio.Future[None]) -> None:
    """Whoever waited may have gone: what it ends with is in the log already."""
    if not future.cancelled():
        future.exception()
