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
from hookrt.delivery.keyed import keys_of
from hookrt.delivery.lane import Job
from hookrt.delivery.lanes import Lanes
from hookrt.delivery.ports import Ports
from hookrt.errors import EventConflict, EventError, HookrtError, Overloaded, StoreError, StoreFull
from hookrt.model.delivery import Delivery, Status
from hookrt.model.event import Event, EventDraft
from hookrt.model.hook import Hook
from hookrt.model.own_events import OWN_SOURCE, is_own
from hookrt.store.contract import Lease, NewDelivery, NewEvent, Saved, StoredEvent

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

    def __init__(
        self, ports: Ports, lanes: Lanes, owner: str, spawn: Spawn, kick: Callable[[], None] = lambda: None
    ) -> None:
        self._ports = ports
        self._lanes = lanes
        self._owner = owner
        self._spawn = spawn
        self.kick = kick
        self._token = ports.ids.token()
        self._saving: deque[float] = deque()
        self.open_deliveries = 0

    async def accept(self, draft: EventDraft, default_source: str) -> Accepted:
        """Store one event; durable when it returns. Raises EventError, EventConflict, Overloaded, StoreError."""
        self._check_load()
        prepared = self._prepare(self._complete(draft, default_source), draft.only, identified=draft.id is not None)
        try:
            self._saving.append(self._ports.clock.monotonic())
            try:
                saved = await self._ports.store.save(prepared.new)
            finally:
                self._saving.popleft()  # saves end in about the order in which they began
        except BaseException as error:
            self._end_unsaved([prepared], error)
            raise
        return self._finish(prepared, saved)

    async def accept_all(self, drafts: Sequence[EventDraft], default_source: str) -> list[Accepted]:
        """Store a batch, all or nothing; an EventError says which one (`index` from 0) is at fault."""
        self._check_load()
        batch: list[Prepared] = []
        try:
            for index, draft in enumerate(drafts):
                event = self._complete_at(index, draft, default_source)
                batch.append(self._prepare(event, draft.only, identified=draft.id is not None))
            self._saving.append(self._ports.clock.monotonic())
            try:
                saved = await self._ports.store.save_all([prepared.new for prepared in batch])
            finally:
                self._saving.popleft()
            _raise_conflict(batch, saved)
        except BaseException as error:
            self._end_unsaved(batch, error)
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

    def _end_unsaved(self, batch: list[Prepared], error: BaseException) -> None:
        """Without an answer to its save a batch may be on disk all the same, leased to this process: ask first."""
        leased = any(prepared.jobs for prepared in batch)
        if isinstance(error, asyncio.CancelledError):
            self._spawn(self._settle(batch, again=True))
        elif leased and isinstance(error, StoreError) and not isinstance(error, StoreFull):
            self._spawn(self._settle(batch, again=False))
        else:
            for prepared in batch:
                self._give_back(prepared)

    async def _settle(self, batch: list[Prepared], *, again: bool) -> None:
        """Find out what of this is on disk. Where whoever waited was cancelled, saving `again` settles it, since the
        second of two equal events writes nothing and answers with the first's deliveries; who heard of a failure will
        come again himself.
        """
        try:
            stored = await self._find_stored(batch, again=again)
        except HookrtError as error:
            for prepared in batch:
                self._give_back(prepared)
            self._ports.log.warning("cancelled-emit-unsettled", error=str(error))
            return
        for prepared, leases in zip(batch, stored, strict=True):
            if leases is None or any(delivery.id not in leases for delivery in prepared.new.deliveries):
                self._give_back(prepared)
                continue
            gone = [job for job in prepared.jobs if leases[job.delivery.id] != job.delivery.lease_token]
            self._finish(prepared, Saved(tuple(leases), held=tuple(job.delivery.id for job in gone)))

    async def _find_stored(self, batch: list[Prepared], *, again: bool) -> list[dict[str, int] | None]:
        """For each event that is stored, its deliveries with the tokens of their leases; as long as the store answers
        nothing, what is leased stays ours.
        """
        store = self._ports.store
        while True:
            try:
                if again:
                    with suppress(StoreError):  # a full disk can be read: the first save is over, when this one is
                        await store.save_all([prepared.new for prepared in batch])
                found = [await store.event(one.new.event.source, one.new.event.id) for one in batch]
                return [_leases(event) for event in found]
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
        spare_id = draft.id or self._ports.ids.new("evt")
        event = draft.complete(spare_id, default_source, from_us(self._ports.clock.now_us()))
        if event.source == OWN_SOURCE and not is_own(event.type):  # the types are refused where events come in
            raise EventError(f"'source' is {OWN_SOURCE!r}: only hookrt itself sends as it")
        return event

    def _prepare(self, event: Event, only: str | None = None, *, identified: bool, hand_over: bool = True) -> Prepared:
        matched = self._ports.router.match(event, self._ports.env)
        if only is not None:
            matched = matched.only(only)
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
        if hook.keyed is not None and (keys := keys_of(hook, hook.keyed, event, self._ports)) is not None:
            return NewDelivery(identity, hook.name, lane, now_us, expires_us, hook.origin, keys=keys)
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
        self.open_deliveries += len(prepared.new.deliveries) - len(saved.held)
        if saved.held:
            self._leave_held(prepared, saved.held)
        if len(prepared.jobs) < len(prepared.new.deliveries):
            self._leave_keyed(prepared.new, saved)
        for job in prepared.jobs:
            self._lanes.put(job.delivery.lane, job)
        return Accepted(event.id, event.source, tuple(delivery.id for delivery in prepared.new.deliveries))

    def _leave_held(self, prepared: Prepared, held: Sequence[str]) -> None:
        """These wait in the store, since their hooks are disabled: nobody has them."""
        for job in [job for job in prepared.jobs if job.delivery.id in held]:
            self._lanes.give_back(job.delivery.lane, job.size)
            prepared.jobs.remove(job)

    def _leave_keyed(self, new: NewEvent, saved: Saved) -> None:
        """What has keys is never handed over: the dispatcher is told that there may be something to claim."""
        for dropped in saved.dropped:
            self.open_deliveries -= 1
            self._ports.observer.delivery_dropped(dropped.hook, dropped.reason)
            self._ports.observer.delivery_ended(dropped.hook, Status.CANCELLED)
        if any(delivery.keys is not None for delivery in new.deliveries):
            self.kick()

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


def _leases(stored: StoredEvent | None) -> dict[str, int] | None:
    """The deliveries of a stored event, each with the token of its lease."""
    return None if stored is None else {one.id: one.lease_token for one in stored.deliveries}


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
