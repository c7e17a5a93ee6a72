"""What is decided by keys, inside the transaction that saves or ends a delivery (see `hookrt.store.keys`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hookrt.model.delivery import Status
from hookrt.store.contract import NewDelivery
from hookrt.store.keys import (
    DEBOUNCE,
    Behind,
    Burst,
    Dropped,
    Keys,
    Turn,
    burst_due_us,
    in_burst,
    in_force,
    next_turn,
)
from hookrt.store.sqlite.connection import Session
from hookrt.store.sqlite.tally import Tally
from hookrt.store.sqlite.work import EventRows

_CANCELLED = Status.CANCELLED.value
_SWEPT = 100

Touched = Mapping[tuple[str, str], int]
"""Order keys with their hooks, and the time when something of them changed."""


@dataclass(slots=True)
class _New:
    """A delivery that has just been inserted, and what is to be decided about it."""

    seq: int
    delivery: NewDelivery
    keys: Keys
    now_us: int


def place_keyed(session: Session, tally: Tally, inserted: Iterable[tuple[EventRows, int]]) -> None:
    """Decide about the deliveries with keys of these events, each given with the number of its first delivery."""
    windows, now_us = 0, 0
    for event, first_seq in inserted:
        dropped: list[Dropped] = []
        for place, delivery, keys in event.keyed:
            now_us = event.now_us
            new = _New(first_seq + place, delivery, keys, now_us)
            dropped += _place(session, tally, new)
            windows += len(keys.windows())
        event.saved.dropped = tuple(dropped)
    if windows:
        session.run("delete_old_windows", (now_us, _SWEPT + 2 * windows))


def pass_turns(session: Session, touched: Touched) -> None:
    """Give the turn of each of these keys to who should have it now."""
    for key, now_us in touched.items():
        turn = _turn_of(session, key)
        if turn is not None and not turn.passable(now_us):
            continue
        first, passed = session.one("first_behind", key), session.one("first_passed", key)
        wanted = next_turn(turn, Behind(first[0] if first else None, passed), now_us)
        if wanted is None:
            continue
        if turn is not None:
            session.run("set_blocked", (2, turn.seq))
        session.run("set_blocked", (0, wanted))


def _turn_of(session: Session, key: tuple[str, str]) -> Turn | None:
    found = session.one("turn", key)
    if found is None:
        return None
    seq, status, due_us, skip, tried = found
    return Turn(seq, Status(status), due_us, skip=bool(skip), tried=bool(tried))


def touch_keys(session: Session, tally: Tally, seqs: Sequence[int], now_us: int) -> None:
    """Have the turns of these deliveries' order keys looked at when the transaction ends."""
    for hook, key in session.all("order_keys_of", (json.dumps(seqs),)):
        tally.touch(hook, key, now_us)


def _place(session: Session, tally: Tally, new: _New) -> list[Dropped]:
    """Decide about one; returns what was cancelled."""
    hook = new.delivery.hook
    for kind, window in new.keys.windows():
        found = session.one("window_since", (hook, kind, window.key))
        if in_force(found[0] if found else None, window, new.now_us):
            return [_drop(session, tally, new, kind)]
    for kind, window in new.keys.windows():
        session.run("begin_window", (hook, kind, window.key, new.now_us, new.now_us + window.length_us))
    dropped: list[Dropped] = []
    began_us, due_us = 0, new.delivery.due_us
    if new.keys.debounce is not None:
        began_us, dropped = _take_place(session, tally, new, new.keys.debounce)
        due_us = burst_due_us(new.keys.debounce, began_us, new.now_us)
    _write(session, new, began_us, due_us)
    if new.keys.order is not None:
        tally.touch(hook, new.keys.order, new.now_us)
    return dropped


def _write(session: Session, new: _New, began_us: int, due_us: int) -> None:
    keys = new.keys
    line = (keys.order, int(keys.skip), int(keys.order is not None))
    burst = (keys.debounce.key if keys.debounce is not None else None, began_us)
    session.run("place_keyed", (*line, *burst, due_us, new.seq))


def _drop(session: Session, tally: Tally, new: _New, reason: str) -> Dropped:
    delivery = new.delivery
    [(status,)] = session.all("status_of", (new.seq,))
    session.run("drop_keyed", (new.keys.order, reason, new.seq))
    tally.move(delivery.origin, delivery.hook, status, _CANCELLED)
    return Dropped(delivery.id, delivery.hook, reason)


def _take_place(session: Session, tally: Tally, new: _New, burst: Burst) -> tuple[int, list[Dropped]]:
    """When the burst began, and what this delivery takes the place of."""
    hook = new.delivery.hook
    found = session.one("newest_of_burst", (hook, burst.key))
    if found is None:
        return new.now_us, []
    identity, seq, origin, status, fresh, began_us, order_key = found
    if not fresh or not in_burst(burst, began_us, new.now_us):
        return new.now_us, []
    session.run("cancel", (DEBOUNCE, new.now_us, seq))
    tally.move(origin, hook, status, _CANCELLED)
    if order_key is not None:
        tally.touch(hook, order_key, new.now_us)
    return began_us, [Dropped(identity, hook, DEBOUNCE)]
