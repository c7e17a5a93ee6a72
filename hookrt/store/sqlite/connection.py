"""A connection to the file: how it is set up, and how statements run on it by name."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import msgspec

from hookrt.errors import StoreError
from hookrt.store.migrate import Migration, missing_migrations
from hookrt.store.sqlite.own_folder import make_own_folder
from hookrt.store.sqlite.statements import Statement, split_rows

BUSY_S = 10.0
"""How long a writer waits for another process's transaction before it gives up."""

OLDEST_SQLITE = (3, 37)
"""The first SQLite with STRICT tables."""

APPLICATION_ID = 0x686F6F6B
"""`hook`, in the header of every file that is hookrt's."""

_CHECKPOINT_PAGES = 4_000  # 16 MiB of log before it is copied into the file: hot pages are copied once for many commits
_JOURNAL_LIMIT = 64 * 1024 * 1024
_CACHE_KIB = 64 * 1024
_BUSY_PAUSE_S = 0.01
_PREPARED = 1024  # every number of rows up to a full piece is a statement of its own

_decode = msgspec.json.Decoder(list[list[Any]]).decode

T = TypeVar("T")
Row = tuple[Any, ...]
Parameters = Sequence[Any] | Mapping[str, Any]


class Session:
    """One connection with the named statements. For one thread at a time."""

    def __init__(self, connection: sqlite3.Connection, statements: Mapping[str, Statement]) -> None:
        self.connection = connection
        self._statements = statements

    def run(self, name: str, parameters: Parameters = ()) -> int:
        """Run a statement; returns how many rows it changed."""
        before = self.connection.total_changes
        self.connection.execute(self._statements[name].sql, parameters)
        return self.connection.total_changes - before

    def one(self, name: str, parameters: Parameters = ()) -> Row | None:
        """The first row of a query, None without one."""
        row: Row | None = self.connection.execute(self._statements[name].sql, parameters).fetchone()
        return row

    def all(self, name: str, parameters: Parameters = ()) -> list[Row]:
        """All rows of a query."""
        return self.connection.execute(self._statements[name].sql, parameters).fetchall()

    def each(self, name: str, parameters: Parameters = ()) -> Iterator[Row]:
        """The rows of a query one by one, so that reading may stop early."""
        return self.connection.execute(self._statements[name].sql, parameters)

    def run_rows(self, name: str, values: list[Any]) -> int:
        """Run a statement for many rows, whose values follow each other; returns how many rows it changed."""
        before = self.connection.total_changes
        for sql, chunk in self._calls(name, values):
            self.connection.execute(sql, chunk)
        return self.connection.total_changes - before

    def all_rows(self, name: str, values: list[Any]) -> list[list[Any]]:
        """All rows of a query about many rows, whose values follow each other; it answers with one row of JSON."""
        found: list[list[Any]] = []
        for sql, chunk in self._calls(name, values):
            found += _decode(self.connection.execute(sql, chunk).fetchone()[0])
        return found

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def _calls(self, name: str, values: list[Any]) -> Iterator[tuple[str, list[Any]]]:
        statement = self._statements[name]
        start = 0
        for size in split_rows(len(values) // statement.width):
            end = start + size * statement.width
            yield statement.for_rows(size), values[start:end]
            start = end


class Run(Protocol):
    """Runs a function in the store: one that reads, on a session; one that writes, on a session and a tally."""

    def __call__(self, function: Callable[..., T], /) -> Awaitable[T]:
        """What the function returns; raises StoreError."""
        ...


def open_writer(path: Path, migrations: Sequence[Migration], url: str) -> sqlite3.Connection:
    """The connection that writes, the file and hookrt's own folder made where they are missing, its schema up to date.

    Raises StoreError where the file is not hookrt's or newer; other failures come as sqlite3's.
    """
    check_version()
    make_own_folder(path)
    _create_private(path)
    connection = _connect(str(path))
    try:
        _patiently(lambda: _prepare_file(connection, url))
        _migrate(connection, migrations, url)
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that can only read."""
    address = f"file:{quote(str(path))}?mode=ro"
    connection = _connect(address, uri=True)
    connection.execute("PRAGMA query_only = 1")
    return connection


def check_version(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Raise StoreError when this Python's SQLite is too old."""
    if version < OLDEST_SQLITE:
        raise StoreError(
            f"this Python has SQLite {'.'.join(map(str, version))}, and hookrt needs "
            f"{'.'.join(map(str, OLDEST_SQLITE))}: use a newer Python"
        )


def _connect(place: str, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(
        place,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_PREPARED,
        uri=uri,
    )


def _create_private(path: Path) -> None:
    """Make a new file readable for its owner only, since it holds what events carry."""
    try:
        path.touch(mode=0o600, exist_ok=False)
    except OSError:
        return  # it exists, or cannot be made, which SQLite will say


def _prepare_file(connection: sqlite3.Connection, url: str) -> None:
    if (version := _schema_version(connection)) == 0:
        _check_empty(connection, url)
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # without effect once there is a table
    elif _pragma(connection, "application_id") != APPLICATION_ID:
        raise StoreError(f"{url} is a database of another program (its version is {version}): name another file")
    if (mode := _pragma(connection, "journal_mode = WAL")) != "wal":
        raise StoreError(f"{url} cannot keep a write-ahead log (it says {mode!r}): put it on a local disk")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_LIMIT}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")


def _check_empty(connection: sqlite3.Connection, url: str) -> None:
    """A file of version 0 with tables is not ours, unless another process is making it at this moment."""
    connection.execute("BEGIN")
    try:
        foreign = _schema_version(connection) == 0 and connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
    finally:
        connection.execute("ROLLBACK")
    if foreign:
        raise StoreError(f"{url} is a database of another program: name another file")


def _migrate(connection: sqlite3.Connection, migrations: Sequence[Migration], url: str) -> None:
    if not missing_migrations(migrations, _schema_version(connection), url):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in missing_migrations(migrations, _schema_version(connection), url):
            for sql in _split(migration.sql):
                connection.execute(sql)
            connection.execute(f"PRAGMA user_version = {migration.number}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _split(script: str) -> Iterator[str]:
    sql = ""
    for line in script.splitlines(keepends=True):
        sql += line
        if sqlite3.complete_statement(sql):
            yield sql
            sql = ""


def _patiently(setup: Callable[[], None]) -> None:
    """Run it again while other processes open the same file, since SQLite does not wait in all of its steps."""
    end = time.monotonic() + BUSY_S
    while True:
        try:
            setup()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            if time.monotonic() > end:
                raise
        time.sleep(_BUSY_PAUSE_S)


def _schema_version(connection: sqlite3.Connection) -> int:
    return int(_pragma(connection, "user_version"))


def _pragma(connection: sqlite3.Connection, text: str) -> Any:
    return connection.execute(f"PRAGMA {text}").fetchone()[0]
