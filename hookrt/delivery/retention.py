"""Retention: what has been final for long enough is removed, a little at a time, so that delivering does not feel it.

Only the delivering process does it. There is no index on age, which every delivery would pay for: events are looked at
in the order in which they came in, which is about that of their age. What stays is remembered as stretches, each with
the time before which nothing in it can be due, so that the same events are not looked at again and again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import takewhile
from typing import TypeVar

from hookrt.clock import duration_us
from hookrt.delivery.ports import Ports
from hookrt.model.retention import SHORTEST
from hookrt.store.job_contract import Stretch
from hookrt.store.retention_contract import Aged, Ages, Removed

T = TypeVar("T")

SWEEP_S = 60.0
"""The pause between two sweeps."""

PAGE = 500
"""How many events are looked at with one query."""

BATCH_ROWS = 300
"""How many events and deliveries one transaction removes, unless a single event has more."""

BATCH_BYTES = 2 * 1024 * 1024
"""How many bytes of data one transaction removes, unless a single event has more."""

REST_S = 0.05
"""The least pause after a transaction, so that some thousand rows a second are removed at most."""

REST_SHARE = 4
"""The pause is also this many times what the transaction took, so that a busy writer is left alone."""

LONGEST_REST_S = 5.0
"""The longest pause after a transaction, however long that took."""

LOOK_REST_S = 0.005
"""The least pause after a look at a page; it is also as long as the look took."""

BITE = 256 * 1024
"""How many free bytes are given back to the device at once."""

SPARE_BYTES = 8 * 1024 * 1024
"""Free bytes that stay in the store, to be used again."""

SPARE_SHARE = 10
"""And of so many bytes of the store, one may stay free."""

FIGURES_KEPT = timedelta(days=35)
"""How long the hooks' hourly figures are kept, or as long as a hook may go on failing, if that is longer."""

MOST_STRETCHES = 10_000
"""How many stretches are remembered; when there are more, neighbours become one."""

_END = 2**62
_HOUR_US = duration_us(timedelta(hours=1))


@dataclass(slots=True)
class Seen:
    """The events above `after` up to `last`, of which `left` stay; nothing among them is due before `next_us`."""

    after: int
    last: int
    left: int
    next_us: int


@dataclass(slots=True)
class Swept:
    """What a sweep removed: rows by table (`over_limit` of the events before their time), payloads, and bytes that
    were given back to the device.
    """

    rows: dict[str, int] = field(default_factory=dict)
    over_limit: int = 0
    payloads: int = 0
    given_back: int = 0

    def add(self, table: str, rows: int) -> None:
        """Count removed rows."""
        if rows:
            self.rows[table] = self.rows.get(table, 0) + rows

    def fields(self) -> dict[str, int]:
        """What there is to tell."""
        more = {"over_limit": self.over_limit, "payloads": self.payloads, "bytes_given_back": self.given_back}
        return self.rows | {name: count for name, count in more.items() if count}


class Sweeper:
    """Keeps the store within what `limits.retention` says."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._store = ports.store.retention
        self._ages = Ages.of(ports.limits.retention)
        self._seen: list[Seen] = []
        self._frontier = 0  # everything up to here lies in what was seen, or is gone
        self._surplus_after = 0
        self._figures_us = 0
        self._swept = Swept()

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception as error:  # whatever it is: without this loop the store grows for ever
                self._ports.log.error("retention-failed", error=str(error) or repr(error))
            await self._ports.clock.sleep(SWEEP_S)

    async def sweep(self) -> Swept:
        """Remove what is due now, give back what is free, and tell of it."""
        swept = self._swept = Swept()
        try:
            await self._sweep_aged()
            await self._sweep_surplus()
            await self._sweep_small()
            await self._give_back()
        finally:
            self._tell(swept)
        return swept

    async def _sweep_aged(self) -> None:
        """What is older than its age: first among what stayed before, then among what has grown old since."""
        now_us = self._ports.store.now_us()
        stays: list[Seen] = []
        for seen in self._seen:
            if seen.next_us > now_us:
                _push(stays, seen)
                continue
            async for again in self._walk(Stretch(seen.after, seen.last, PAGE), now_us):
                _push(stays, again)
        frontier = self._frontier
        async for fresh in self._walk(Stretch(frontier, _END, PAGE), now_us):
            frontier = fresh.last
            _push(stays, fresh)
        self._seen, self._frontier = _fewer(stays), frontier  # only now: after a failure all is looked at again

    async def _walk(self, stretch: Stretch, now_us: int) -> AsyncIterator[Seen]:
        """Look at the events of a stretch, and remove what is due; the endless one ends where nothing can be."""
        after, full = stretch.after, True
        while full and (page := await self._look(Stretch(after, stretch.last, PAGE))):
            full = len(page) == PAGE
            if stretch.last == _END:
                old = _old(page, self._ages.shortest_us, now_us)
                full, page = full and len(old) == len(page), old
            if page:
                yield await self._treat(page, after, now_us)
                after = page[-1].position

    async def _treat(self, page: Sequence[Aged], after: int, now_us: int) -> Seen:
        """Remove, or empty, what is due of a page; what stays is looked at again when the first of it is due."""
        due = [aged for aged in page if self._ages.removes(aged, now_us)]
        removed = await self._remove(due, self._ages, now_us)
        stays = [aged for aged in page if not self._ages.removes(aged, now_us)]
        await self._drop([aged for aged in stays if self._ages.drops(aged, now_us)], now_us)
        times = [self._ages.next_us(aged, now_us) for aged in stays]
        if removed.events < len(due):  # the newest one, or one that got another delivery by now
            times.append(now_us)
        return Seen(after, page[-1].position, len(page) - removed.events, min(times, default=_END))

    async def _sweep_surplus(self) -> None:
        """What is too much: the oldest events that are final, whatever their age beyond the shortest."""
        limits, figures = self._ports.limits.retention, await self._store.figures()
        events, deliveries = figures.events - limits.max_events, figures.deliveries - limits.max_deliveries
        ages, now_us = Ages(duration_us(SHORTEST)), self._ports.store.now_us()
        while events > 0 or deliveries > 0:
            page = await self._look(Stretch(self._surplus_after, _END, PAGE))
            old = _old(page, ages.least_us, now_us)
            if not old:
                self._surplus_after = 0  # those that were open before may be final by the next sweep
                return
            removed = await self._remove(list(_enough(old, ages, now_us, events, deliveries)), ages, now_us)
            self._swept.over_limit += removed.events
            events, deliveries = events - removed.events, deliveries - removed.deliveries
            self._surplus_after = old[-1].position

    async def _sweep_small(self) -> None:
        """Small values that have expired, and, every hour, old figures of hooks."""
        while count := await self._paced(self._store.forget_values(PAGE)):
            self._swept.add("kv", count)
        now_us = self._ports.store.now_us()
        if abs(now_us - self._figures_us) < _HOUR_US:
            return
        kept = max(FIGURES_KEPT, (self._ports.limits.disable_after or timedelta(0)) + timedelta(days=1))
        while count := await self._paced(self._store.forget_hours(now_us - duration_us(kept), PAGE)):
            self._swept.add("hook_hours", count)
        self._figures_us = now_us

    async def _give_back(self) -> None:
        """Give free space back to the device, but for some that will be used again."""
        size = await self._store.size()
        too_much = size.free - max(SPARE_BYTES, size.bytes // SPARE_SHARE)
        while too_much >= BITE:
            given = await self._paced(self._store.give_back(BITE))
            if not given:
                break
            self._swept.given_back += given
            too_much -= given
        size = await self._store.size() if self._swept.given_back else size
        self._ports.observer.store_measured(size.bytes, size.free)

    async def _remove(self, wanted: Sequence[Aged], ages: Ages, now_us: int) -> Removed:
        total = Removed()
        for batch in _batches(wanted):
            removed = await self._paced(self._store.remove([aged.position for aged in batch], ages, now_us))
            total = total.plus(removed)
            for table, rows in removed.rows():
                self._swept.add(table, rows)
        return total

    async def _drop(self, wanted: Sequence[Aged], now_us: int) -> None:
        for batch in _batches(wanted):
            positions = [aged.position for aged in batch]
            dropped = await self._paced(self._store.drop_payloads(positions, self._ages, now_us))
            self._swept.payloads += dropped
            for aged in batch:
                aged.dropped = dropped == len(batch)

    async def _look(self, stretch: Stretch) -> Sequence[Aged]:
        began = self._ports.clock.monotonic()
        page = await self._store.look(stretch)
        took = self._ports.clock.monotonic() - began
        await self._ports.clock.sleep(min(max(LOOK_REST_S, took), LONGEST_REST_S))
        return page

    async def _paced(self, work: Awaitable[T]) -> T:
        """Do it, and rest."""
        began = self._ports.clock.monotonic()
        result = await work
        took = self._ports.clock.monotonic() - began
        await self._ports.clock.sleep(min(max(REST_S, REST_SHARE * took), LONGEST_REST_S))
        return result

    def _tell(self, swept: Swept) -> None:
        for table, rows in swept.rows.items():
            self._ports.observer.rows_removed(table, rows)
        if swept.payloads:
            self._ports.observer.payloads_dropped(swept.payloads)
        if fields := swept.fields():
            self._ports.log.info("retention-swept", **fields)


def _push(stays: list[Seen], seen: Seen) -> None:
    """Add what was seen at the end; few that stay are joined with those before them."""
    if not seen.left:
        return
    last = stays[-1] if stays else None
    if last is None or last.left + seen.left > PAGE:
        stays.append(seen)
    else:
        stays[-1] = _join(last, seen)


def _join(first: Seen, second: Seen) -> Seen:
    return Seen(first.after, second.last, first.left + second.left, min(first.next_us, second.next_us))


def _fewer(stays: list[Seen]) -> list[Seen]:
    """The same, neighbours joined where there are too many."""
    while len(stays) > MOST_STRETCHES:
        odd = stays[-1:] if len(stays) % 2 else []
        stays = [_join(first, second) for first, second in zip(stays[::2], stays[1::2], strict=False)] + odd
    return stays


def _old(page: Sequence[Aged], age_us: int, now_us: int) -> list[Aged]:
    """The events of a page up to the first that is younger than this. One from the future, where a clock was wrong,
    ends nothing, or everything behind it would stay until then.
    """
    return list(takewhile(lambda aged: not now_us - age_us < aged.received_us <= now_us, page))


def _enough(page: Sequence[Aged], ages: Ages, now_us: int, events: int, deliveries: int) -> Iterator[Aged]:
    """The first that may go, until so many events and deliveries would be gone."""
    for aged in page:
        if events <= 0 and deliveries <= 0:
            return
        if ages.removes(aged, now_us):
            events, deliveries = events - 1, deliveries - aged.deliveries
            yield aged


def _batches(wanted: Sequence[Aged]) -> Iterator[Sequence[Aged]]:
    """Cut into what one transaction takes."""
    batch: list[Aged] = []
    rows = size = 0
    for aged in wanted:
        rows, size = rows + 1 + aged.deliveries, size + aged.size
        if batch and (rows > BATCH_ROWS or size > BATCH_BYTES):
            yield batch
            batch, rows, size = [], 1 + aged.deliveries, aged.size
        batch.append(aged)
    if batch:
        yield batch
