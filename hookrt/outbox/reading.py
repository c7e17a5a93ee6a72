"""The reader: rows in their order, each to the store first and then out of the table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from hookrt.outbox.row import StoredRow, read_row
from hookrt.outbox.settings import OutboxSettings
from hookrt.plugin import EventError, Overloaded, SourceRun

PAUSES_S = (1.0, 2.0, 5.0)
"""Waits before a database that cannot be reached, or a row that hookrt fails on, is tried again; the last repeats."""

TRIES = 5
"""So often a row that hookrt fails on is tried before those behind it are; it has held them up for 13 s by then."""

MOST_ROWS = 100
"""Rows of one portion: so many are read again at most, after a crash."""

MOST_BYTES = 8 * 1024**2
"""A portion ends with the row that reaches so many bytes of data."""

MOST_REASON = 500
"""Characters of a reason that are kept with a row."""


class Unreachable(Exception):  # noqa: N818 - a state of the database, which passes
    """The table cannot be read or written now; the text names no secret."""


class Rows(Protocol):
    """The table in one database. Whatever it cannot do raises Unreachable, and it is opened anew."""

    async def open(self) -> None:
        """Connect."""
        ...

    async def claim(self) -> bool:
        """Become the one reader of the table; False while another is."""
        ...

    async def take(self) -> Sequence[StoredRow]:
        """The first rows that wait, in their order."""
        ...

    async def delete(self, positions: Sequence[int]) -> None:
        """Delete rows whose events are durable."""
        ...

    async def refuse(self, position: int, reason: str) -> None:
        """Leave a row where it is, marked, out of the way of the others."""
        ...

    async def wait(self, seconds: float) -> bool:
        """Wait so long for new rows, shorter where the database tells of them; False when there are none."""
        ...

    async def close(self) -> None:
        """Disconnect; never fails."""
        ...


class Reader:
    """Keeps one outbox."""

    def __init__(self, source: SourceRun[OutboxSettings], rows: Rows) -> None:
        self._source = source
        self._rows = rows
        self._poll_s = source.settings.poll.total_seconds()
        self._failures = 0
        self._told = ""
        self._held: int | None = None
        self._tries = 0

    async def keep(self) -> None:
        """Read until cancelled, also over times in which the database is away."""
        while True:
            try:
                await self._rows.open()
                await self._become_reader()
                await self._read()
            except Unreachable as error:
                await self._pause(str(error))
            finally:
                await self._rows.close()

    async def _become_reader(self) -> None:
        told = False
        while not await self._rows.claim():
            if not told:
                self._source.log.info("outbox-standby", source=self._source.name, why="another process reads it")
            told = True
            await self._source.clock.sleep(self._poll_s)

    async def _read(self) -> None:
        while True:
            portion = await self._rows.take()
            self._reached()
            if portion:
                await self._hand_over(portion)
            else:
                while not await self._rows.wait(self._poll_s):
                    pass

    async def _hand_over(self, portion: Sequence[StoredRow]) -> None:
        durable: list[int] = []
        held: list[tuple[StoredRow, Exception]] = []
        overtaken = False
        for stored in portion:
            failure = await self._offer(stored, durable)
            if failure is not None:
                held.append((stored, failure))
            elif held and durable and durable[-1] == stored.position:
                overtaken = True
            if held and (overtaken or not self._gives_way(held[0][0])):
                break
        if overtaken:
            await self._leave_behind([stored for stored, _ in held], durable)
        if durable:
            await self._rows.delete(durable)
        if held and not overtaken:
            await self._hold(*held[0])
        else:
            self._go_on()

    async def _offer(self, stored: StoredRow, durable: list[int]) -> Exception | None:
        """Make a row's event durable, or refuse it; what hookrt failed with, where it could do neither."""
        try:
            await self._emit(stored)
        except EventError as error:
            await self._refuse(stored, str(error), "malformed")
        except Exception as error:  # of the store, or a mistake of ours: the row may be as good as any other
            return error
        else:
            durable.append(stored.position)
        return None

    def _gives_way(self, stored: StoredRow) -> bool:
        """Whether this row was tried so often that those behind it are tried, too."""
        return stored.position == self._held and self._tries >= TRIES

    async def _hold(self, stored: StoredRow, error: Exception) -> None:
        """Nothing behind it was taken either, as far as that was tried: all wait, in their order."""
        self._tries = self._tries + 1 if stored.position == self._held else 1
        self._held = stored.position
        pause = PAUSES_S[min(self._tries, len(PAUSES_S)) - 1]
        if self._tries & (self._tries - 1) == 0:  # the first time, and ever more rarely
            fields = {"position": stored.position, "error": repr(error), "tries": self._tries, "again_in_s": pause}
            self._source.log.error("outbox-held-up", source=self._source.name, **fields)
        self._source.report.away(f"hookrt fails on the row {stored.position}: {error!r}")
        await self._source.clock.sleep(pause)

    async def _leave_behind(self, rows: Sequence[StoredRow], durable: list[int]) -> None:
        """A row behind these was taken: it is theirs alone that hookrt fails on, if it still does."""
        for stored in rows:
            failure = await self._offer(stored, durable)
            if failure is not None:
                self._source.log.error("outbox-row-failed", source=self._source.name, error=repr(failure))
                await self._refuse(stored, f"hookrt failed on it ({type(failure).__name__}): see its log", "failed")

    def _go_on(self) -> None:
        if self._held is not None:
            self._source.log.info("outbox-goes-on", source=self._source.name, position=self._held)
            self._source.report.connected()
        self._held, self._tries = None, 0

    async def _emit(self, stored: StoredRow) -> None:
        """Make its event durable, however long there is no room for it: those behind it come after it."""
        found = read_row(stored)
        while True:
            try:
                await self._source.emit(found.type, found.data, id=found.id, subject=found.subject, time=found.time)
                return
            except Overloaded as error:
                wait = max(error.retry_after, timedelta(milliseconds=10))
                await self._source.clock.sleep(wait.total_seconds())

    async def _refuse(self, stored: StoredRow, reason: str, kind: str) -> None:
        shown = reason.encode("utf-8", "backslashreplace").decode().replace("\0", "")[:MOST_REASON]
        name = stored.id[:100] if isinstance(stored.id, str) else None
        log = self._source.log
        log.error("outbox-row-refused", source=self._source.name, position=stored.position, id=name, reason=shown)
        await self._rows.refuse(stored.position, shown)
        self._source.report.refused(kind)

    async def _pause(self, error: str) -> None:
        pause = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
        self._failures += 1
        if error != self._told:
            log = self._source.log
            log.warning("outbox-unreachable", source=self._source.name, error=error, again_in_s=pause)
        self._told = error
        self._source.report.away(error)
        await self._source.clock.sleep(pause)

    def _reached(self) -> None:
        if self._failures:
            self._source.log.info("outbox-reached", source=self._source.name)
            self._source.report.connected()
        self._failures, self._told = 0, ""
