"""The SQLite store: durable with nothing but a file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from hookrt.clock import Clock
from hookrt.errors import NotFound, UsageError
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery, Status
from hookrt.store.contract import (
    Claim,
    Claimed,
    DeliveryQuery,
    EventQuery,
    HookStats,
    NewDelivery,
    NewEvent,
    Page,
    Recorded,
    Recording,
    Saved,
    StoredEvent,
)
from hookrt.store.migrate import load_migrations
from hookrt.store.sqlite import changes, claiming, listing, sweeps
from hookrt.store.sqlite.connection import Session, open_reader, open_writer
from hookrt.store.sqlite.give_way import GiveWay
from hookrt.store.sqlite.hook_states import SqliteHookStates
from hookrt.store.sqlite.jobs import SqliteJobs
from hookrt.store.sqlite.lock import LeaderLock
from hookrt.store.sqlite.reader import Readers
from hookrt.store.sqlite.retention import SqliteRetention
from hookrt.store.sqlite.saving import add_delivery
from hookrt.store.sqlite.statements import load_statements
from hookrt.store.sqlite.work import Change, EventRows, Record, Save
from hookrt.store.sqlite.writer import Writer
from hookrt.store.value_contract import ValueChange, ValueChanged

T = TypeVar("T")


class SqliteStore:
    """A store in one SQLite file; see `hookrt.store.contract` for what it promises.

    Any number of processes may open the same file; the one that leads holds a lock beside it. An object belongs to
    the event loop and the process in which it was opened.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path.absolute()
        self._clock = clock
        self._pid: int | None = None
        self._closed = False
        self._lock = LeaderLock(self._path)
        self._statements = load_statements()
        self._begin()
        self.hook_states = SqliteHookStates(self._read, self._change, self._sweep, self.now_us)
        self.jobs = SqliteJobs(self._read, self._change, self.now_us)
        self.retention = SqliteRetention(self._read, self._change, self._path, self.now_us)
        self._first_lane = ""

    def _begin(self) -> None:
        """What belongs to the event loop in which the store is opened."""
        give_way = GiveWay()
        self._writer = Writer(self._connect_writer, self._path, self.url, give_way)
        self._readers = Readers(self._connect_reader, self._path, self.url, give_way)
        self._claiming = asyncio.Lock()
        self._leading = asyncio.Lock()

    @property
    def url(self) -> str:
        """Where it is: `sqlite:///` and the absolute path."""
        return f"sqlite:///{self._path}"

    @property
    def meeting_point(self) -> Path | None:
        """The socket beside the file, where the delivering process takes the others' events."""
        return self._path.with_name(self._path.name + ".sock")

    def now_us(self) -> int:
        """The clock's time: all processes on one machine share it."""
        return self._clock.now_us()

    async def open(self) -> None:
        """Open the file, make it where it is missing, and bring its schema up to date; also once more after `close`,
        in any event loop.
        """
        if self._pid is not None:
            self._check_process()
            raise UsageError("the store is open already")
        if self._closed:
            self._begin()
            self._closed = False
        try:
            await self._writer.start()
        except BaseException:
            await self._writer.stop()
            raise
        self._pid = os.getpid()

    async def close(self) -> None:
        """Write what is queued, and let go of the file and of the lead."""
        if self._pid is None:
            return
        self._check_process()
        self._pid, self._closed = None, True
        await self._readers.close()
        await self._writer.stop()  # last, since the last connection clears away the log
        self._lock.release()

    # Delivering

    async def lead(self) -> bool:
        """Take the lock, if nobody has it; then what the last leader had leased is free."""
        self._check_process()
        async with self._leading:
            if self._lock.held:
                return True
            if not await asyncio.to_thread(self._lock.acquire):
                return False
            try:
                await self._change(partial(changes.take_over, now_us=self.now_us()))
            except BaseException:
                self._lock.release()
                raise
            return True

    async def leader(self) -> str | None:
        """The holder of the lock, as it wrote itself there."""
        self._check_process()
        return self._lock.holder()

    async def save(self, new: NewEvent) -> Saved:
        """Store an event with its deliveries, in a transaction with whatever else is queued."""
        self._check_process()
        saved: Sequence[Saved] = await self._writer.submit(Save((EventRows(new, self._clock.now_us()),)))
        return saved[0]

    async def save_all(self, batch: Sequence[NewEvent]) -> Sequence[Saved]:
        """Store a batch, all or nothing."""
        self._check_process()
        now_us = self._clock.now_us()
        saved: Sequence[Saved] = await self._writer.submit(Save([EventRows(new, now_us) for new in batch], whole=True))
        return saved

    async def claim_due(self, claim: Claim) -> Sequence[Claimed]:
        """Lease deliveries that are due; one claim at a time."""
        self._check_process()
        async with self._claiming:
            now_us = self.now_us()
            choice = await self._readers.run(
                partial(claiming.choose, claim=claim, now_us=now_us, first_lane=self._first_lane)
            )
            self._first_lane = choice.next_lane
            if not choice.claimed:
                return ()
            return await self._change(partial(claiming.lease, claim=claim, choice=choice, now_us=now_us))

    async def next_due_us(self, after_us: int) -> int | None:
        """The earliest due time or end of a lease after this: one step in each of two indexes."""
        return await self._read(partial(listing.next_due_us, after_us=after_us))

    async def record(self, recording: Recording) -> Recorded:
        """Write what an attempt changed, in a transaction with whatever else is queued."""
        self._check_process()
        if (recording.lease is None) is (recording.status is Status.RUNNING):
            raise UsageError("a recording has a lease exactly when its delivery stays running")
        recorded: Recorded = await self._writer.submit(Record(recording, self._clock.now_us()))
        return recorded

    async def renew(self, owner: str, until_us: int) -> int:
        """Extend all leases of this owner."""
        return await self._change(partial(changes.renew_leases, owner=owner, until_us=until_us))

    async def release(self, owner: str) -> int:
        """End all leases of this owner."""
        return await self._change(partial(changes.end_leases, owner=owner, now_us=self.now_us()))

    # Hooks that come and go

    async def hold_orphans(self, known: Mapping[str, Sequence[str]], reason: str) -> int:
        """Hold what belongs to hooks that are not known; without any, this reads a few rows."""
        orphans = await self._read(partial(sweeps.find_orphans, known=known))
        return sum([await self._sweep(sweeps.hold(orphan, reason, self.now_us())) for orphan in orphans])

    async def release_held(self, hook: str, origin: str, lane: str) -> int:
        """Make the held deliveries of this hook pending."""
        return await self._sweep(sweeps.release(sweeps.Hook(origin, hook), lane, self.now_us()))

    async def cancel_held(self, held_before_us: int, reason: str) -> int:
        """Cancel what has been held too long for this reason."""
        return await self._sweep(sweeps.cancel(held_before_us, reason, self.now_us()))

    async def relane(self, hook: str, origin: str, step_lanes: Mapping[str, str]) -> int:
        """Move this hook's unleased deliveries to the lanes of its present steps."""
        return await self._sweep(sweeps.relane(sweeps.Hook(origin, hook), step_lanes))

    # What people ask for

    async def retry_now(self, delivery: str) -> bool:
        """Make a waiting delivery due at once."""
        return await self._change(partial(changes.retry_now, delivery=delivery, now_us=self.now_us()))

    async def cancel(self, delivery: str, reason: str) -> bool:
        """Cancel a delivery that is not final."""
        return await self._change(partial(changes.cancel, delivery=delivery, reason=reason, now_us=self.now_us()))

    async def add_delivery(self, source: str, event_id: str, new: NewDelivery) -> None:
        """Add a delivery to a stored event; raises NotFound."""
        function = partial(add_delivery, key=(source, event_id), new=new, now_us=self.now_us())
        if not await self._change(function):
            raise NotFound(f"there is no event {event_id!r} of source {source!r} any more, or its payload is gone")

    async def ahead_of(self, delivery: str) -> str | None:
        """Who has the turn of the order key while this delivery stands behind."""
        return await self._read(partial(listing.ahead_of, delivery=delivery))

    async def event(self, source: str, event_id: str) -> StoredEvent | None:
        """One event with its deliveries."""
        return await self._read(partial(listing.one_event, source=source, event_id=event_id))

    async def events(self, query: EventQuery) -> Page[StoredEvent]:
        """A page of events."""
        return await self._read(partial(listing.list_events, query=query))

    async def delivery(self, delivery: str) -> Claimed | None:
        """One delivery with its event."""
        return await self._read(partial(listing.one_delivery, delivery=delivery))

    async def deliveries(self, query: DeliveryQuery) -> Page[Delivery]:
        """A page of deliveries."""
        return await self._read(partial(listing.list_deliveries, query=query))

    async def attempts(self, delivery: str) -> Sequence[Attempt]:
        """All attempts of a delivery."""
        return await self._read(partial(listing.list_attempts, delivery=delivery))

    async def counts(self) -> Mapping[Status, int]:
        """How many deliveries there are in each status, kept as a tally."""
        return await self._read(listing.count_statuses)

    async def hook_stats(self, hook: str, since_us: int) -> HookStats:
        """Figures of one hook."""
        return await self._read(partial(listing.count_hook, hook=hook, since_us=since_us))

    # Small memory

    async def get(self, namespace: str, key: str) -> bytes | None:
        """A stored value that has not expired."""
        return await self._read(partial(listing.get_value, namespace=namespace, key=key, now_us=self.now_us()))

    async def put(self, namespace: str, key: str, value: bytes, expires_us: int | None = None) -> None:
        """Store a value, and forget those that have expired."""
        await self._change(partial(changes.put_value, row=(namespace, key, value, expires_us), now_us=self.now_us()))

    async def delete(self, namespace: str, key: str) -> None:
        """Forget a value."""
        await self._change(partial(changes.delete_value, namespace=namespace, key=key))

    async def change_value(self, change: ValueChange) -> ValueChanged:
        """Change a value where it is as expected."""
        return await self._change(partial(changes.change_value, change=change, now_us=self.now_us()))

    # Inside

    async def _change(self, function: Callable[..., T]) -> T:
        self._check_process()
        result: T = await self._writer.submit(Change(function))
        return result

    async def _read(self, function: Callable[[Session], T]) -> T:
        self._check_process()
        return await self._readers.run(function)

    async def _sweep(self, sweep: sweeps.Sweep) -> int:
        """All pages of a sweep; returns how many deliveries it changed."""
        changed, after = 0, 0
        while rows := await self._read(partial(sweeps.read_page, sweep=sweep, after=after)):
            changed += await self._change(partial(sweeps.write_page, sweep=sweep, rows=rows))
            if len(rows) < sweeps.PAGE:
                break
            after = rows[-1][0]
        return changed

    def _check_process(self) -> None:
        if self._pid != os.getpid():
            raise UsageError(self._misuse())

    def _misuse(self) -> str:
        if self._pid is None:
            return "the store is closed" if self._closed else "the store is not open: await its open() first"
        return (
            f"the store was opened in process {self._pid}, and this is its fork {os.getpid()}: "
            "open a store of its own in each process, after the fork"
        )

    def _connect_writer(self) -> Session:
        return Session(open_writer(self._path, load_migrations(__package__), self.url), self._statements)

    def _connect_reader(self) -> Session:
        return Session(open_reader(self._path), self._statements)
