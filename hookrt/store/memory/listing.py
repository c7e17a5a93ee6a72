"""Lists in memory, newest first: a look at every row, which is enough for tests and simulations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

from hookrt.model.delivery import Delivery, Status
from hookrt.store.contract import HOUR_US, DeliveryQuery, EventQuery, HookStats, Page, StoredEvent
from hookrt.store.cursor import before, page_size
from hookrt.store.memory.memory import Memory
from hookrt.store.memory.rows import DeliveryRow, EventRow

T = TypeVar("T")


def list_events(memory: Memory, query: EventQuery) -> Page[StoredEvent]:
    """A page of events."""
    last = before(query.cursor)
    rows = [row for row in reversed(memory.events.values()) if row.seq < last and _takes_event(query, row)]
    return _page([(row.seq, StoredEvent(row.event, row.received_us)) for row in rows], query.limit)


def list_deliveries(memory: Memory, query: DeliveryQuery) -> Page[Delivery]:
    """A page of deliveries."""
    last = before(query.cursor)
    rows = [row for row in reversed(memory.in_order) if row.seq < last and _takes_delivery(query, row.delivery)]
    return _page([(row.seq, row.delivery) for row in rows], query.limit)


def count_statuses(rows: Iterable[DeliveryRow]) -> Counter[Status]:
    """How many there are in each status."""
    return Counter(row.delivery.status for row in rows)


def count_hook(memory: Memory, hook: str, since_us: int) -> HookStats:
    """Figures of a hook, by whole hours."""
    hours = [hour for (name, n), hour in memory.hours.items() if name == hook and n >= since_us // HOUR_US]
    counts = count_statuses(row for row in memory.in_order if row.delivery.hook == hook)
    return HookStats(
        succeeded=sum(hour.succeeded for hour in hours),
        dead=sum(hour.dead for hour in hours),
        pending=counts[Status.PENDING] + counts[Status.RUNNING] + counts[Status.WAITING],
        held=counts[Status.HELD],
        attempts=sum(hour.attempts for hour in hours),
        last_success_us=max((hour.last_success_us or 0 for hour in hours), default=0) or None,
        last_failure_us=max((hour.last_failure_us or 0 for hour in hours), default=0) or None,
    )


def _takes_event(query: EventQuery, row: EventRow) -> bool:
    wanted = ((query.type, row.event.type), (query.source, row.event.source), (query.id, row.event.id))
    return _match(wanted) and _lies_within(row.received_us, query.since_us, query.until_us)


def _takes_delivery(query: DeliveryQuery, delivery: Delivery) -> bool:
    wanted = (
        (query.hook, delivery.hook),
        (query.event_source, delivery.event_source),
        (query.event_id, delivery.event_id),
        (query.reason, delivery.reason),
    )
    if query.statuses and delivery.status not in query.statuses:
        return False
    return _match(wanted) and _lies_within(delivery.created_us, query.since_us, query.until_us)


def _match(wanted: Iterable[tuple[str | None, str | None]]) -> bool:
    return all(want is None or want == have for want, have in wanted)


def _lies_within(time_us: int, since_us: int | None, until_us: int | None) -> bool:
    return (since_us is None or time_us >= since_us) and (until_us is None or time_us < until_us)


def _page(found: Sequence[tuple[int, T]], limit: int) -> Page[T]:
    size = page_size(limit)
    shown = found[:size]
    return Page(tuple(item for _, item in shown), str(shown[-1][0]) if len(found) > size else None)
