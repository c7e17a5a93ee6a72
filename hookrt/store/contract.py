"""What every store promises. One suite (`tests/contracts/`) holds all of them to it.

**Words.** Times are integer microseconds since the epoch, read from the store's own clock (`now_us`) wherever two
processes must agree. Payloads are bytes. A *lease* gives one delivery to one owner until a time; its token must come
back with every result.

**Promises.**
1. When `save` or `record` returns, its changes are on disk: a kill or a power cut does not undo them.
2. Each item is all or nothing. Items that are written together share a transaction, but one that fails, fails alone.
3. An event's identity is (`source`, `id`). A second one with the same digest is a duplicate, answered with the first's
   delivery ids after the first is on disk; with another digest it is a conflict. Neither writes anything.
4. `claim_due` gives a delivery to one owner only, never before its due time, never more per lane than asked, oldest due
   time first. What other owners hold with a valid lease it does not touch; an expired lease counts as due. What the
   owner holds itself it never gets again. When the limit is short, lanes take turns.
5. `record` with a token that is not the delivery's present one changes nothing and says so.
6. A final delivery never changes again, but retention empties and removes it (`hookrt.store.retention_contract`).
7. What a new delivery's `keys` ask for is decided in the transaction that saves it, as `hookrt.store.keys` says.
8. Every method may be called from many tasks at once, and blocks the event loop never. What one process writes takes
   effect in the order in which it asked for it.
9. A StoreError does not say that nothing was written, since an answer can get lost; StoreFull does.

What goes in and out here is made for every event and every attempt. It is not frozen, since that alone would cost a
tenth of a delivery's time; nobody changes it all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery, Status, StepResult
from hookrt.model.event import Event
from hookrt.store.hook_contract import HookStateStore
from hookrt.store.job_contract import JobStore
from hookrt.store.keys import Dropped, Keys
from hookrt.store.listing import DeliveryQuery as DeliveryQuery
from hookrt.store.listing import EventQuery as EventQuery
from hookrt.store.listing import Page as Page
from hookrt.store.retention_contract import RetentionStore
from hookrt.store.value_contract import ValueChange, ValueChanged

HOUR_US = 3_600_000_000
"""Figures of hooks are kept by whole hours since the epoch."""


@dataclass(slots=True)
class Lease:
    """Who holds a delivery until when. `token` is different for every lease."""

    owner: str
    token: int
    until_us: int


@dataclass(slots=True)
class NewDelivery:
    """A delivery to create: `pending`, `held`, or already leased to its maker (then it is `running`).

    With `keys` it is not leased; `add_delivery` takes no notice of them.
    """

    id: str
    hook: str
    lane: str
    due_us: int
    expires_us: int
    origin: str = "file"
    lease: Lease | None = None
    held: bool = False
    keys: Keys | None = None
    salt: str = ""
    replay_of: str | None = None
    results: Mapping[str, StepResult] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """The status it starts with."""
        if self.held:
            return Status.HELD
        return Status.RUNNING if self.lease and self.keys is None else Status.PENDING


@dataclass(slots=True)
class NewEvent:
    """An event and all its deliveries, saved as one. `digest` is over what makes two events the same.

    `fresh` says that the id was made just now, so that `save` need not look whether it is stored; `save_all` looks all
    the same.
    """

    event: Event
    digest: bytes
    received_us: int
    deliveries: Sequence[NewDelivery] = ()
    fresh: bool = False


@dataclass(slots=True)
class Saved:
    """What became of a NewEvent. With `duplicate` or `conflict` nothing was written.

    `deliveries` are the stored delivery ids, of a duplicate those of the first event. `held` are those of them that
    became `held` instead of what was asked for, since their hook is disabled, `dropped` what it cancelled by keys.
    """

    deliveries: Sequence[str] = ()
    duplicate: bool = False
    conflict: bool = False
    held: Sequence[str] = ()
    dropped: Sequence[Dropped] = ()


@dataclass(slots=True)
class Claim:
    """Which due deliveries to lease.

    `free` says for known lanes how many they take (0: none); a lane that is not in it takes `free_elsewhere`.
    `limit` bounds the whole, `byte_limit` the payloads together (the first delivery always fits).
    `first_token` is the token of the first lease; the others count up from it.
    """

    owner: str
    first_token: int
    lease_us: int
    free: Mapping[str, int] = field(default_factory=dict)
    free_elsewhere: int = 0
    limit: int = 256
    byte_limit: int = 64 * 1024 * 1024


@dataclass(slots=True)
class Claimed:
    """A leased delivery with its event."""

    delivery: Delivery
    event: Event


@dataclass(slots=True)
class Recording:
    """What one attempt (or the end of a delivery without one) changes, as one transaction.

    The delivery gets `status`, `lane`, `due_us`, `results` (those that are new), `reason` and the counters. With
    `lease` (its token unchanged) it stays `running` for the next step, else its lease ends. `emitted` are events of
    the step, saved in the same transaction; a duplicate or a conflict among them is no error: the first one stands.
    `status` is `running` exactly when there is a `lease`. Where `step_attempts` are left, a delivery is read with the
    step of its last attempt as `tried`, since they belong to that one.
    """

    delivery: str
    token: int
    status: Status
    lane: str
    due_us: int
    at_us: int
    attempt: Attempt | None = None
    attempts: int = 0
    step_attempts: int = 0
    failed_steps: int = 0
    new_results: Mapping[str, StepResult] = field(default_factory=dict)
    reason: str | None = None
    lease: Lease | None = None
    emitted: Sequence[NewEvent] = ()


class Recorded(StrEnum):
    """Whether a recording took effect."""

    DONE = "done"
    STALE = "stale"
    """The token was not the present one: somebody else has the delivery, or it is final."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as listed: itself, when it was received, and its deliveries where asked for."""

    event: Event
    received_us: int
    deliveries: Sequence[Delivery] = ()


@dataclass(frozen=True, slots=True)
class HookStats:
    """What happened to a hook's deliveries since a time, and its unfinished ones now.

    `pending` are those that are pending, running or waiting, `held` those that are held. `last_failure_us` is the last
    attempt that did not end with `done`, or the last end as dead.
    """

    succeeded: int = 0
    dead: int = 0
    pending: int = 0
    attempts: int = 0
    last_success_us: int | None = None
    last_failure_us: int | None = None
    held: int = 0


class Store(Protocol):
    """The store. See the module for what it promises.

    Every method may raise StoreError; StoreFull when the device has no space, after which the store goes on
    working as soon as there is some.
    """

    @property
    def url(self) -> str:
        """Where it is, for people, without credentials."""
        ...

    @property
    def meeting_point(self) -> Path | None:
        """Where the one delivering process listens for the others' events (a socket's path); None where every
        process may deliver.
        """
        ...

    @property
    def hook_states(self) -> HookStateStore:
        """Which hooks are disabled; see `hookrt.store.hook_contract`."""
        ...

    @property
    def jobs(self) -> JobStore:
        """Long work in steps; see `hookrt.store.job_contract`."""
        ...

    @property
    def retention(self) -> RetentionStore:
        """Removing what is old; see `hookrt.store.retention_contract`."""
        ...

    def now_us(self) -> int:
        """The store's time, by which leases and due times are judged."""
        ...

    async def open(self) -> None:
        """Connect, and bring the schema up to date. Raises StoreError in one sentence when it cannot."""
        ...

    async def close(self) -> None:
        """Finish what is under way, and let go."""
        ...

    # Delivering

    async def lead(self) -> bool:
        """Become, or stay, the process that delivers from this store; False when another one does.

        Where many may deliver at once (a database server) it is always True. Where only one may, success voids all
        leases, since their owner is dead.
        """
        ...

    async def leader(self) -> str | None:
        """Who delivers now, in words for people (`process 4711`); None when nobody or many do."""
        ...

    async def save(self, new: NewEvent) -> Saved:
        """Store an event with its deliveries; durable when it returns."""
        ...

    async def save_all(self, batch: Sequence[NewEvent]) -> Sequence[Saved]:
        """Store a batch, all or nothing: with one conflict in it, nothing is written, and all others are as they
        would have been. An event that stands twice in the batch is a duplicate of the first.
        """
        ...

    async def claim_due(self, claim: Claim) -> Sequence[Claimed]:
        """Lease deliveries that are due."""
        ...

    async def next_due_us(self, after_us: int) -> int | None:
        """The earliest due time, or end of a lease, later than this; None when nothing will be due."""
        ...

    async def record(self, recording: Recording) -> Recorded:
        """Write what an attempt changed; durable when it returns."""
        ...

    async def renew(self, owner: str, until_us: int) -> int:
        """Extend all leases of this owner; returns how many there are."""
        ...

    async def release(self, owner: str) -> int:
        """End all leases of this owner without an attempt: its deliveries are `pending` or `waiting` as before and
        due at once; returns how many.
        """
        ...

    # Hooks that come and go

    async def hold_orphans(self, known: Mapping[str, Sequence[str]], reason: str) -> int:
        """Hold every open, unleased delivery whose hook is none of `known` (hook names by origin); an origin that
        is not a key is left alone. What is held for another reason is held for this one from now on. Returns how many.
        """
        ...

    async def release_held(self, hook: str, origin: str, lane: str) -> int:
        """Make the held deliveries of this hook `pending`, in this lane and due at once; returns how many. Each lives
        as much longer as it was held.
        """
        ...

    async def cancel_held(self, held_before_us: int, reason: str) -> int:
        """Cancel deliveries that have been held for `reason` since before this time; they keep the reason. Returns
        how many.
        """
        ...

    async def relane(self, hook: str, origin: str, step_lanes: Mapping[str, str]) -> int:
        """Move this hook's open, unleased deliveries to the lanes of its present steps (ordered: the first step
        without a result gives the lane); returns how many moved.
        """
        ...

    # What people ask for

    async def retry_now(self, delivery: str) -> bool:
        """Make a waiting delivery due at once; False when it does not wait."""
        ...

    async def cancel(self, delivery: str, reason: str) -> bool:
        """Cancel a delivery that is not final, also a leased one (its result will be stale).

        False when it is final, or not there.
        """
        ...

    async def add_delivery(self, source: str, event_id: str, new: NewDelivery) -> None:
        """Add a delivery to a stored event (a replay); raises NotFound, also when its payload has been dropped."""
        ...

    async def ahead_of(self, delivery: str) -> str | None:
        """Who has the turn of the order key while this open delivery stands behind; None when it does not."""
        ...

    async def event(self, source: str, event_id: str) -> StoredEvent | None:
        """One event with its deliveries, oldest first."""
        ...

    async def events(self, query: EventQuery) -> Page[StoredEvent]:
        """Events, newest first, without their deliveries; times are those when they were received. Raises UsageError
        for a wrong cursor.
        """
        ...

    async def delivery(self, delivery: str) -> Claimed | None:
        """One delivery with its event."""
        ...

    async def deliveries(self, query: DeliveryQuery) -> Page[Delivery]:
        """Deliveries, newest first; times are those when they were made. Raises UsageError for a wrong cursor."""
        ...

    async def attempts(self, delivery: str) -> Sequence[Attempt]:
        """All attempts of a delivery, first to last."""
        ...

    async def counts(self) -> Mapping[Status, int]:
        """How many deliveries there are in each open status; final ones may be missing."""
        ...

    async def hook_stats(self, hook: str, since_us: int) -> HookStats:
        """Figures of one hook since the start of the hour in which this time lies."""
        ...

    # Small memory, and what later features stand on

    async def get(self, namespace: str, key: str) -> bytes | None:
        """A stored value that has not expired."""
        ...

    async def put(self, namespace: str, key: str, value: bytes, expires_us: int | None = None) -> None:
        """Store a value, until a time where one is given."""
        ...

    async def delete(self, namespace: str, key: str) -> None:
        """Forget a value."""
        ...

    async def change_value(self, change: ValueChange) -> ValueChanged:
        """Look at a value and change it, in one transaction, so that no two processes can race; durable when it
        returns. See `hookrt.store.value_contract`.
        """
        ...
