"""The store in memory: no threads, no time of its own, the same order in every run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hookrt.clock import Clock
from hookrt.errors import NotFound, UsageError
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery, Status, StepResult
from hookrt.model.outcome import OutcomeKind
from hookrt.store.codec import decode_results, encode_results
from hookrt.store.contract import (
    Claim,
    Claimed,
    DeliveryQuery,
    EventQuery,
    HookStats,
    Lease,
    NewDelivery,
    NewEvent,
    Page,
    Recorded,
    Recording,
    Saved,
    StoredEvent,
)
from hookrt.store.lanes import first_lane
from hookrt.store.memory.claiming import claim_due
from hookrt.store.memory.hook_states import MemoryHookStates
from hookrt.store.memory.jobs import MemoryJobs
from hookrt.store.memory.listing import count_hook, count_statuses, list_deliveries, list_events
from hookrt.store.memory.memory import Memory
from hookrt.store.memory.retention import MemoryRetention
from hookrt.store.memory.rows import DeliveryRow
from hookrt.store.value_contract import ValueChange, ValueChanged

_UNLEASED = frozenset({Status.PENDING, Status.WAITING, Status.HELD})


class MemoryStore:
    """A store that forgets all with the process; see `hookrt.store.contract` for what it promises beside.

    Stores on one `memory` behave as processes on one file do. One that was closed may be opened again, as after a
    restart.
    """

    def __init__(self, clock: Clock, memory: Memory | None = None) -> None:
        self._clock = clock
        self._memory = Memory() if memory is None else memory
        self._open = False
        self._first_lane = ""
        self.hook_states = MemoryHookStates(self._ready, self.now_us)
        self.jobs = MemoryJobs(self._ready, self.now_us, self._cancel_row)
        self.retention = MemoryRetention(self._ready, self.now_us)

    @property
    def url(self) -> str:
        """Always `memory:`."""
        return "memory:"

    @property
    def meeting_point(self) -> Path | None:
        """None: nothing is shared between processes."""
        return None

    def now_us(self) -> int:
        """The clock's time."""
        return self._clock.now_us()

    async def open(self) -> None:
        """Be ready."""
        if self._open:
            raise UsageError("the store is open already")
        self._open = True

    async def close(self) -> None:
        """Let go of the lead; the memory stays."""
        if self._memory.leader is self:
            self._memory.leader = None
        self._open = False

    # Delivering

    async def lead(self) -> bool:
        """Become the one store on this memory that delivers; then what was leased is free."""
        memory = self._ready()
        if memory.leader is None:
            memory.leader = self
            memory.end_leases(None, self.now_us())
        return memory.leader is self

    async def leader(self) -> str | None:
        """`this store` or `another store`."""
        leader = self._ready().leader
        return None if leader is None else "this store" if leader is self else "another store"

    async def save(self, new: NewEvent) -> Saved:
        """Store an event with its deliveries."""
        return (await self.save_all([new]))[0]

    async def save_all(self, batch: Sequence[NewEvent]) -> Sequence[Saved]:
        """Store a batch, all or nothing."""
        memory = self._ready()
        saved = memory.save(batch, self.now_us(), whole=True)
        memory.keyed.pass_turns(self.now_us())
        return saved

    async def claim_due(self, claim: Claim) -> Sequence[Claimed]:
        """Lease deliveries that are due."""
        claimed, self._first_lane = claim_due(self._ready(), claim, self.now_us(), self._first_lane)
        return claimed

    async def next_due_us(self, after_us: int) -> int | None:
        """The earliest due time or end of a lease after this."""
        return self._ready().schedule.next_us(after_us)

    async def record(self, recording: Recording) -> Recorded:
        """Write what an attempt changed, and what it emits."""
        memory = self._ready()
        if (recording.lease is None) is (recording.status is Status.RUNNING):
            raise UsageError("a recording has a lease exactly when its delivery stays running")
        row = memory.deliveries.get(recording.delivery)
        if row is None or row.delivery.status is not Status.RUNNING or row.delivery.lease_token != recording.token:
            return Recorded.STALE
        written = encode_results(row.delivery.results) + encode_results(recording.new_results)
        memory.save(recording.emitted, self.now_us(), whole=False)
        self._write(row, recording, decode_results(written))
        memory.keyed.pass_turns(self.now_us())
        return Recorded.DONE

    async def renew(self, owner: str, until_us: int) -> int:
        """Extend all leases of this owner."""
        memory = self._ready()
        rows = [row for seq in memory.schedule.leased() if (row := memory.in_order[seq]).owner == owner]
        for row in rows:
            memory.change(row, Lease(owner, row.delivery.lease_token, until_us))
        return len(rows)

    async def release(self, owner: str) -> int:
        """End all leases of this owner."""
        return self._ready().end_leases(owner, self.now_us())

    # Hooks that come and go

    async def hold_orphans(self, known: Mapping[str, Sequence[str]], reason: str) -> int:
        """Hold what belongs to hooks that are not known."""
        orphans = []
        for row in self._unleased():
            held = row.delivery.status is Status.HELD and row.delivery.reason == reason
            if not held and row.delivery.hook not in known.get(row.delivery.origin, (row.delivery.hook,)):
                orphans.append(row)
        return self._change_all(orphans, Status.HELD, reason)

    async def release_held(self, hook: str, origin: str, lane: str) -> int:
        """Make the held deliveries of this hook pending."""
        rows = [row for row in self._unleased(hook, origin) if row.delivery.status is Status.HELD]
        for row in rows:
            expires_us = row.delivery.expires_us + max(self.now_us() - row.delivery.updated_us, 0)
            due_us = min(row.delivery.due_us, self.now_us())
            self._memory.change(row, lane=lane, due_us=due_us, expires_us=expires_us)
        return self._change_all(rows, Status.PENDING, None)

    async def cancel_held(self, held_before_us: int, reason: str) -> int:
        """Cancel what has been held too long for this reason."""
        rows = [
            row
            for row in self._unleased()
            if row.delivery.status is Status.HELD
            and row.delivery.reason == reason
            and row.delivery.updated_us < held_before_us
        ]
        return self._change_all(rows, Status.CANCELLED, reason)

    async def relane(self, hook: str, origin: str, step_lanes: Mapping[str, str]) -> int:
        """Move this hook's unleased deliveries to the lanes of its present steps."""
        moved = 0
        for row in self._unleased(hook, origin):
            lane = first_lane(step_lanes, row.delivery.results)
            if lane is not None and lane != row.delivery.lane:
                self._memory.change(row, lane=lane)
                moved += 1
        return moved

    # What people ask for

    async def retry_now(self, delivery: str) -> bool:
        """Make a waiting delivery due at once."""
        row = self._ready().deliveries.get(delivery)
        if row is None or row.delivery.status is not Status.WAITING:
            return False
        now_us = self.now_us()
        self._memory.change(row, due_us=min(row.delivery.due_us, now_us), updated_us=now_us)
        self._memory.keyed.pass_turns(now_us)
        return True

    async def cancel(self, delivery: str, reason: str) -> bool:
        """Cancel a delivery that is not final."""
        row = self._ready().deliveries.get(delivery)
        if row is None or row.delivery.status.final:
            return False
        return self._change_all([row], Status.CANCELLED, reason) > 0

    async def add_delivery(self, source: str, event_id: str, new: NewDelivery) -> None:
        """Add a delivery to a stored event; raises NotFound."""
        event = self._ready().events.get((source, event_id))
        if event is None or event.event.payload_dropped:
            raise NotFound(f"there is no event {event_id!r} of source {source!r} any more, or its payload is gone")
        self._memory.add_delivery(event, new, self.now_us())

    async def ahead_of(self, delivery: str) -> str | None:
        """Who has the turn of the order key while this delivery stands behind."""
        row = self._ready().deliveries.get(delivery)
        return self._memory.keyed.ahead_of(row) if row else None

    async def event(self, source: str, event_id: str) -> StoredEvent | None:
        """One event with its deliveries."""
        row = self._ready().events.get((source, event_id))
        if row is None:
            return None
        return StoredEvent(row.event, row.received_us, tuple(one.delivery for one in row.deliveries))

    async def events(self, query: EventQuery) -> Page[StoredEvent]:
        """A page of events."""
        return list_events(self._ready(), query)

    async def delivery(self, delivery: str) -> Claimed | None:
        """One delivery with its event."""
        row = self._ready().deliveries.get(delivery)
        return Claimed(row.delivery, row.event.event) if row else None

    async def deliveries(self, query: DeliveryQuery) -> Page[Delivery]:
        """A page of deliveries."""
        return list_deliveries(self._ready(), query)

    async def attempts(self, delivery: str) -> Sequence[Attempt]:
        """All attempts of a delivery."""
        row = self._ready().deliveries.get(delivery)
        return tuple(row.attempts[number] for number in sorted(row.attempts)) if row else ()

    async def counts(self) -> Mapping[Status, int]:
        """How many deliveries there are in each status."""
        counts = count_statuses(self._ready().in_order)
        return {status: counts[status] for status in Status}

    async def hook_stats(self, hook: str, since_us: int) -> HookStats:
        """Figures of one hook."""
        return count_hook(self._ready(), hook, since_us)

    # Small memory

    async def get(self, namespace: str, key: str) -> bytes | None:
        """A stored value that has not expired."""
        value, expires_us = self._ready().values.get((namespace, key), (None, None))
        return None if expires_us is not None and expires_us <= self.now_us() else value

    async def put(self, namespace: str, key: str, value: bytes, expires_us: int | None = None) -> None:
        """Store a value."""
        self._ready().values[namespace, key] = (value, expires_us)

    async def delete(self, namespace: str, key: str) -> None:
        """Forget a value."""
        self._ready().values.pop((namespace, key), None)

    async def change_value(self, change: ValueChange) -> ValueChanged:
        """Change a value where it is as expected."""
        return self._ready().change_value(change, self.now_us())

    # Inside

    def _ready(self) -> Memory:
        if not self._open:
            raise UsageError("the store is not open: await its open() first")
        self._memory.keyed.pass_turns(self.now_us())
        return self._memory

    def _unleased(self, hook: str | None = None, origin: str | None = None) -> Iterable[DeliveryRow]:
        for row in self._ready().in_order:
            delivery = row.delivery
            if delivery.status in _UNLEASED and hook in {None, delivery.hook} and origin in {None, delivery.origin}:
                yield row

    def _change_all(self, rows: Sequence[DeliveryRow], status: Status, reason: str | None) -> int:
        for row in rows:
            self._memory.change(row, status=status, reason=reason, updated_us=self.now_us())
        self._memory.keyed.pass_turns(self.now_us())
        return len(rows)

    def _cancel_row(self, row: DeliveryRow, reason: str) -> None:
        self._change_all([row], Status.CANCELLED, reason)

    def _write(self, row: DeliveryRow, recording: Recording, results: Mapping[str, StepResult]) -> None:
        attempt, hook = recording.attempt, row.delivery.hook
        if attempt is not None:
            row.attempts[attempt.number] = attempt
        failed = attempt is not None and attempt.outcome != OutcomeKind.DONE.value
        failed = failed or recording.status is Status.DEAD
        self._memory.tell(hook, recording.status, recording.at_us, attempted=attempt is not None, failed=failed)
        self._memory.change(
            row,
            recording.lease,
            status=recording.status,
            lane=recording.lane,
            due_us=recording.due_us,
            updated_us=recording.at_us,
            results=results,
            tried=_tried(row.delivery, recording),
            attempts=recording.attempts,
            step_attempts=recording.step_attempts,
            failed_steps=recording.failed_steps,
            reason=recording.reason,
        )


def _tried(before: Delivery, recording: Recording) -> str | None:
    """The step that the recorded `step_attempts` belong to."""
    if not recording.step_attempts:
        return None
    return recording.attempt.step if recording.attempt is not None else before.tried
