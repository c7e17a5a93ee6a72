"""An application that takes orders, and its hookrt, each killed at every point by itself.

Reads lines of `app` or `reader`, the URL of the database, and the folder of hooks.yaml, and says `killed` after each.
Every victim is a process of its own (forked, so that what is imported is so once) and dies of SIGKILL at its point.
"""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from hookrt import Runtime, outbox
from hookrt.outbox.reading import Reader
from hookrt.outbox.rows_of import rows_of
from hookrt.outbox.source import Outbox

ORDER = text("INSERT INTO orders VALUES (:id)")
LINE = text("INSERT INTO order_lines VALUES (:id)")


class Death:
    """Comes at the n-th point."""

    def __init__(self, point):
        self.left = point

    def near(self):
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


def order(url, name, death, *, event_first=False):
    """One transaction of the application, statement by statement."""
    engine = create_engine(url, poolclass=NullPool)
    connection = engine.connect()
    transaction = connection.begin()
    statements = [
        lambda: connection.execute(ORDER, {"id": name}),
        lambda: outbox.emit_sync(connection, "Order.Paid", {"order": name}, id=name),
        lambda: connection.execute(LINE, {"id": name}),
    ]
    if event_first:
        statements.insert(0, statements.pop(1))
    for statement in [*statements, transaction.commit, connection.close]:
        death.near()
        statement()
    death.near()


async def read(folder, death):
    """The hookrt of the application, until death comes."""

    async def run(_, source):
        async def emit(*names, **fields):
            death.near()
            found = await source.emit(*names, **fields)
            death.near()
            return found

        await Reader(replace(source, emit=emit), DyingRows(rows_of(source), death)).keep()

    Outbox.run = run
    async with Runtime.from_file(folder / "hooks.yaml"):
        await asyncio.Event().wait()


class DyingRows:
    """Rows, and death before and after each statement that reads or deletes some."""

    def __init__(self, rows, death):
        self.rows = rows
        self.death = death

    def __getattr__(self, name):
        return getattr(self.rows, name)

    async def take(self):
        self.death.near()
        found = await self.rows.take()
        self.death.near()
        return found

    async def delete(self, positions):
        self.death.near()
        await self.rows.delete(positions)
        self.death.near()


def victim(life):
    """Whether a process that lives this life was killed."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            life()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def import_all(part, url, folder):
    """What a victim would import, each anew."""
    create_engine(url)
    if part == "reader":
        Runtime.from_file(Path(folder) / "hooks.yaml")


def main(part, url, folder):
    folder = folder.rstrip("\n")
    import_all(part, url, folder)
    if part == "app":
        for event_first in (False, True):
            for point in range(6):
                name = f"{'event' if event_first else 'order'}-first-{point}"
                assert victim(lambda: order(url, name, Death(point), event_first=event_first)), name  # noqa: B023
    else:
        for point in range(8):
            for number in range(2):
                order(url, f"read-{point}-{number}", Death(-1))
            assert victim(lambda: asyncio.run(read(Path(folder), Death(point)))), point  # noqa: B023


if __name__ == "__main__":
    for line in sys.stdin:
        main(*line.split("\t"))
        print("killed", flush=True)
