"""What an operator does to a SQLite file: see where its space goes, and make it smaller.

These are SQLite's own means; a database server brings others. None of them brings the file's schema up to date, and all
but `rewrite` work while a service uses the file.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hookrt.errors import StoreError, StoreLocked
from hookrt.store.migrate import load_migrations, missing_migrations
from hookrt.store.sqlite.connection import APPLICATION_ID, BUSY_S
from hookrt.store.sqlite.failures import explain
from hookrt.store.sqlite.lock import LeaderLock

Progress = Callable[[int, int], None]
"""Told how much of how much is done."""

_BITE_PAGES = 64
_PAUSE_S = 0.02
_SAMPLES = 100
_SAMPLE_ROWS = 100
_INCREMENTAL = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """Where the space of a file goes. Times are microseconds, None where there is no event.

    `log_bytes` is the write-ahead log beside the file. Of the file, `free_bytes` are free to be used again,
    `payload_bytes` are the events' data, `exchange_bytes` what attempts recorded; with `estimated`, these two are
    reckoned from samples. `rows` are counted by table, `statuses` by deliveries' status.
    """

    file_bytes: int
    log_bytes: int
    free_bytes: int
    payload_bytes: int
    exchange_bytes: int
    estimated: bool
    rows: Mapping[str, int]
    statuses: Mapping[str, int]
    oldest_us: int | None
    newest_us: int | None
    delivering: str | None

    @property
    def other_bytes(self) -> int:
        """What remains: the other columns, the indexes, and pages that are not full."""
        return max(self.file_bytes - self.free_bytes - self.payload_bytes - self.exchange_bytes, 0)


def read_facts(path: Path, url: str) -> Facts:
    """Look where the space of a file goes; raises StoreError."""
    with connected(path, url, "ro") as connection:
        connection.execute("BEGIN")  # so that all queries see one state
        rows = {name: _one(connection, f"SELECT count(*) FROM {name}") for name in _tables(connection)}  # noqa: S608
        payload, exact = _sampled(connection, "events", "seq", "length(content)", rows["events"])
        exchange, also = _sampled(
            connection, "attempts", "delivery_seq", "length(exchange) + length(logs)", rows["attempts"]
        )
        ends = [
            connection.execute(f"SELECT received_us FROM events ORDER BY seq {way} LIMIT 1").fetchone()  # noqa: S608
            for way in ("ASC", "DESC")
        ]
        size = _one(connection, "PRAGMA page_size")
        return Facts(
            file_bytes=_one(connection, "PRAGMA page_count") * size,
            log_bytes=_size_of(path.with_name(path.name + "-wal")),
            free_bytes=_one(connection, "PRAGMA freelist_count") * size,
            payload_bytes=payload,
            exchange_bytes=exchange,
            estimated=not (exact and also),
            rows=rows,
            statuses=dict(connection.execute("SELECT status, n FROM tallies")),
            oldest_us=ends[0][0] if ends[0] else None,
            newest_us=ends[1][0] if ends[1] else None,
            delivering=LeaderLock(path).holder(),
        )


def shrink(path: Path, url: str, progress: Progress) -> int:
    """Give the free pages of a file back to the device, in small transactions; returns how many bytes.

    What a service frees meanwhile is not waited for. Raises StoreError.
    """
    with connected(path, url, "rw") as connection:
        if _one(connection, "PRAGMA auto_vacuum") != _INCREMENTAL:
            raise StoreError(f"{url} was not made to be made smaller in steps: use --full")
        total = left = _one(connection, "PRAGMA freelist_count")
        while left > 0:
            _bite(connection, min(_BITE_PAGES, left))
            left -= min(_BITE_PAGES, left)
            progress(total - left, total)
            time.sleep(_PAUSE_S)
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()  # which cuts the file
        return total * _one(connection, "PRAGMA page_size")


def rewrite(path: Path, url: str) -> int:
    """Write the file anew without gaps; returns by how many bytes it is smaller. It needs as much free space again.

    Raises StoreLocked when a process delivers from it, since nobody else can write meanwhile; StoreError.
    """
    lock = LeaderLock(path)
    if not lock.acquire():
        raise StoreLocked(f"{lock.holder() or 'another process'} delivers from {url}: stop it, or leave out --full")
    try:
        with connected(path, url, "rw") as connection:
            before = _one(connection, "PRAGMA page_count")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            after = _one(connection, "PRAGMA page_count")
            return (before - after) * _one(connection, "PRAGMA page_size")
    finally:
        lock.release()


@contextmanager
def connected(path: Path, url: str, mode: str) -> Iterator[sqlite3.Connection]:
    """A connection to a file that is there and hookrt's; what goes wrong on it is told as StoreError."""
    try:
        address = f"file:{quote(str(path))}?mode={mode}"
        connection = sqlite3.connect(address, timeout=BUSY_S, isolation_level=None, uri=True)
        try:
            _check_ours(connection, url)
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise explain(error, path, url) from None


def _check_ours(connection: sqlite3.Connection, url: str) -> None:
    version = _one(connection, "PRAGMA user_version")
    if version == 0 or _one(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise StoreError(f"{url} is no store of hookrt")
    missing_migrations(load_migrations(__package__), version, url)


def _bite(connection: sqlite3.Connection, pages: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for _ in range(pages):
        connection.execute("PRAGMA incremental_vacuum(1)")
    connection.execute("COMMIT")


def _sampled(connection: sqlite3.Connection, table: str, key: str, value: str, rows: int) -> tuple[int, bool]:
    """The sum of a value over all rows of a table, and whether it is exact: of a large one only samples are read."""
    if rows <= _SAMPLES * _SAMPLE_ROWS:
        return _one(connection, f"SELECT coalesce(sum({value}), 0) FROM {table}"), True  # noqa: S608
    first, last = connection.execute(f"SELECT min({key}), max({key}) FROM {table}").fetchone()  # noqa: S608
    read = total = 0
    for n in range(_SAMPLES):
        start = first + (last - first) * n // _SAMPLES
        sql = f"SELECT {value} FROM {table} WHERE {key} >= ? ORDER BY {key} LIMIT ?"  # noqa: S608
        sizes = [row[0] for row in connection.execute(sql, (start, _SAMPLE_ROWS))]
        read, total = read + len(sizes), total + sum(sizes)
    return total * rows // max(read, 1), False


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]


def _one(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
