"""From a draft to a stored event with its deliveries: the one entrance of all events."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec

from hookrt.clock import duration_us, from_us
from hookrt.delivery.lane import Job
from hookrt.delivery.lanes import Lanes
from hookrt.delivery.ports import Ports
from hookrt.errors import EventConflict, EventError, HookrtError, Overloaded, StoreError
from hookrt.model.delivery import Delivery, Status
from hookrt.model.event import Event, EventDraft, check_event
from hookrt.model.hook import Hook
from hookrt.store.contract import Lease, NewDelivery, NewEvent, Saved

Spawn = Callable[[Coroutine[Any, Any, None]], object]
"""Starts something that nobody waits for."""

PATIENCE_S = 1.0
"""The pause before the store is asked again what became of a save."""


@dataclass(slots=True)
class Accepted:
    """What became of an event: its identity and its deliveries; of a duplicate, those of the first one."""

    id: str
    source: str
    deliveries: tuple[str, ...]
    duplicate: bool = False


@dataclass(slots=True)
class Prepared:
    """An event matched and ready to be saved, and the jobs for which room is reserved."""

    new: NewEvent
    jobs: list[Job] = field(default_factory=list)


class Intake:
    """Accepts events: matches, saves, and hands deliveries over to their lanes where there is room."""

    def __init__(self, ports: Ports, lanes: Lanes, owner: str, spawn: Spawn) -> None:
        self._ports = ports
        self._lanes = lanes
        self._owner = owner
        self._spawn = spawn
        self._token = ports.ids.token()
        self._saving: deque[float] = deque()
        self.open_deliveries = 0

    async def accept(self, draft: EventDraft, default_source: str) -> Accepted:
        """Store one event; durable when it returns. Raises EventError, EventConflict, Overloaded, StoreError."""
        self._check_load()
        prepared = self._prepare(self._complete(draft, default_source), identified=draft.id is not None)
        try:
            self._saving.append(self._ports.clock.monotonic())
            try:
                saved = await self._ports.store.save(prepared.new)
            finally:
                self._saving.popleft()  # saves end in about the order in which they began
        except asyncio.CancelledError:
            self._spawn(self._settle([prepared]))
            raise
        except BaseException:
            self._give_back(prepared)
            raise
        return self._finish(prepared, saved)

    async def accept_all(self, drafts: Sequence[EventDraft], default_source: str) -> list[Accepted]:
        """Store a batch, all or nothing; an EventError says which one (`index` from 0) is at fault."""
        self._check_load()
        batch: list[Prepared] = []
        try:
            for index, draft in enumerate(drafts):
                batch.append(
                    self._prepare(self._complete_at(index, draft, default_source), identified=draft.id is not None)
                )
            self._saving.append(self._ports.clock.monotonic())
            try:
                saved = await self._ports.store.save_all([prepared.new for prepared in batch])
            finally:
                self._saving.popleft()
            _raise_conflict(batch, saved)
        except asyncio.CancelledError:
            self._spawn(self._settle(batch))
            raise
        except BaseException:
            for prepared in batch:
                self._give_back(prepared)
            raise
        return [self._finish(prepared, one) for prepared, one in zip(batch, saved, strict=True)]

    def emitted(self, drafts: Sequence[EventDraft], source: str) -> list[NewEvent]:
        """Events that a step emits, to be saved with its attempt; their deliveries are claimed, not handed over.

        Raises EventError for one that is not acceptable.
        """
        return [self._prepare(self._complete(draft, source), identified=True, hand_over=False).new for draft in drafts]

    def take_tokens(self, count: int) -> int:
        """The first of `count` tokens in a row."""
        first = self._token + 1
        self._token += count
        return first

    def lease(self, token: int | None = None) -> Lease:
        """A new lease of this process, or the one with this token from now on."""
        until_us = self._ports.store.now_us() + duration_us(self._ports.limits.lease)
        return Lease(self._owner, self.take_tokens(1) if token is None else token, until_us)

    async def _settle(self, batch: list[Prepared]) -> None:
        """Whoever waited for a save was cancelled, and it may be on disk or not: saving again settles it, since the
        second of two equal events writes nothing and answers with the first's deliveries.
        """
        try:
            stored = await self._find_stored(batch)
        except HookrtError as error:
            for prepared in batch:
                self._give_back(prepared)
            self._ports.log.warning("cancelled-emit-unsettled", error=str(error))
            return
        for prepared, deliveries in zip(batch, stored, strict=True):
            if deliveries == tuple(delivery.id for delivery in prepared.new.deliveries):
                self._finish(prepared, Saved(deliveries))
            else:
                self._give_back(prepared)

    async def _find_stored(self, batch: list[Prepared]) -> list[tuple[str, ...]]:
        """For each event, the stored deliveries; as long as the store answers nothing, what is leased stays ours."""
        store = self._ports.store
        while True:
            with suppress(StoreError):
                return [tuple(one.deliveries) for one in await store.save_all([prepared.new for prepared in batch])]
            try:  # a full disk can be read: the first save is over by now, since this one is
                found = [await store.event(one.new.event.source, one.new.event.id) for one in batch]
                return [tuple(one.id for one in event.deliveries) if event else () for event in found]
            except StoreError as error:
                self._ports.log.warning("cancelled-emit-unsettled", error=str(error))
                await self._ports.clock.sleep(PATIENCE_S)

    def _check_load(self) -> None:
        limits = self._ports.limits
        if self.open_deliveries >= limits.pending:
            raise Overloaded(f"{self.open_deliveries} deliveries are open, the limit", timedelta(seconds=5))
        if self._saving and self._ports.clock.monotonic() - self._saving[0] > limits.writer_lag.total_seconds():
            raise Overloaded("the store's writer is behind")

    def _complete_at(self, index: int, draft: EventDraft, default_source: str) -> Event:
        try:
            return self._complete(draft, default_source)
        except EventError as error:
            error.index = index
            raise

    def _complete(self, draft: EventDraft, default_source: str) -> Event:
        event = Event(
            id=draft.id if draft.id is not None else self._ports.ids.new("evt"),
            type=draft.type,
            source=draft.source if draft.source is not None else default_source,
            time=draft.time or from_us(self._ports.clock.now_us()),
            subject=draft.subject,
            content=draft.content,
            content_type=draft.content_type,
            binary=draft.binary,
            attributes=draft.attributes,
            cause=draft.cause,
            depth=draft.depth,
        )
        check_event(event)
        return event

    def _prepare(self, event: Event, *, identified: bool, hand_over: bool = True) -> Prepared:
        matched = self._ports.router.match(event, self._ports.env)
        for hook, why in matched.unanswerable:
            self._ports.log.info("condition-unanswerable", hook=hook, event_type=event.type, why=self._ports.mask(why))
            self._ports.observer.condition_failed(hook)
        now_us = self._ports.store.now_us()
        digest = event_digest(event)  # before any room is reserved, since it may raise
        jobs: list[Job] = []
        deliveries = [self._delivery(hook, event, now_us, jobs if hand_over else None) for hook in matched.hooks]
        return Prepared(NewEvent(event, digest, now_us, deliveries, fresh=not identified), jobs)

    def _delivery(self, hook: Hook, event: Event, now_us: int, jobs: list[Job] | None) -> NewDelivery:
        """A delivery to save; where the lane has room it is leased to this process, and put on `jobs`."""
        lane = hook.steps[0].lane
        identity = self._ports.ids.new("dlv")
        expires_us = now_us + duration_us(hook.expires)
        if jobs is None or not self._lanes.reserve(lane, len(event.content)):
            return NewDelivery(identity, hook.name, lane, now_us, expires_us, hook.origin)
        lease = self.lease()
        delivery = Delivery(
            id=identity,
            hook=hook.name,
            lane=lane,
            status=Status.RUNNING,
            created_us=now_us,
            due_us=now_us,
            expires_us=expires_us,
            origin=hook.origin,
            event_source=event.source,
            event_id=event.id,
            lease_token=lease.token,
        )
        jobs.append(Job(delivery, event))
        return NewDelivery(identity, hook.name, lane, now_us, expires_us, hook.origin, lease)

    def _finish(self, prepared: Prepared, saved: Saved) -> Accepted:
        event = prepared.new.event
        if saved.conflict or saved.duplicate:
            self._give_back(prepared)
        if saved.conflict:
            raise _conflict(event)
        self._ports.observer.event_accepted(event.source, duplicate=saved.duplicate)
        if saved.duplicate:
            return Accepted(event.id, event.source, tuple(saved.deliveries), duplicate=True)
        self.open_deliveries += len(prepared.new.deliveries)
        for job in prepared.jobs:
            self._lanes.put(job.delivery.lane, job)
        return Accepted(event.id, event.source, tuple(delivery.id for delivery in prepared.new.deliveries))

    def _give_back(self, prepared: Prepared) -> None:
        for job in prepared.jobs:
            self._lanes.give_back(job.delivery.lane, job.size)
        prepared.jobs.clear()


def event_digest(event: Event) -> bytes:
    """A hash over what makes two events of one identity the same: type, subject, data and attributes, not the time."""
    hashed = hashlib.blake2b(digest_size=16)
    head = [event.type, event.subject, event.content_type, event.binary, sorted(event.attributes.items())]
    hashed.update(msgspec.json.encode(head))
    hashed.update(event.content)
    return hashed.digest()


def _conflict(event: Event) -> EventConflict:
    return EventConflict(
        f"an event with the id {event.id!r} from {event.source!r} is stored already, with other content: "
        "use a new id for a new event"
    )


def _raise_conflict(batch: Sequence[Prepared], saved: Sequence[Saved]) -> None:
    for index, (prepared, one) in enumerate(zip(batch, saved, strict=True)):
        if one.conflict:
            error = _conflict(prepared.new.event)
            error.index = index
            raise error
