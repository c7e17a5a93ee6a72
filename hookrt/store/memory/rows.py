"""What the memory holds of events and deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import overload

from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery
from hookrt.model.event import Event
from hookrt.store.codec import decode_results, encode_results
from hookrt.store.contract import NewDelivery


@dataclass(slots=True)
class DeliveryRow:
    """A delivery with its lease and its attempts by number.

    `blocked` is 0 where it has the turn of its order key or none is needed, 1 where it stands behind another one, and 2
    where it waits for a retry and is passed, as `skip` allows. `burst_us` is when its burst began (`debounce`).
    """

    seq: int
    delivery: Delivery
    event: EventRow
    owner: str | None = None
    until_us: int = 0
    attempts: dict[int, Attempt] = field(default_factory=dict)
    blocked: int = 0
    skip: bool = False
    burst_us: int = 0


class InOrder:
    """Deliveries in the order of commit, each at the place of its `seq`; what retention has removed leaves a gap."""

    def __init__(self) -> None:
        self._rows: list[DeliveryRow | None] = []

    def append(self, row: DeliveryRow) -> None:
        """Add one at the end, and number it."""
        row.seq = len(self._rows)
        self._rows.append(row)

    def remove(self, row: DeliveryRow) -> None:
        """Leave a gap where it was."""
        self._rows[row.seq] = None

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[DeliveryRow]:
        return (row for row in self._rows if row is not None)

    def __reversed__(self) -> Iterator[DeliveryRow]:
        return (row for row in reversed(self._rows) if row is not None)

    @overload
    def __getitem__(self, place: int) -> DeliveryRow: ...
    @overload
    def __getitem__(self, place: slice) -> list[DeliveryRow]: ...
    def __getitem__(self, place: int | slice) -> DeliveryRow | list[DeliveryRow]:
        if isinstance(place, slice):
            return [row for row in self._rows[place] if row is not None]
        row = self._rows[place]
        if row is None:
            raise IndexError(place)
        return row


@dataclass(slots=True)
class EventRow:
    """An event with its deliveries, oldest first."""

    seq: int
    event: Event
    digest: bytes
    received_us: int
    deliveries: list[DeliveryRow] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same event."""
        return self.event.source, self.event.id


def make_row(seq: int, event: EventRow, new: NewDelivery, now_us: int) -> DeliveryRow:
    """A new delivery of an event. Its results go through their written form, as in any store."""
    lease = None if new.held or new.keys is not None else new.lease
    delivery = Delivery(
        id=new.id,
        hook=new.hook,
        lane=new.lane,
        status=new.status,
        created_us=now_us,
        due_us=new.due_us,
        expires_us=new.expires_us,
        origin=new.origin,
        event_source=event.event.source,
        event_id=event.event.id,
        results=decode_results(encode_results(new.results)),
        updated_us=now_us,
        replay_of=new.replay_of,
        salt=new.salt,
        lease_token=lease.token if lease else 0,
    )
    return DeliveryRow(seq, delivery, event, lease.owner if lease else None, lease.until_us if lease else 0)
