"""An application and its hookrt, killed between every two statements: each row has its event, each event its row."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from hookrt import Runtime, outbox
from hookrt.store.contract import EventQuery

APP = Path(__file__).with_name("ordering_app.py")


class Killer:
    """A process that kills applications and readers, one for all tests: its imports take longer than its victims."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(APP)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def kill(self, *words: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        patience = threading.Timer(120, self.process.kill)
        patience.start()
        try:
            self.process.stdin.write("\t".join(words) + "\n")
            self.process.stdin.flush()
            assert self.process.stdout.readline() == "killed\n", "a victim lived, or a point was never reached"
        finally:
            patience.cancel()


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    killer = Killer()
    with killer.process:
        yield killer


class Shop:
    """The database of an application and the folder of its hookrt."""

    def __init__(self, url: str, folder: Path, killer: Killer) -> None:
        self.url = url
        self.killer = killer
        self.folder = folder
        self.engine = create_engine(url)
        with self.engine.begin() as connection:
            for table in ("orders", "order_lines"):
                connection.execute(text(f"CREATE TABLE {table} (id TEXT)"))
            outbox.create_table_sync(connection)
        (folder / "hooks.yaml").write_text(f"sources: {{orders: {{outbox: {{url: '{url}', poll: 20ms}}}}}}\n")

    def kill(self, part: str) -> None:
        self.killer.kill(part, self.url, str(self.folder))

    def ids(self, table: str) -> list[str]:
        with self.engine.connect() as connection:
            return [row[0] for row in connection.execute(text(f"SELECT id FROM {table}"))]

    async def events(self) -> Counter[str]:
        """All events of the outbox, after a hookrt that nobody kills has emptied it."""
        async with Runtime.from_file(self.folder / "hooks.yaml") as runtime:
            deadline = time.monotonic() + 60
            while self.ids("hookrt_outbox"):
                assert time.monotonic() < deadline, self.ids("hookrt_outbox")
                await asyncio.sleep(0.02)
            found = await runtime.store.events(EventQuery(limit=500))
            assert {one.event.source for one in found.items} <= {"orders"}
            return Counter(one.event.id for one in found.items)


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, killer: Killer) -> Any:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'shop.db'}"
    else:
        url = request.getfixturevalue("postgres_url").replace("postgresql://", "postgresql+psycopg://")
    shop = Shop(url, tmp_path, killer)
    yield shop
    shop.engine.dispose()


def test_an_application_killed_between_any_two_statements_leaves_no_event_without_its_row_and_no_row_without_its_event(
    shop: Shop,
) -> None:
    shop.kill("app")
    committed = {f"{first}-first-{point}" for first in ("event", "order") for point in (4, 5)}  # after the commit
    assert set(shop.ids("orders")) == set(shop.ids("order_lines")) == set(shop.ids("hookrt_outbox")) == committed
    assert asyncio.run(shop.events()) == Counter(committed)


def test_a_reader_killed_between_any_two_statements_makes_one_event_of_each_row(shop: Shop) -> None:
    shop.kill("reader")
    orders = shop.ids("orders")
    assert len(orders) == 16
    assert asyncio.run(shop.events()) == Counter(orders)
