"""The memory itself: events, deliveries and small values, which several stores may share as processes share a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hookrt.errors import StoreError
from hookrt.model.delivery import Status
from hookrt.store.contract import HOUR_US, HookStats, Lease, NewDelivery, NewEvent, Saved
from hookrt.store.memory.rows import DeliveryRow, EventRow, make_row
from hookrt.store.memory.schedule import Schedule


class Memory:
    """What several `MemoryStore`s can hold in common. `leader` is the one that leads."""

    def __init__(self) -> None:
        self.events: dict[tuple[str, str], EventRow] = {}
        self.deliveries: dict[str, DeliveryRow] = {}
        self.in_order: list[DeliveryRow] = []
        self.schedule = Schedule()
        self.values: dict[tuple[str, str], tuple[bytes, int | None]] = {}
        self.hours: defaultdict[tuple[str, int], HookStats] = defaultdict(HookStats)
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
        return answers

    def add_delivery(self, event: EventRow, new: NewDelivery, now_us: int) -> None:
        """Add a delivery to a stored event."""
        self._check_ids([new.id])
        row = make_row(0, event, new, now_us)
        event.deliveries.append(row)
        self._add(row)

    def change(self, row: DeliveryRow, lease: Lease | None = None, **changes: Any) -> None:
        """Change a delivery; without a lease, the one that it had is gone."""
        self.schedule.remove(row)
        row.owner, row.until_us = (lease.owner, lease.until_us) if lease else (None, 0)
        changes["lease_token"] = lease.token if lease else 0
        row.delivery = replace(row.delivery, **changes)
        self.schedule.add(row)

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

    def _judge(self, new: NewEvent, fresh: dict[tuple[str, str], EventRow], now_us: int) -> Saved:
        key = (new.event.source, new.event.id)
        if first := fresh.get(key) or self.events.get(key):
            same = first.digest == new.digest
            ids = tuple(row.delivery.id for row in first.deliveries if row.delivery.replay_of is None)
            return Saved(ids if same else (), duplicate=same, conflict=not same)
        row = fresh[key] = EventRow(len(self.events) + len(fresh), new.event, new.digest, new.received_us)
        row.deliveries = [make_row(0, row, one, now_us) for one in new.deliveries]
        return Saved(tuple(one.id for one in new.deliveries))

    def _check_ids(self, ids: Sequence[str]) -> None:
        if len(set(ids)) < len(ids) or not self.deliveries.keys().isdisjoint(ids):
            raise StoreError("there is a delivery with this id already")

    def _add(self, row: DeliveryRow) -> None:
        row.seq = len(self.in_order)
        self.in_order.append(row)
        self.deliveries[row.delivery.id] = row
        self.schedule.add(row)
