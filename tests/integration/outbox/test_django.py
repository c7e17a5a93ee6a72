"""Django's connections, on SQLite and on PostgreSQL, in a process of their own since its settings are global."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import asyncio, sys
from urllib.parse import urlsplit
from django.conf import settings

address = urlsplit(sys.argv[1])
settings.configure(DATABASES={
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[2]},
    "other": {"ENGINE": "django.db.backends.postgresql", "NAME": address.path[1:], "USER": address.username,
              "PASSWORD": address.password, "HOST": address.hostname, "PORT": address.port},
})
import django
django.setup()
from django.db import connection, connections, transaction
from hookrt import outbox
from hookrt.errors import UsageError

def count(one):
    with one.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders")
        orders = cursor.fetchone()[0]
        cursor.execute("SELECT id FROM hookrt_outbox")
        return orders, [row[0] for row in cursor.fetchall()]

for one, alias in ((connection, "default"), (connections["other"], "other")):
    outbox.create_table_sync(one)
    with one.cursor() as cursor:
        cursor.execute("CREATE TABLE orders (id TEXT)")
    for fails in (True, False):
        try:
            with transaction.atomic(using=alias):
                with one.cursor() as cursor:
                    cursor.execute("INSERT INTO orders VALUES (%s)", ["17"])
                outbox.emit_sync(one, "Order.Paid", {"note": "50 % off"}, id="order-17")
                if fails:
                    raise ValueError
        except ValueError:
            assert count(one) == (0, [])
    assert count(one) == (1, ["order-17"]), count(one)
    for refused in (lambda: outbox.emit_sync(one, "A"), lambda: asyncio.run(outbox.emit(one, "A"))):
        try:
            refused()
            raise SystemExit("it was not refused")
        except UsageError as error:
            print(str(error)[:40])
"""


def test_django_commits_and_rolls_back_both_and_autocommit_is_refused(postgres_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, postgres_url, str(tmp_path / "app.db")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.splitlines()
        == ["this connection is in autocommit mode: t", "this connection is synchronous: use `out"] * 2
    )
