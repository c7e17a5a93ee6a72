"""What docs/outbox.md shows works: the files, the functions on real databases, the table."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from hookrt import Runtime, outbox
from hookrt.config.load import LoadOptions, load
from hookrt.outbox.settings import OutboxSettings
from hookrt.plugin.manager import load_plugins
from hookrt.store.contract import EventQuery

TEXT = (Path(__file__).parents[2] / "docs" / "outbox.md").read_text()
BLOCKS = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", TEXT, re.MULTILINE | re.DOTALL)
FILES = [text for kind, text in BLOCKS if kind == "yaml"]
PROGRAM, *SNIPPETS = [text for kind, text in BLOCKS if kind == "python"]
STATEMENTS = [text for kind, text in BLOCKS if kind == "sql"]

DJANGO = """
import sys
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}})
import django
django.setup()
"""


def functions(*names: str) -> list[Any]:
    found: dict[str, Any] = {}
    for snippet in SNIPPETS:
        if "django" not in snippet:
            exec(snippet, found)
    return [found[name] for name in names]


def orders(url: str) -> str:
    """The same URL, with the tables in it and one order that is not paid."""
    engine = create_engine(url)
    with engine.begin() as connection:
        outbox.create_table_sync(connection)
        connection.execute(text("CREATE TABLE orders (id INTEGER PRIMARY KEY, paid INTEGER)"))
        connection.execute(text("INSERT INTO orders VALUES (17, 0)"))
    engine.dispose()
    return url


@pytest.mark.parametrize("written", FILES, ids=range(len(FILES)))
def test_an_example_is_accepted(written: str, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(written)
    env = {"HOOKRT_SECRET_SHOP_DATABASE": "postgresql://shop:hush@db/shop"}
    loaded = load(tmp_path / "hooks.yaml", LoadOptions(registry=load_plugins(), env=env))
    assert [str(problem) for problem in loaded.problems] == []


def test_the_first_example_delivers_what_the_program_emits(tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(FILES[0])
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, check=True, timeout=60)

    async def scenario() -> list[Any]:
        async with Runtime.from_file(tmp_path / "hooks.yaml") as runtime:
            deadline = time.monotonic() + 30
            while not (page := await runtime.store.events(EventQuery(limit=10))).items:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
            return [(one.event.type, one.event.source, one.event.data) for one in page.items]

    assert asyncio.run(scenario()) == [("Order.Paid", "shop", {"order": 17})]


def test_the_functions_for_postgresql_pay_and_emit(postgres_url: str) -> None:
    orders(postgres_url.replace("://", "+psycopg://"))
    pay, pay_sync, pay_asyncpg, pay_psycopg = functions("pay", "pay_sync", "pay_asyncpg", "pay_psycopg")

    async def scenario() -> None:
        engine = create_async_engine(postgres_url.replace("://", "+asyncpg://"))
        async with AsyncSession(engine) as session:
            await pay(session, 17)
        async with engine.connect() as connection:
            await pay(connection, 17)
        await engine.dispose()
        plain = await asyncpg.connect(postgres_url)
        await pay_asyncpg(plain, 17)
        await plain.close()
        async with await psycopg.AsyncConnection.connect(postgres_url) as other:
            await pay_psycopg(other, 17)

    asyncio.run(scenario())
    engine = create_engine(postgres_url.replace("://", "+psycopg://"))
    with Session(engine) as session:
        pay_sync(session, 17)
    engine.dispose()
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT data FROM hookrt_outbox").fetchall() == [('{"order":17}',)] * 5
        assert connection.execute("SELECT paid FROM orders").fetchall() == [(1,)]
        for statement in STATEMENTS:
            connection.execute(statement)


def test_the_function_for_django_pays_and_emits(tmp_path: Path) -> None:
    orders(f"sqlite:///{tmp_path / 'shop.db'}")
    [snippet] = [one for one in SNIPPETS if "django" in one]
    command = [sys.executable, "-c", f"{DJANGO}{snippet}\npay_django(17)", str(tmp_path / "shop.db")]
    subprocess.run(command, check=True, timeout=60)
    connection = sqlite3.connect(tmp_path / "shop.db")
    assert connection.execute("SELECT paid, data FROM orders, hookrt_outbox").fetchall() == [(1, '{"order":17}')]
    connection.close()


def test_the_table_is_the_one_that_the_command_prints() -> None:
    command = [sys.executable, "-m", "hookrt", "outbox", "schema"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == STATEMENTS[0] == outbox.schema()
    connection = sqlite3.connect(":memory:")
    connection.executescript(outbox.schema("sqlite"))
    connection.close()


def test_the_settings_are_all_told() -> None:
    rows = " ".join(re.findall(r"^\| (`\w+`.*?) \|", TEXT, re.MULTILINE))
    assert all(f"`{name}`" in rows for name in OutboxSettings.model_fields)
