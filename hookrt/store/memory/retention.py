"""Removing what is old in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hookrt.model.delivery import Status
from hookrt.store.contract import HOUR_US
from hookrt.store.job_contract import Stretch
from hookrt.store.memory.memory import Memory
from hookrt.store.memory.rows import EventRow
from hookrt.store.retention_contract import Aged, Ages, Figures, Removed, Size


class MemoryRetention:
    """The retention of one memory; see `hookrt.store.retention_contract` for what it promises."""

    def __init__(self, ready: Callable[[], Memory], now_us: Callable[[], int]) -> None:
        self._ready = ready
        self._now_us = now_us

    async def look(self, stretch: Stretch) -> Sequence[Aged]:
        """The events of a stretch."""
        rows = [row for row in self._ready().events.values() if stretch.after < row.seq + 1 <= stretch.last]
        return [_age(row) for row in sorted(rows, key=lambda row: row.seq)[: stretch.limit]]

    async def remove(self, positions: Sequence[int], ages: Ages, now_us: int) -> Removed:
        """Remove events with all that belongs to them."""
        memory = self._ready()
        newest = {max((row.seq for row in memory.events.values()), default=None)}
        newest |= {row.event.seq for row in memory.in_order[-1:]}
        rows = [row for row in _at(memory, positions) if row.seq not in newest and ages.removes(_age(row), now_us)]
        gone = [one for row in rows for one in row.deliveries]
        for row in rows:
            memory.forget(row)
        return Removed(len(rows), len(gone), sum(len(one.attempts) for one in gone))

    async def drop_payloads(self, positions: Sequence[int], ages: Ages, now_us: int) -> int:
        """Empty what events carried."""
        rows = [row for row in _at(self._ready(), positions) if ages.drops(_age(row), now_us)]
        for row in rows:
            row.event = replace(row.event, content=b"", binary=False)
            for one in row.deliveries:
                kept = {step: replace(result, output=None) for step, result in one.delivery.results.items()}
                one.delivery = replace(one.delivery, results=kept)
                one.attempts = {n: replace(made, logs=(), exchange=None) for n, made in one.attempts.items()}
        return len(rows)

    async def figures(self) -> Figures:
        """How many rows there are."""
        return Figures(len(self._ready().events), len(self._ready().deliveries))

    async def forget_values(self, limit: int) -> int:
        """Remove expired values."""
        values, now_us = self._ready().values, self._now_us()
        expired = [key for key, (_, until_us) in values.items() if until_us is not None and until_us <= now_us]
        for key in expired[:limit]:
            del values[key]
        return len(expired[:limit])

    async def forget_hours(self, before_us: int, limit: int) -> int:
        """Remove old figures."""
        hours = self._ready().hours
        old = [key for key in hours if key[1] < before_us // HOUR_US][:limit]
        for key in old:
            del hours[key]
        return len(old)

    async def size(self) -> Size:
        """It takes no space but the process's own."""
        return Size(0, 0)

    async def give_back(self, most: int) -> int:
        """Nothing to give back."""
        return 0


def _at(memory: Memory, positions: Sequence[int]) -> list[EventRow]:
    wanted = set(positions)
    return [row for row in memory.events.values() if row.seq + 1 in wanted]


def _age(row: EventRow) -> Aged:
    deliveries = [one.delivery for one in row.deliveries]

    def last(status: Status) -> int:
        return max((one.updated_us for one in deliveries if one.status is status), default=0)

    return Aged(
        row.seq + 1,
        row.received_us,
        len(row.event.content),
        row.event.payload_dropped,
        len(deliveries),
        not all(one.status.final for one in deliveries),
        last(Status.SUCCEEDED),
        last(Status.CANCELLED),
        last(Status.DEAD),
    )
