"""An event is written by every library's connection, in the application's transaction and in no other."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from hookrt import outbox
from hookrt.errors import EventError, UsageError

DATA = {"order": 17, "note": "50 % off: {now}", "price": 1.1}


class Database:
    """A database of one of the two kinds, and what is committed in it."""

    def __init__(self, url: str) -> None:
        self.url = url
        with self.plain() as connection:
            outbox.create_table_sync(connection)
            outbox.create_table_sync(connection)
            connection.execute("CREATE TABLE orders (id TEXT)")
            connection.commit()
        connection.close()

    @property
    def sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def file(self) -> str:
        return self.url.removeprefix("sqlite:///")

    def plain(self) -> Any:
        return sqlite3.connect(self.file) if self.sqlite else psycopg.connect(self.url)

    def engine_url(self, driver: str) -> str:
        return self.url.replace("://", f"+{driver}://", 1)

    def committed(self) -> tuple[list[str], list[str]]:
        connection = self.plain()
        orders = [one[0] for one in connection.execute("SELECT id FROM orders").fetchall()]
        events = [one[0] for one in connection.execute("SELECT id FROM hookrt_outbox ORDER BY position").fetchall()]
        connection.close()
        return orders, events

    def check(self) -> None:
        assert self.committed() == (["yes"], ["yes"])
        connection = self.plain()
        row = connection.execute("SELECT id, type, data, subject, time, refused FROM hookrt_outbox").fetchone()
        connection.close()
        assert row[:4] == ("yes", "Order.Paid", '{"order":17,"note":"50 % off: {now}","price":1.1}', "orders/17")
        assert row[4].endswith("Z")
        assert row[5] is None


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'app.db'}")


@pytest.fixture
def postgres(postgres_url: str) -> Database:
    return Database(postgres_url)


ORDER = "INSERT INTO orders VALUES ('{}')"


def order_sync(connection: Any, name: str, execute: Callable[[str], Any]) -> None:
    execute(ORDER.format(name))
    assert outbox.emit_sync(connection, "Order.Paid", DATA, id=name, subject="orders/17") == name


async def order(connection: Any, name: str, execute: Callable[[str], Awaitable[Any]]) -> None:
    await execute(ORDER.format(name))
    assert await outbox.emit(connection, "Order.Paid", DATA, id=name, subject="orders/17") == name


def test_plain_sqlite3_and_psycopg_commit_and_roll_back_both(sqlite: Database, postgres: Database) -> None:
    for database in (sqlite, postgres):
        connection = database.plain()
        order_sync(connection, "no", connection.execute)
        connection.rollback()
        order_sync(connection, "yes", connection.execute)
        assert database.committed() == ([], [])
        connection.commit()
        connection.close()
        database.check()


@pytest.mark.parametrize("driver", ["pysqlite", "psycopg"])
@pytest.mark.parametrize("kind", ["connection", "session", "scoped"])
def test_sqlalchemy_commits_and_rolls_back_both(driver: str, kind: str, request: pytest.FixtureRequest) -> None:
    database = request.getfixturevalue("sqlite" if driver == "pysqlite" else "postgres")
    engine = create_engine(database.engine_url(driver))
    session = {
        "connection": engine.connect,
        "session": lambda: Session(engine),
        "scoped": lambda: scoped_session(sessionmaker(engine)),
    }[kind]()
    order_sync(session, "no", lambda sql: session.execute(text(sql)))
    session.rollback()
    outbox.emit_sync(session, "Order.Paid", id="first in its transaction")
    session.rollback()
    order_sync(session, "yes", lambda sql: session.execute(text(sql)))
    assert database.committed() == ([], [])
    session.commit()
    session.close()
    engine.dispose()
    database.check()


@pytest.mark.parametrize("driver", ["aiosqlite", "psycopg", "asyncpg"])
@pytest.mark.parametrize("kind", ["connection", "session", "scoped"])
def test_async_sqlalchemy_commits_and_rolls_back_both(driver: str, kind: str, request: pytest.FixtureRequest) -> None:
    database = request.getfixturevalue("sqlite" if driver == "aiosqlite" else "postgres")

    async def scenario() -> None:
        engine = create_async_engine(database.engine_url(driver))
        if kind == "connection":
            session: Any = await engine.connect()
        elif kind == "session":
            session = AsyncSession(engine)
        else:
            session = async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)
        await order(session, "no", lambda sql: session.execute(text(sql)))
        await session.rollback()
        await outbox.emit(session, "Order.Paid", id="first in its transaction")
        await session.rollback()
        await order(session, "yes", lambda sql: session.execute(text(sql)))
        assert database.committed() == ([], [])
        await session.commit()
        await session.close()
        await engine.dispose()

    asyncio.run(scenario())
    database.check()


def test_async_psycopg_asyncpg_and_aiosqlite_commit_and_roll_back_both(sqlite: Database, postgres: Database) -> None:
    async def with_psycopg() -> None:
        async with await psycopg.AsyncConnection.connect(postgres.url) as connection:
            await order(connection, "no", connection.execute)
            await connection.rollback()

    async def with_asyncpg() -> None:
        async with asyncpg.create_pool(postgres.url, min_size=1, max_size=1) as pool, pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await order(connection, "no", connection.execute)
            await transaction.rollback()
        connection = await asyncpg.connect(postgres.url)
        async with connection.transaction():
            await order(connection, "yes", connection.execute)
        await connection.close()

    async def with_aiosqlite() -> None:
        async with aiosqlite.connect(sqlite.file) as connection:
            await order(connection, "no", connection.execute)
            await connection.rollback()
            await order(connection, "yes", connection.execute)
            await connection.commit()

    for one in (with_psycopg, with_asyncpg, with_aiosqlite):
        asyncio.run(one())
    postgres.check()
    sqlite.check()


def test_the_table_is_made_on_async_connections_by_workers_that_start_together(postgres_url: str) -> None:
    async def create() -> None:
        connection = await asyncpg.connect(postgres_url)
        await outbox.create_table(connection)
        await connection.close()

    async def scenario() -> None:
        await asyncio.gather(*[create() for _ in range(4)])

    asyncio.run(scenario())
    with psycopg.connect(postgres_url) as connection:
        outbox.emit_sync(connection, "Order.Paid")


def test_a_connection_in_autocommit_mode_is_refused_and_nothing_is_written(
    sqlite: Database, postgres: Database
) -> None:
    async def refused(connection: Any) -> None:
        with pytest.raises(UsageError, match="autocommit"):
            await outbox.emit(connection, "Order.Paid")

    def refused_sync(connection: Any) -> None:
        with pytest.raises(UsageError, match="autocommit"):
            outbox.emit_sync(connection, "Order.Paid")

    async def async_ones() -> None:
        raw = await asyncpg.connect(postgres.url)
        await refused(raw)
        await raw.close()
        async with await psycopg.AsyncConnection.connect(postgres.url, autocommit=True) as connection:
            await refused(connection)
        async with aiosqlite.connect(sqlite.file, isolation_level=None) as other:
            await refused(other)
        for database, driver in ((sqlite, "aiosqlite"), (postgres, "psycopg"), (postgres, "asyncpg")):
            engine = create_async_engine(database.engine_url(driver), isolation_level="AUTOCOMMIT")
            async with engine.connect() as one:
                await refused(one)
            async with AsyncSession(engine) as session:
                await refused(session)
            await engine.dispose()

    asyncio.run(async_ones())
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        refused_sync(connection)
    raw = sqlite3.connect(sqlite.file, isolation_level=None)
    refused_sync(raw)
    raw.close()
    for database, driver in ((sqlite, "pysqlite"), (postgres, "psycopg")):
        engine = create_engine(database.engine_url(driver), isolation_level="AUTOCOMMIT")
        with engine.connect() as one:
            refused_sync(one)
        engine.dispose()
    assert sqlite.committed() == postgres.committed() == ([], [])


def test_a_transaction_that_was_begun_by_hand_is_one(sqlite: Database, postgres: Database) -> None:
    raw = sqlite3.connect(sqlite.file, isolation_level=None)
    raw.execute("BEGIN")
    order_sync(raw, "yes", raw.execute)
    raw.execute("COMMIT")
    raw.close()
    sqlite.check()
    with psycopg.connect(postgres.url, autocommit=True) as connection, connection.transaction():
        order_sync(connection, "yes", connection.execute)
    postgres.check()


def test_an_event_that_no_runtime_would_accept_is_not_written(sqlite: Database) -> None:
    deep: Any = 1
    for _ in range(70):
        deep = [deep]
    wrong: list[dict[str, Any]] = [
        {"type": "Order Paid"},
        {"type": ""},
        {"type": "hookrt.delivery.dead"},
        {"type": "A", "data": {1, object()}},
        {"type": "A", "data": float("nan")},
        {"type": "A", "data": deep},
        {"type": "A", "id": "a\0"},
        {"type": "A", "id": 5},
        {"type": "A", "subject": "\n"},
        {"type": "A", "data": "x" * (16 * 1024**2)},
    ]
    connection = sqlite.plain()
    for fields in wrong:
        with pytest.raises(EventError):
            outbox.emit_sync(connection, **fields)
    assert not connection.in_transaction
    connection.close()


def test_the_wrong_twin_and_a_strange_connection_are_told(sqlite: Database) -> None:
    connection = sqlite.plain()
    with pytest.raises(UsageError, match="emit_sync"):
        asyncio.run(outbox.emit(connection, "Order.Paid"))
    with pytest.raises(UsageError, match="await outbox"):
        outbox.emit_sync(AsyncSession(), "Order.Paid")
    with pytest.raises(UsageError, match=r"cannot write on a builtins\.dict"):
        outbox.emit_sync({}, "Order.Paid")
    with pytest.raises(UsageError, match="'mysql'"):
        outbox.schema("mysql")
    connection.close()
