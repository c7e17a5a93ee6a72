"""What is decided by keys in memory (see `hookrt.store.keys`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from hookrt.model.delivery import Status
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
from hookrt.store.memory.rows import DeliveryRow

_Key = tuple[str, str]  # a hook and a key
_UNSTARTED = frozenset({Status.PENDING, Status.HELD})


class Keyed:
    """Rows by order key and by the key of `debounce`, and the windows of the others.

    `change` changes a row: `blocked` of its own, the other keywords are fields of its delivery.
    """

    def __init__(self, change: Callable[..., Any]) -> None:
        self._change = change
        self._lines: defaultdict[_Key, list[DeliveryRow]] = defaultdict(list)
        self._bursts: defaultdict[_Key, list[DeliveryRow]] = defaultdict(list)
        self._windows: dict[tuple[str, str, str], int] = {}
        self._touched: dict[_Key, None] = {}

    def touch(self, row: DeliveryRow) -> None:
        """This row changes: the turn of its order key, if it has one, is looked at by `pass_turns`."""
        if row.delivery.order_key is not None:
            self._touched[row.delivery.hook, row.delivery.order_key] = None

    def place(self, row: DeliveryRow, keys: Keys, now_us: int) -> list[Dropped]:
        """Decide about a row that was just added; returns what was cancelled."""
        hook = row.delivery.hook
        windows = [(kind, (hook, kind, window.key), window) for kind, window in keys.windows()]
        for kind, key, window in windows:
            if in_force(self._windows.get(key), window, now_us):
                return [self._drop(row, keys.order, kind, now_us)]
        self._windows |= {key: now_us for _, key, _ in windows}
        dropped = [] if keys.debounce is None else self._debounce(row, keys.debounce, now_us)
        if keys.order is not None:
            row.skip = keys.skip
            self._change(row, blocked=1, order_key=keys.order)
            self._lines[hook, keys.order].append(row)
        return dropped

    def pass_turns(self, now_us: int) -> None:
        """Give the turns of the keys that were touched to who should have them now."""
        while self._touched:
            key, _ = self._touched.popitem()
            self._pass_turn(key, now_us)
            self._touched.pop(key, None)

    def ahead_of(self, row: DeliveryRow) -> str | None:
        """Who has the turn while this row stands behind."""
        delivery = row.delivery
        if not row.blocked or delivery.status.final or delivery.order_key is None:
            return None
        line = self._line((delivery.hook, delivery.order_key))
        return next((one.delivery.id for one in line if not one.blocked), None)

    def _pass_turn(self, key: _Key, now_us: int) -> None:
        line = self._line(key)
        holder = next((row for row in line if not row.blocked), None)
        turn = None if holder is None else _turn_of(holder)
        wanted = next_turn(turn, _behind(line), now_us)
        if wanted is None:
            return
        if holder is not None:
            self._stand(holder, 2)
        self._stand(next(row for row in line if row.seq == wanted), 0)

    def _stand(self, row: DeliveryRow, blocked: int) -> None:
        self._change(row, blocked=blocked)

    def _line(self, key: _Key) -> list[DeliveryRow]:
        """The unfinished of a key in the order of commit."""
        line = self._lines[key] = [row for row in self._lines[key] if not row.delivery.status.final]
        if not line:
            del self._lines[key]
        return line

    def _debounce(self, row: DeliveryRow, burst: Burst, now_us: int) -> list[Dropped]:
        key = (row.delivery.hook, burst.key)
        rows = [one for one in self._bursts[key] if one.delivery.status in _UNSTARTED]
        newest = rows[-1] if rows else None
        row.burst_us, dropped = now_us, []
        if newest is not None and _fresh(newest) and in_burst(burst, newest.burst_us, now_us):
            row.burst_us = newest.burst_us
            dropped = [self._drop(newest, newest.delivery.order_key, DEBOUNCE, now_us)]
        self._change(row, due_us=burst_due_us(burst, row.burst_us, now_us))
        self._bursts[key] = [*(one for one in self._bursts[key] if not one.delivery.status.final), row]
        return dropped

    def _drop(self, row: DeliveryRow, order_key: str | None, reason: str, now_us: int) -> Dropped:
        self._change(row, status=Status.CANCELLED, reason=reason, order_key=order_key, updated_us=now_us)
        return Dropped(row.delivery.id, row.delivery.hook, reason)


def _fresh(row: DeliveryRow) -> bool:
    return row.delivery.attempts == 0 and not row.delivery.results


def _turn_of(row: DeliveryRow) -> Turn:
    delivery = row.delivery
    return Turn(row.seq, delivery.status, delivery.due_us, skip=row.skip, tried=delivery.attempts > 0)


def _behind(line: Iterable[DeliveryRow]) -> Behind:
    first = next((row.seq for row in line if row.blocked == 1), None)
    return Behind(first, min(((row.delivery.due_us, row.seq) for row in line if row.blocked == 2), default=None))
