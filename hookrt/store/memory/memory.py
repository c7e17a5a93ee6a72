"""The memory itself: events, deliveries and small values, which several stores may share as processes share a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hookrt.errors import StoreError
from hookrt.model.delivery import Status
from hookrt.model.hook_state import HOOK_DISABLED, HookState
from hookrt.model.job import Job
from hookrt.store.contract import HOUR_US, HookStats, Lease, NewDelivery, NewEvent, Saved
from hookrt.store.memory.keyed import Keyed
from hookrt.store.memory.rows import DeliveryRow, EventRow, InOrder, make_row
from hookrt.store.memory.schedule import Schedule
from hookrt.store.value_contract import ValueChange, ValueChanged

_OPEN = frozenset({Status.PENDING, Status.RUNNING, Status.WAITING})


class Memory:
    """What several `MemoryStore`s can hold in common. `leader` is the one that leads."""

    def __init__(self) -> None:
        self.events: dict[tuple[str, str], EventRow] = {}
        self.deliveries: dict[str, DeliveryRow] = {}
        self.in_order = InOrder()
        self.schedule = Schedule()
        self.values: dict[tuple[str, str], tuple[bytes, int | None]] = {}
        self.hours: defaultdict[tuple[str, int], HookStats] = defaultdict(HookStats)
        self.jobs: dict[str, Job] = {}
        self.states: dict[str, HookState] = {}
        self.keyed = Keyed(self.change)
        self.leader: object | None = None

    def save(self, batch: Sequence[NewEvent], now_us: int, *, whole: bool) -> list[Saved]:
        """Save events; with `whole`, one conflict refuses them all."""
        fresh: dict[tuple[str, str], EventRow] = {}
        answers = [self._judge(new, fresh, now_us) for new in batch]
        if whole and any(answer.conflict for answer in answers):
            return answers
        added = [row for event in fresh.values() for row in event.deliveries]
        self._check_ids([row.delivery.id for row in added])
        self.events |= fresh
        for row in added:
            self._add(row)
        self._place_keyed(batch, answers, now_us)
        if self.states:
            self._hold_disabled(added, answers, now_us)
        return answers

    def add_delivery(self, event: EventRow, new: NewDelivery, now_us: int) -> None:
        """Add a delivery to a stored event."""
        self._check_ids([new.id])
        row = make_row(0, event, new, now_us)
        event.deliveries.append(row)
        self._add(row)
        self._hold_disabled([row], (), now_us)

    def forget(self, event: EventRow) -> None:
        """Remove an event and its deliveries, which are final."""
        del self.events[event.key]
        for row in event.deliveries:
            del self.deliveries[row.delivery.id]
            self.in_order.remove(row)

    @property
    def _next_event(self) -> int:
        """The number of the next event; the newest one always stays."""
        newest = next(reversed(self.events.values()), None)
        return 0 if newest is None else newest.seq + 1

    @property
    def disabled(self) -> set[str]:
        """The names of the hooks that are disabled."""
        return {state.hook for state in self.states.values() if state.disabled}

    def change(
        self, row: DeliveryRow, lease: Lease | None = None, *, blocked: int | None = None, **changes: Any
    ) -> None:
        """Change a delivery, and whether it is blocked; without a lease, the one that it had is gone."""
        self.schedule.remove(row)
        row.blocked = row.blocked if blocked is None else blocked
        row.owner, row.until_us = (lease.owner, lease.until_us) if lease else (None, 0)
        changes["lease_token"] = lease.token if lease else 0
        row.delivery = replace(row.delivery, **changes)
        self.schedule.add(row)
        self.keyed.touch(row)

    def change_value(self, change: ValueChange, now_us: int) -> ValueChanged:
        """Change a small value where it is as expected."""
        name = (change.namespace, change.key)
        live = {key: value for key, (value, until_us) in self.values.items() if until_us is None or until_us > now_us}
        if change.checked and live.get(name) != change.expected:
            return ValueChanged.DIFFERENT
        if change.value is None:
            self.values.pop(name, None)
            return ValueChanged.DONE
        others = sum(namespace == change.namespace for namespace, _ in live)
        if name not in live and change.most is not None and others >= change.most:
            return ValueChanged.FULL
        self.values[name] = (change.value, change.expires_us)
        return ValueChanged.DONE

    def end_leases(self, owner: str | None, now_us: int) -> int:
        """End all leases of an owner, or everybody's with None."""
        leased = [self.in_order[seq] for seq in self.schedule.leased()]
        leased = [row for row in leased if owner is None or row.owner == owner]
        for row in leased:
            status = Status.WAITING if row.delivery.step_attempts else Status.PENDING
            self.change(row, status=status, due_us=min(row.delivery.due_us, now_us), updated_us=now_us)
        return len(leased)

    def tell(self, hook: str, status: Status, at_us: int, *, attempted: bool, failed: bool) -> None:
        """Count what was recorded."""
        hour = self.hours[hook, at_us // HOUR_US]
        succeeded, dead = status is Status.SUCCEEDED, status is Status.DEAD
        self.hours[hook, at_us // HOUR_US] = HookStats(
            succeeded=hour.succeeded + succeeded,
            dead=hour.dead + dead,
            attempts=hour.attempts + attempted,
            last_success_us=max(at_us, hour.last_success_us or 0) if succeeded else hour.last_success_us,
            last_failure_us=max(at_us, hour.last_failure_us or 0) if failed else hour.last_failure_us,
        )

    def _place_keyed(self, batch: Sequence[NewEvent], answers: Sequence[Saved], now_us: int) -> None:
        """Decide about the new deliveries with keys."""
        for new, answer in zip(batch, answers, strict=True):
            if not answer.duplicate and not answer.conflict:
                keyed = [(self.deliveries[one.id], one.keys) for one in new.deliveries if one.keys is not None]
                placed = [self.keyed.place(row, keys, now_us) for row, keys in keyed]
                answer.dropped = tuple(dropped for some in placed for dropped in some)

    def _hold_disabled(self, added: Sequence[DeliveryRow], answers: Sequence[Saved], now_us: int) -> None:
        """Hold what was just added for hooks that are disabled."""
        disabled = self.disabled
        held = [row for row in added if row.delivery.hook in disabled and row.delivery.status in _OPEN]
        for row in held:
            self.change(row, status=Status.HELD, reason=HOOK_DISABLED, updated_us=now_us)
        names = {row.delivery.id for row in held}
        for answer in answers:
            if not answer.duplicate:
                answer.held = tuple(name for name in answer.deliveries if name in names)

    def _judge(self, new: NewEvent, fresh: dict[tuple[str, str], EventRow], now_us: int) -> Saved:
        key = (new.event.source, new.event.id)
        if first := fresh.get(key) or self.events.get(key):
            same = first.digest == new.digest
            ids = tuple(row.delivery.id for row in first.deliveries if row.delivery.replay_of is None)
            return Saved(ids if same else (), duplicate=same, conflict=not same)
        row = fresh[key] = EventRow(self._next_event + len(fresh), new.event, new.digest, new.received_us)
        row.deliveries = [make_row(0, row, one, now_us) for one in new.deliveries]
        return Saved(tuple(one.id for one in new.deliveries))

    def _check_ids(self, ids: Sequence[str]) -> None:
        if len(set(ids)) < len(ids) or not self.deliveries.keys().isdisjoint(ids):
            raise StoreError("there is a delivery with this id already")

    def _add(self, row: DeliveryRow) -> None:
        self.in_order.append(row)
        self.deliveries[row.delivery.id] = row
        self.schedule.add(row)
