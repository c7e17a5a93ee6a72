"""Removing what is old in SQLite: looked for on a reading connection, and removed in small transactions."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hookrt.store.codec import decode_results, encode_results
from hookrt.store.contract import HOUR_US
from hookrt.store.job_contract import Stretch
from hookrt.store.retention_contract import Aged, Ages, Figures, Removed, Size
from hookrt.store.sqlite.connection import Run, Session
from hookrt.store.sqlite.tally import Tally

_REMOVED = ("hookrt.retention", "removed-events")  # where the number of all events ever removed is kept


class SqliteRetention:
    """The retention of one file; see `hookrt.store.retention_contract` for what it promises."""

    def __init__(self, read: Run, change: Run, path: Path, now_us: Callable[[], int]) -> None:
        self._read = read
        self._change = change
        self._log = path.with_name(path.name + "-wal")
        self._now_us = now_us

    async def look(self, stretch: Stretch) -> Sequence[Aged]:
        """The events of a stretch."""
        values = (stretch.after, stretch.last, stretch.limit)
        return await self._read(lambda session: _aged(session, "aged_events", values))

    async def remove(self, positions: Sequence[int], ages: Ages, now_us: int) -> Removed:
        """Remove events with all that belongs to them."""
        return await self._change(partial(_remove, positions=positions, ages=ages, now_us=now_us))

    async def drop_payloads(self, positions: Sequence[int], ages: Ages, now_us: int) -> int:
        """Empty what events carried."""
        return await self._change(partial(_drop_payloads, positions=positions, ages=ages, now_us=now_us))

    async def figures(self) -> Figures:
        """How many rows there are."""
        return await self._read(_figures)

    async def forget_values(self, limit: int) -> int:
        """Remove expired values."""
        now_us = self._now_us()
        expired: list[Any] = await self._read(lambda session: _list(session, "expired_values", (now_us, limit)))
        if not expired:
            return 0
        return await self._change(lambda session, _: session.run("remove_values", (json.dumps(expired), now_us)))

    async def forget_hours(self, before_us: int, limit: int) -> int:
        """Remove old figures."""
        old: list[Any] = await self._read(lambda session: _list(session, "old_hours", (before_us // HOUR_US, limit)))
        return await self._change(partial(_forget_hours, rows=old)) if old else 0

    async def size(self) -> Size:
        """The file with its log, and the free pages."""
        return await self._read(partial(_measure, log=self._log))

    async def give_back(self, most: int) -> int:
        """Move pages from the end of the file to free ones, and cut it."""
        return await self._change(partial(_give_back, most=most))


def _list(session: Session, name: str, parameters: Sequence[Any]) -> list[Any]:
    """The rows of a query that answers with one row of JSON."""
    row = session.one(name, parameters)
    found: list[Any] = json.loads(row[0]) if row else []
    return found


def _aged(session: Session, name: str, parameters: Sequence[Any]) -> list[Aged]:
    return [Aged(*row) for row in _list(session, name, parameters)]


def _remove(session: Session, _: Tally, positions: Sequence[int], ages: Ages, now_us: int) -> Removed:
    newest = session.all("newest")[0]
    aged = [one for one in _aged(session, "aged_at", (json.dumps(positions),)) if one.position not in newest]
    gone = [one.position for one in aged if ages.removes(one, now_us)]
    if not gone:
        return Removed()
    wanted = (json.dumps(gone),)
    changes = [value for status, n in session.all("statuses_of", wanted) for value in (status, -n)]
    attempts = session.run("remove_attempts", wanted)
    deliveries = session.run("remove_deliveries", wanted)
    session.run("remove_events", wanted)
    session.run_rows("add_to_tallies", changes)
    session.run("put", (*_REMOVED, str(_removed(session) + len(gone)).encode(), None))
    return Removed(len(gone), deliveries, attempts)


def _drop_payloads(session: Session, _: Tally, positions: Sequence[int], ages: Ages, now_us: int) -> int:
    aged = _aged(session, "aged_at", (json.dumps(positions),))
    emptied = [one.position for one in aged if ages.drops(one, now_us)]
    wanted = (json.dumps(emptied),)
    for seq, text in session.all("results_of", wanted):
        results = {step: replace(result, output=None) for step, result in decode_results(text).items()}
        session.run("set_results", (encode_results(results), seq))
    session.run("empty_attempts", wanted)
    session.run("empty_events", wanted)
    return len(emptied)


def _forget_hours(session: Session, _: Tally, rows: Sequence[Sequence[Any]]) -> int:
    return sum(session.run("remove_hour", row) for row in rows)


def _removed(session: Session) -> int:
    """How many events have ever been removed."""
    row = session.one("get", (*_REMOVED, 0))
    return int(row[0]) if row else 0


def _figures(session: Session) -> Figures:
    last, deliveries = session.all("row_figures")[0]
    return Figures(last - _removed(session), deliveries)


def _measure(session: Session, log: Path) -> Size:
    pages, free, size = (_pragma(session, name) for name in ("page_count", "freelist_count", "page_size"))
    try:
        log_bytes = log.stat().st_size
    except OSError:
        log_bytes = 0
    return Size(pages * size + log_bytes, free * size)


def _give_back(session: Session, _: Tally, most: int) -> int:
    """One page in each call, since sqlite3 runs this pragma one step far only, and a step is a page."""
    free, size = _pragma(session, "freelist_count"), _pragma(session, "page_size")
    for _page in range(min(free, most // size)):
        session.connection.execute("PRAGMA incremental_vacuum(1)")
    return (free - _pragma(session, "freelist_count")) * size


def _pragma(session: Session, name: str) -> int:
    return int(session.connection.execute(f"PRAGMA {name}").fetchone()[0])
