"""Saving events in a transaction: first who is already there, then all that is new at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hookrt.store.contract import NewDelivery, Saved
from hookrt.store.sqlite.connection import Session
from hookrt.store.sqlite.holding import hold_disabled
from hookrt.store.sqlite.keyed import place_keyed
from hookrt.store.sqlite.rows import delivery_values
from hookrt.store.sqlite.tally import Tally
from hookrt.store.sqlite.work import EventRows, Save

_Key = tuple[str, str]
_Stored = dict[_Key, tuple[int, bytes]]


def save_events(session: Session, tally: Tally, saves: Sequence[Save]) -> None:
    """Save the events of all these, in order, and fill in their results."""
    stored = _find_stored(session, saves)
    fresh: dict[_Key, EventRows] = {}
    for save in saves:
        if len(save.events) == 1 and (key := (event := save.events[0]).key) not in fresh and key not in stored:
            fresh[key] = event
            save.result = (event.saved,)
        else:
            _judge(session, save, fresh, stored)
    if fresh:
        _insert(session, tally, fresh.values())


def add_delivery(session: Session, tally: Tally, key: _Key, new: NewDelivery, now_us: int) -> bool:
    """Add a delivery to a stored event; False when there is no such event."""
    source, event_id = key
    found = session.one("event_seq", (event_id, source))
    if found is None:
        return False
    _, delivery_seq, any_disabled = _last_seqs(session)
    values = delivery_values(new, now_us)
    session.run_rows("insert_deliveries", [delivery_seq + 1, found[0], *values])
    tally.move(new.origin, new.hook, None, values[4])
    if any_disabled:
        hold_disabled(session, tally, delivery_seq, now_us)
    return True


def _judge(session: Session, save: Save, fresh: dict[_Key, EventRows], stored: _Stored) -> None:
    """Which of several events are new, now that some may be stored, in this transaction, or twice in the batch."""
    taken: dict[_Key, EventRows] = {}
    answers: list[Saved] = []
    for event in save.events:
        if first := taken.get(event.key) or fresh.get(event.key):
            answers.append(_answer(event, first.digest, first.saved.deliveries))
        elif event.key in stored:
            seq, digest = stored[event.key]
            ids = tuple(row[0] for row in session.all("first_deliveries", (seq,)))
            answers.append(_answer(event, digest, ids))
        else:
            taken[event.key] = event
            answers.append(event.saved)
    if not (save.whole and any(answer.conflict for answer in answers)):
        fresh |= taken
    save.result = answers


def _answer(event: EventRows, digest: bytes, ids: Sequence[str]) -> Saved:
    same = event.digest == digest
    return Saved(ids if same else (), duplicate=same, conflict=not same)


def _find_stored(session: Session, saves: Iterable[Save]) -> _Stored:
    keys: list[str] = []
    for save in saves:
        for event in save.events:
            if not event.fresh or save.whole:  # else its id is so new that nobody can have stored it
                keys += event.key
    return {
        (source, event_id): (seq, bytes.fromhex(digest))
        for source, event_id, seq, digest in session.all_rows("find_events", keys)
    }


def _insert(session: Session, tally: Tally, events: Iterable[EventRows]) -> None:
    event_seq, delivery_seq, any_disabled = _last_seqs(session)
    before_seq, now_us = delivery_seq, 0
    event_rows: list[Any] = []
    delivery_rows: list[Any] = []
    keyed: list[tuple[EventRows, int]] = []
    for event in events:
        event_seq += 1
        now_us = event.now_us
        if event.keyed:
            keyed.append((event, delivery_seq + 1))
        event_rows.append(event_seq)
        event_rows += event.values
        for values in event.deliveries:
            delivery_seq += 1
            delivery_rows += (delivery_seq, event_seq)
            delivery_rows += values
            tally.move(values[2], values[1], None, values[4])
    session.run_rows("insert_events", event_rows)
    session.run_rows("insert_deliveries", delivery_rows)
    if keyed:
        place_keyed(session, tally, keyed)
    if any_disabled:
        hold_disabled(session, tally, before_seq, now_us, events)


def _last_seqs(session: Session) -> tuple[int, int, bool]:
    """The highest numbers of events and of deliveries, and whether any hook is disabled."""
    events, deliveries, any_disabled = session.all("last_seqs")[0]
    return events, deliveries, bool(any_disabled)
