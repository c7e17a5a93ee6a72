"""What people ask for: one event, one delivery, and lists of them, newest first."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery, Status
from hookrt.store.contract import HOUR_US, Claimed, DeliveryQuery, EventQuery, HookStats, Page, StoredEvent
from hookrt.store.cursor import before, page_size
from hookrt.store.sqlite.connection import Row, Session
from hookrt.store.sqlite.rows import DELIVERY_WIDTH, EVENT_WIDTH, read_attempt, read_delivery, read_event

_SEQ = DELIVERY_WIDTH - 3
_UNLEASED = frozenset({Status.PENDING, Status.WAITING, Status.HELD})


def one_event(session: Session, source: str, event_id: str) -> StoredEvent | None:
    """An event with its deliveries."""
    row = session.one("event", (event_id, source))
    if row is None:
        return None
    deliveries = session.all("deliveries_of_event", (row[EVENT_WIDTH],))
    return StoredEvent(read_event(row), row[5], tuple(read_delivery(one) for one in deliveries))


def list_events(session: Session, query: EventQuery) -> Page[StoredEvent]:
    """A page of events."""
    limit = page_size(query.limit)
    parameters = {
        "id": query.id,
        "type": query.type,
        "source": query.source,
        "since": query.since_us,
        "until": query.until_us,
        "before": before(query.cursor),
        "limit": limit + 1,
    }
    name = "events_with_id" if query.id is not None else "events_of_type" if query.type is not None else "events_newest"
    rows = session.all(name, parameters)
    shown = tuple(StoredEvent(read_event(row), row[5]) for row in rows[:limit])
    return Page(shown, str(rows[limit - 1][EVENT_WIDTH]) if len(rows) > limit else None)


def one_delivery(session: Session, delivery: str) -> Claimed | None:
    """A delivery with its event."""
    row = session.one("delivery", (delivery,))
    return Claimed(read_delivery(row), read_event(row[DELIVERY_WIDTH:])) if row else None


def ahead_of(session: Session, delivery: str) -> str | None:
    """Who has the turn while this delivery stands behind."""
    row = session.one("ahead_of", (delivery,))
    return row[0] if row else None


def list_deliveries(session: Session, query: DeliveryQuery) -> Page[Delivery]:
    """A page of deliveries: one read for each status that is asked for, then the newest of them all."""
    limit = page_size(query.limit)
    parameters = {
        "hook": query.hook,
        "event_source": query.event_source,
        "event_id": query.event_id,
        "since": query.since_us,
        "until": query.until_us,
        "reason": query.reason,
        "before": before(query.cursor),
        "limit": limit + 1,
    }
    statuses: Sequence[Status | None] = tuple(dict.fromkeys(query.statuses)) or (None,)
    found = [_read_list(session, query, status, parameters) for status in statuses]
    rows = list(heapq.merge(*found, key=lambda row: -row[_SEQ]))
    return Page(tuple(map(read_delivery, rows[:limit])), str(rows[limit - 1][_SEQ]) if len(rows) > limit else None)


def list_attempts(session: Session, delivery: str) -> Sequence[Attempt]:
    """All attempts of a delivery."""
    return tuple(map(read_attempt, session.all("attempts", (delivery,))))


def count_statuses(session: Session) -> dict[Status, int]:
    """How many deliveries there are in each status."""
    return {Status(status): n for status, n in session.all("tallies")}


def count_hook(session: Session, hook: str, since_us: int) -> HookStats:
    """Figures of a hook, by whole hours."""
    succeeded, dead, attempts, last_success, last_failure = session.all("hook_hours", (hook, since_us // HOUR_US))[0]
    pending, held = session.all("hook_open", (hook,))[0]
    return HookStats(
        succeeded=succeeded,
        dead=dead,
        pending=pending,
        held=held,
        attempts=attempts,
        last_success_us=last_success or None,
        last_failure_us=last_failure or None,
    )


def next_due_us(session: Session, after_us: int) -> int | None:
    """The earliest due time or end of a lease after this."""
    times = [session.all(name, (after_us,))[0][0] for name in ("next_due", "next_expiry")]
    return min((time for time in times if time is not None), default=None)


def get_value(session: Session, namespace: str, key: str, now_us: int) -> bytes | None:
    """A value that has not expired."""
    row = session.one("get", (namespace, key, now_us))
    return row[0] if row else None


def _read_list(session: Session, query: DeliveryQuery, status: Status | None, parameters: dict[str, Any]) -> list[Row]:
    return session.all(_list_name(query, status), parameters | {"status": None if status is None else status.value})


def _list_name(query: DeliveryQuery, status: Status | None) -> str:
    """The list whose index fits: that of the event, or of the status, unless the hook says more."""
    if query.event_id is not None:
        return "list_of_event"
    if status is Status.RUNNING:
        return "list_running"
    if query.hook is not None and status in _UNLEASED:
        return "list_unleased_of_hook"
    if query.hook is not None and (status is None or status is Status.SUCCEEDED):
        return "list_of_hook"
    return "list_newest" if status is None else "list_in_status"
