"""Which library a connection is of, and how each runs our statements.

A connection is known by the names of its classes, so that no driver is imported here: whoever has a connection has
loaded its library already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hookrt.outbox.autocommit import asyncpg_autocommits, autocommits, psycopg_autocommits, sqlite_autocommits
from hookrt.outbox.table import Statement
from hookrt.plugin import UsageError


@dataclass(frozen=True, slots=True)
class Work:
    """Statements to run, by dialect; `transactional` ones make sense only within a transaction that does more."""

    statements: Callable[[str], Sequence[Statement]]
    transactional: bool = False

    def refuse(self, autocommit: bool) -> None:
        """Raise UsageError when it needs a transaction and the connection has none."""
        if self.transactional and autocommit:
            raise UsageError(
                "this connection is in autocommit mode: the event would be committed by itself, with or without "
                "your data. Begin a transaction first, and emit inside of it"
            )


def run_sync(connection: Any, work: Work) -> None:
    """Run it on a synchronous connection; raises UsageError for what is none, or of an unknown library."""
    kinds = list(_kinds(connection))
    for kind in kinds:
        if kind in _SYNC:
            return _SYNC[kind](connection, work)
    if any(kind in _ASYNC for kind in kinds):
        raise UsageError(
            "this is an async connection: use `await outbox.emit(...)`, or `await outbox.create_table(...)`"
        )
    raise _unknown(connection)


async def run_async(connection: Any, work: Work) -> None:
    """Run it on an async connection; raises UsageError for what is none, or of an unknown library."""
    kinds = list(_kinds(connection))
    for kind in kinds:
        if kind in _ASYNC:
            return await _ASYNC[kind](connection, work)
    if any(kind in _SYNC for kind in kinds):
        raise UsageError(
            "this connection is synchronous: use `outbox.emit_sync(...)`, or `outbox.create_table_sync(...)`"
        )
    raise _unknown(connection)


def _kinds(connection: Any) -> Iterator[tuple[str, str]]:
    for one in type(connection).__mro__:
        yield one.__module__.partition(".")[0], one.__name__


def _unknown(connection: Any) -> UsageError:
    kind = type(connection)
    return UsageError(
        f"the outbox cannot write on a {kind.__module__}.{kind.__qualname__}: it takes connections of SQLAlchemy, "
        "psycopg, asyncpg, sqlite3, aiosqlite and Django, and sessions of SQLAlchemy"
    )


def _question(number: int) -> str:
    return "?"


def _percent(number: int) -> str:
    return "%s"


def _dollar(number: int) -> str:
    return f"${number + 1}"


_MARKS: Mapping[str, Callable[[int], str]] = MappingProxyType(
    {
        "qmark": _question,
        "format": _percent,
        "pyformat": _percent,
        "numeric": lambda number: f":{number + 1}",
        "numeric_dollar": _dollar,
    }
)


def _run_sqlite3(connection: Any, work: Work) -> None:
    work.refuse(sqlite_autocommits(connection))
    for statement in work.statements("sqlite"):
        connection.execute(statement.written(_question), statement.values)


async def _run_aiosqlite(connection: Any, work: Work) -> None:
    work.refuse(sqlite_autocommits(connection))
    for statement in work.statements("sqlite"):
        await connection.execute(statement.written(_question), statement.values)


def _run_psycopg(connection: Any, work: Work) -> None:
    work.refuse(psycopg_autocommits(connection))
    with connection.cursor() as cursor:
        for statement in work.statements("postgresql"):
            cursor.execute(statement.written(_percent), statement.values or None)


async def _run_psycopg_async(connection: Any, work: Work) -> None:
    work.refuse(psycopg_autocommits(connection))
    async with connection.cursor() as cursor:
        for statement in work.statements("postgresql"):
            await cursor.execute(statement.written(_percent), statement.values or None)


async def _run_asyncpg(connection: Any, work: Work) -> None:
    work.refuse(asyncpg_autocommits(connection))
    for statement in work.statements("postgresql"):
        await connection.execute(statement.written(_dollar), *statement.values)


def _run_django(connection: Any, work: Work) -> None:
    statements = work.statements(connection.vendor)
    work.refuse(connection.get_autocommit() and not connection.in_atomic_block)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.written(_percent), statement.values or None)


def _run_sqlalchemy(connection: Any, work: Work) -> None:
    statements = work.statements(connection.dialect.name)
    mark = _MARKS.get(connection.dialect.paramstyle)
    if mark is None:
        raise UsageError(f"the outbox does not know the parameters of the driver {connection.dialect.driver!r}")
    if work.transactional and autocommits(connection.connection.driver_connection):
        connection.exec_driver_sql("SELECT 1")  # SQLAlchemy and some drivers begin at the first statement, not earlier
        work.refuse(autocommits(connection.connection.driver_connection))
    for statement in statements:
        connection.exec_driver_sql(statement.written(mark), statement.values or None)


def _run_session(session: Any, work: Work) -> None:
    _run_sqlalchemy(session.connection(), work)


async def _run_sqlalchemy_async(connection: Any, work: Work) -> None:
    await connection.run_sync(_run_sqlalchemy, work)


async def _run_session_async(session: Any, work: Work) -> None:
    await session.run_sync(_run_session, work)


async def _run_scoped_async(scoped: Any, work: Work) -> None:
    await _run_session_async(scoped(), work)


_SYNC: Mapping[tuple[str, str], Callable[[Any, Work], None]] = MappingProxyType(
    {
        ("sqlite3", "Connection"): _run_sqlite3,
        ("psycopg", "Connection"): _run_psycopg,
        ("psycopg2", "connection"): _run_psycopg,
        ("sqlalchemy", "Connection"): _run_sqlalchemy,
        ("sqlalchemy", "Session"): _run_session,
        ("sqlalchemy", "scoped_session"): _run_session,
        ("django", "ConnectionProxy"): _run_django,
        ("django", "BaseDatabaseWrapper"): _run_django,
    }
)
_ASYNC: Mapping[tuple[str, str], Callable[[Any, Work], Awaitable[None]]] = MappingProxyType(
    {
        ("psycopg", "AsyncConnection"): _run_psycopg_async,
        ("asyncpg", "Connection"): _run_asyncpg,
        ("asyncpg", "PoolConnectionProxy"): _run_asyncpg,
        ("aiosqlite", "Connection"): _run_aiosqlite,
        ("sqlalchemy", "AsyncConnection"): _run_sqlalchemy_async,
        ("sqlalchemy", "AsyncSession"): _run_session_async,
        ("sqlalchemy", "async_scoped_session"): _run_scoped_async,
    }
)
