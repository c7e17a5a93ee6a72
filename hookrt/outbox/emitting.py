"""What an application calls: write an event, or the table, on a connection of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hookrt.outbox.connections import Work, run_async, run_sync
from hookrt.outbox.row import Row, make_row
from hookrt.outbox.table import creation, insertion


async def emit(  # noqa: PLR0913 - an event's own fields, by name
    connection: Any,
    type: str,
    data: Any = None,
    *,
    id: str | None = None,
    subject: str | None = None,
    time: datetime | None = None,
) -> str:
    """Write an event in the transaction that this async connection is in, and give its id.

    The connection is an AsyncConnection or AsyncSession of SQLAlchemy, an AsyncConnection of psycopg, a Connection of
    asyncpg (also out of a pool) or of aiosqlite. It is never committed here, and no transaction is begun but the one
    that the driver begins by itself at a first statement. `id` is made where none is given, `time` is now.

    Raises EventError for an event that no runtime would accept, before anything is written; UsageError for a
    connection that commits each statement by itself, or is none of these; and whatever the driver raises.
    """
    row = make_row(type, data, id, subject, time)
    await run_async(connection, _writing(row))
    return row.id


def emit_sync(  # noqa: PLR0913 - likewise
    connection: Any,
    type: str,
    data: Any = None,
    *,
    id: str | None = None,
    subject: str | None = None,
    time: datetime | None = None,
) -> str:
    """The same for a Connection or Session of SQLAlchemy, psycopg (or psycopg2), sqlite3, or Django's `connection`."""
    row = make_row(type, data, id, subject, time)
    run_sync(connection, _writing(row))
    return row.id


async def create_table(connection: Any) -> None:
    """Create the table where it does not exist, on an async connection; commit afterwards, as for any statement."""
    await run_async(connection, Work(creation))


def create_table_sync(connection: Any) -> None:
    """The same on a synchronous connection."""
    run_sync(connection, Work(creation))


def _writing(row: Row) -> Work:
    return Work(lambda dialect: insertion(dialect, row), transactional=True)
