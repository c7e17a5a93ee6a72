"""The outbox in a SQLite file. It is polled by `PRAGMA data_version`, which reads no row."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from hookrt.outbox.portion import portion_query
from hookrt.outbox.reading import Unreachable
from hookrt.outbox.row import StoredRow
from hookrt.outbox.table import TABLE
from hookrt.plugin import Clock
from hookrt.plugin.threads import run_in_thread

BUSY_S = 2.0
"""How long a statement waits for the application's transactions, before it is tried again later."""

_TAKE = portion_query("length(CAST(data AS BLOB))")
_DELETE = f"DELETE FROM {TABLE} WHERE position = ?"  # noqa: S608
_REFUSE = f"UPDATE {TABLE} SET refused = ? WHERE position = ?"  # noqa: S608
_MISSING = f"no such table: {TABLE}"
T = TypeVar("T")


class SqliteRows:
    """The table in a file, on a connection of its own that is used by one thread at a time."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._lock: int | None = None
        self._version = 0
        _drop_in_children(self)

    async def open(self) -> None:
        """Open the file, which the application makes."""
        await self._work(self._open)

    async def claim(self) -> bool:
        """Lock the file `DATABASE.outbox-lock`, which stays where it is: the lock ends with its process."""
        if self._lock is not None:
            return True
        real = self._path.resolve()  # one file has one lock, by whatever name it is read
        path = real.with_name(real.name + ".outbox-lock")
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unreachable(f"{path.name} cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._lock = handle
        return True

    async def take(self) -> Sequence[StoredRow]:
        """The first rows; what is committed later shows in the version."""

        def read() -> list[StoredRow]:
            self._version = self._read_version()
            return [StoredRow(*found) for found in self._opened.execute(_TAKE)]

        return await self._work(read)

    async def delete(self, positions: Sequence[int]) -> None:
        """Delete them in one transaction."""

        def write() -> None:
            with _transaction(self._opened) as connection:
                connection.executemany(_DELETE, [(position,) for position in positions])

        await self._work(write)

    async def refuse(self, position: int, reason: str) -> None:
        """Mark it."""
        await self._work(lambda: self._opened.execute(_REFUSE, (reason, position)).close())

    async def wait(self, seconds: float) -> bool:
        """Wait, and look whether anybody has committed anything meanwhile."""
        await self._clock.sleep(seconds)
        return await self._work(self._read_version) != self._version

    async def close(self) -> None:
        """Close the file, and give up the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()
        self.unlock()

    def unlock(self) -> None:
        """Give up the lock."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise Unreachable("it is closed")
        return self._connection

    def _open(self) -> None:
        if self._connection is None:
            location = f"file:{quote(str(self._path))}?mode=rw"
            connection = sqlite3.connect(
                location, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            connection.text_factory = _text
            self._connection, self._file = connection, self._look()

    def _look(self) -> tuple[int, int] | None:
        """Which file the path leads to now."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _read_version(self) -> int:
        if self._look() != self._file:
            raise Unreachable(f"{self._path.name}: the file was replaced or removed")
        return int(self._opened.execute("PRAGMA data_version").fetchone()[0])

    async def _work(self, function: Callable[[], T]) -> T:
        try:
            result: T = await run_in_thread(function)
        except sqlite3.Error as error:
            said = str(error)
            if said == _MISSING:
                said = f"there is no table {TABLE} in it: create it as `hookrt outbox schema --dialect sqlite` says"
            raise Unreachable(f"{self._path.name}: {said}") from None
        return result


def _drop_in_children(rows: SqliteRows) -> None:
    """A process that the application forks must not keep the lock when we have died."""
    known = weakref.ref(rows)

    def drop() -> None:
        found = known()
        if found is not None:
            found.unlock()

    os.register_at_fork(after_in_child=drop)


def _text(raw: bytes) -> str:
    """Text as it is; what is no UTF-8 in it must not keep the other rows from being read."""
    return raw.decode("utf-8", "surrogateescape")


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
