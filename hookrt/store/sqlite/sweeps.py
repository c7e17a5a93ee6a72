"""Changes of many deliveries at once, a bounded number in each transaction, so that they hold up nobody.

A sweep reads its next rows on a reading connection, and changes those that are still as they were.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hookrt.model.delivery import Status
from hookrt.store.codec import decode_results
from hookrt.store.lanes import first_lane
from hookrt.store.sqlite.connection import Row, Session
from hookrt.store.sqlite.keyed import touch_keys
from hookrt.store.sqlite.tally import Tally

PAGE = 2_000
"""How many rows a sweep changes in one transaction."""

_NEVER_US = 2**62


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook's name and its provider."""

    origin: str
    name: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """How to find the next PAGE rows after a number (each starts with its own), and how to change them."""

    read: Callable[[Session, int], Sequence[Row]]
    write: Callable[[Session, Tally, Sequence[Row]], int]


@dataclass(frozen=True, slots=True)
class _Move:
    """Which deliveries change (with this status, and for this reason or not), and what they become.

    `lane` None keeps their own; `due_us` can only bring them forward.
    """

    status: Status
    now_us: int
    held_only: bool = True
    reason_is: str | None = None
    reason_is_not: str | None = None
    reason: str | None = None
    lane: str | None = None
    due_us: int = _NEVER_US

    def takes(self, status: str, reason: str | None) -> bool:
        """Whether a delivery of this status and reason changes."""
        if status != Status.HELD.value:
            return not self.held_only and status in {Status.PENDING.value, Status.WAITING.value}
        if self.reason_is is not None:
            return reason == self.reason_is
        return self.reason_is_not is None or reason != self.reason_is_not

    def write(self, session: Session, tally: Tally, rows: Sequence[Row]) -> int:
        """Change those of the rows that still are as wanted."""
        values: list[Any] = []
        present = session.all("present_states", (json.dumps([row[0] for row in rows]),))
        for seq, origin, hook, status, reason in present:
            if self.takes(status, reason):
                values += (seq, self.status.value, self.reason, self.lane, self.due_us, self.now_us)
                tally.move(origin, hook, status, self.status.value)
        touch_keys(session, tally, [row[0] for row in present], self.now_us)
        return session.run_rows("move_deliveries", values)


def read_page(session: Session, sweep: Sweep, after: int) -> Sequence[Row]:
    """The sweep's next rows after a number."""
    return sweep.read(session, after)


def write_page(session: Session, tally: Tally, sweep: Sweep, rows: Sequence[Row]) -> int:
    """Change these rows as the sweep does; returns how many."""
    return sweep.write(session, tally, rows)


def find_orphans(session: Session, known: Mapping[str, Sequence[str]]) -> list[Hook]:
    """The hooks that have deliveries and are not known."""
    orphans = []
    for origin, names in known.items():
        present = set(names)
        orphans += [Hook(*row) for row in session.all("busy_hooks", (origin,)) if row[1] not in present]
    return orphans


def hold(hook: Hook, reason: str, now_us: int) -> Sweep:
    """Hold what this hook has; what is held for another reason is held for this one from now on."""
    move = _Move(Status.HELD, now_us, held_only=False, reason_is_not=reason, reason=reason)
    return Sweep(_rows_of(hook), move.write)


def release(hook: Hook, lane: str, now_us: int) -> Sweep:
    """Make what is held of this hook pending, and due."""
    return Sweep(_rows_of(hook), _Move(Status.PENDING, now_us, lane=lane, due_us=now_us).write)


def cancel(held_before_us: int, reason: str, now_us: int) -> Sweep:
    """Cancel what has been held for this reason since before a time."""
    move = _Move(Status.CANCELLED, now_us, reason_is=reason, reason=reason)
    return Sweep(lambda session, after: session.all("held_for", (after, reason, held_before_us, PAGE)), move.write)


def cancel_from(hook: Hook, first_seq: int, reason: str, now_us: int) -> Sweep:
    """Cancel what is held of this hook, from a number on."""

    def read(session: Session, after: int) -> Sequence[Row]:
        return session.all("held_of_hook", (hook.name, hook.origin, first_seq, after, PAGE))

    return Sweep(read, _Move(Status.CANCELLED, now_us, reason=reason).write)


def relane(hook: Hook, step_lanes: Mapping[str, str]) -> Sweep:
    """Put what this hook has in the lane of its first step without a result."""

    def write(session: Session, _: Tally, rows: Sequence[Row]) -> int:
        values: list[Any] = []
        for seq, lane, results in rows:
            wanted = first_lane(step_lanes, decode_results(results))
            if wanted is not None and wanted != lane:
                values += (seq, wanted)
        return session.run_rows("relane", values)

    return Sweep(_rows_of(hook), write)


def _rows_of(hook: Hook) -> Callable[[Session, int], Sequence[Row]]:
    return lambda session, after: session.all("unleased_of_hook", (hook.name, hook.origin, after, PAGE))
