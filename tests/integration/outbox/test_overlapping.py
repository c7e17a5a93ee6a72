"""Rows that nobody may miss or keep: transactions that overlap, files that are replaced, readers that are gone."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg

from hookrt import Runtime, outbox
from hookrt.clock import SystemClock
from hookrt.outbox.postgres_rows import PostgresRows
from hookrt.outbox.sqlite_rows import SqliteRows
from hookrt.store.contract import EventQuery


def reading(url: str, folder: Path) -> Runtime:
    (folder / "hooks.yaml").write_text(f"sources: {{orders: {{outbox: {{url: '{url}', poll: 20ms}}}}}}\n")
    return Runtime.from_file(folder / "hooks.yaml", store="memory:", env={})


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + 30
    while not await condition():
        assert time.monotonic() < deadline, "it never came"
        await asyncio.sleep(0.005)


async def ids(runtime: Runtime) -> list[str]:
    """Of all events, in the order in which they were read."""
    return [one.event.id for one in (await runtime.store.events(EventQuery(limit=50))).items][::-1]


def test_a_row_that_is_committed_after_one_with_a_higher_position_is_read_all_the_same(
    postgres_url: str, tmp_path: Path
) -> None:
    async def run() -> None:
        with psycopg.connect(postgres_url) as slow, psycopg.connect(postgres_url) as quick:
            outbox.create_table_sync(quick)
            quick.commit()
            outbox.emit_sync(slow, "A.B", id="begun-first")
            outbox.emit_sync(quick, "A.B", id="begun-later")
            quick.commit()
            async with reading(postgres_url, tmp_path) as runtime:

                async def has(*names: str) -> bool:
                    return await ids(runtime) == list(names)

                await until(lambda: has("begun-later"))

                async def nothing_waits() -> bool:
                    [[waiting]] = quick.execute("SELECT count(*) FROM hookrt_outbox").fetchall()
                    quick.commit()
                    return bool(waiting == 0)

                await until(nothing_waits)
                slow.commit()
                await until(lambda: has("begun-later", "begun-first"))
                await until(nothing_waits)

    asyncio.run(run())


def test_a_database_file_that_is_replaced_is_opened_anew(tmp_path: Path) -> None:
    def make(name: str) -> None:
        connection = sqlite3.connect(tmp_path / "new.db")
        outbox.create_table_sync(connection)
        outbox.emit_sync(connection, "A.B", id=name)
        connection.commit()
        connection.close()
        os.replace(tmp_path / "new.db", tmp_path / "shop.db")

    async def run() -> None:
        make("before")
        async with reading("sqlite:///shop.db", tmp_path) as runtime:

            async def has(*names: str) -> bool:
                return await ids(runtime) == list(names)

            await until(lambda: has("before"))
            make("after")
            await until(lambda: has("before", "after"))

    asyncio.run(run())


def test_one_file_by_two_names_has_one_reader(tmp_path: Path) -> None:
    (tmp_path / "shop.db").touch()
    (tmp_path / "link.db").symlink_to("shop.db")

    async def run() -> None:
        one, other = (SqliteRows(tmp_path / name, SystemClock()) for name in ("shop.db", "link.db"))
        assert await one.claim()
        assert not await other.claim()
        await one.close()
        assert await other.claim()
        await other.close()

    asyncio.run(run())


def test_the_server_gives_up_the_lock_of_a_reader_whose_machine_is_gone(postgres_url: str) -> None:
    """It asks for a sign of life every few seconds, and not by its own default, two hours."""

    async def run() -> None:
        rows = PostgresRows(postgres_url)
        await rows.open()
        try:
            for name, most in (
                ("tcp_keepalives_idle", 15),
                ("tcp_keepalives_interval", 5),
                ("tcp_user_timeout", 30000),
            ):
                [[set_to]] = await rows._rows(f"SELECT setting::int FROM pg_settings WHERE name = '{name}'")
                assert 0 < set_to <= most, name
        finally:
            await rows.close()

    asyncio.run(run())
