"""The contract of every source that fetches, kept by `postgres_listen` with a real server."""

import asyncio

import pytest
from hookrt_postgres import PostgresListen

from hookrt.testing import FetchingSourceContract


class TestListen(FetchingSourceContract):
    source = PostgresListen
    lasting = False  # PostgreSQL keeps no notification
    invalid_settings = ({}, {"url": "postgresql://h/d", "channels": []}, {"url": "mysql://h/d", "channels": ["c"]})
    secrets = ("sesame", "pw-of-postgres")

    @pytest.fixture(autouse=True)
    def place(self, url, execute):
        self.url, self.execute = url, execute

    def make_settings(self):
        return {"url": self.url, "channels": ["contract"], "types": {"contract": "Order.Paid"}}

    def make_settings_away(self):
        return {"url": "postgresql://u:pw-of-postgres@127.0.0.1:1/d", "channels": ["contract"]}

    async def until_it_listens(self):
        asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle'"
        while (await asyncio.to_thread(self.execute, asked))[0][0] == 0:  # noqa: ASYNC110 - it is a server that is asked
            await asyncio.sleep(0.02)

    async def send(self, count):
        for number in range(count):
            await asyncio.to_thread(self.execute, f"NOTIFY contract, '{number}'")
