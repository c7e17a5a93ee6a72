"""What the memory holds of events and deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field

from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery
from hookrt.model.event import Event
from hookrt.store.codec import decode_results, encode_results
from hookrt.store.contract import NewDelivery


@dataclass(slots=True)
class DeliveryRow:
    """A delivery with its lease and its attempts by number."""

    seq: int
    delivery: Delivery
    event: EventRow
    owner: str | None = None
    until_us: int = 0
    attempts: dict[int, Attempt] = field(default_factory=dict)


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
    lease = None if new.held else new.lease
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
        order_key=new.order_key,
        replay_of=new.replay_of,
        salt=new.salt,
        lease_token=lease.token if lease else 0,
    )
    return DeliveryRow(seq, delivery, event, lease.owner if lease else None, lease.until_us if lease else 0)
