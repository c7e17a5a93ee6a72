"""The contract of every source that fetches, kept by `outbox` on both databases."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hookrt import outbox
from hookrt.outbox.source import Outbox
from hookrt.testing import FetchingSourceContract

NUMBERS = itertools.count()


class _OutboxContract(FetchingSourceContract):
    source = Outbox
    invalid_settings = ({}, {"url": "mysql://127.0.0.1/shop"}, {"url": 1})
    secrets = ("pw-of-mine",)
    url: str

    def connect(self) -> Any:
        raise NotImplementedError

    def make_settings(self) -> dict[str, str]:
        return {"url": self.url, "poll": "20ms"}

    def make_settings_away(self) -> dict[str, str]:
        return {"url": "postgresql://u:pw-of-mine@127.0.0.1:1/shop", "poll": "20ms"}

    async def send(self, count: int) -> None:
        def write() -> None:
            connection = self.connect()
            for _ in range(count):
                outbox.emit_sync(connection, "Order.Paid", {}, id=f"o{next(NUMBERS)}")
            connection.commit()
            connection.close()

        await asyncio.to_thread(write)

    async def unacknowledged(self) -> int:
        def count() -> int:
            connection = self.connect()
            found = connection.execute("SELECT count(*) FROM hookrt_outbox").fetchone()[0]
            connection.close()
            return int(found)

        return await asyncio.to_thread(count)


class TestSqlite(_OutboxContract):
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path) -> None:
        self.path = tmp_path / "app.db"
        self.url = f"sqlite:///{self.path}"
        connection = self.connect()
        outbox.create_table_sync(connection)
        connection.commit()
        connection.close()

    def connect(self) -> Any:
        return sqlite3.connect(self.path)


class TestPostgresql(_OutboxContract):
    @pytest.fixture(autouse=True)
    def place(self, postgres_url: str) -> None:
        self.url = postgres_url
        with self.connect() as connection:
            outbox.create_table_sync(connection)
            connection.execute("DELETE FROM hookrt_outbox")

    def connect(self) -> Any:
        return psycopg.connect(self.url)
