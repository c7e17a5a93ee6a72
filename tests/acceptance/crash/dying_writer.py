"""Saves, claims and records on a store until it kills itself at a given point inside a transaction.

Arguments: the store's file, the file to which it appends what the store has answered, a prefix for its ids, `statement`
or `instruction`, and the number of the point: the n-th statement that a writing transaction begins, or the n-th time
that SQLite has come some of its instructions further in one.
"""

import asyncio
import os
import signal
import sqlite3
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from hookrt.clock import SystemClock
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Status, StepResult, StepStatus
from hookrt.model.event import Event
from hookrt.store.contract import Claim, NewDelivery, NewEvent, Recorded, Recording
from hookrt.store.sqlite.store import SqliteStore

INSTRUCTIONS = 40
FAR_US = 2**60


class Dying:
    """Counts the points of all connections, and dies at one of them."""

    def __init__(self, kind: str, point: int) -> None:
        self.kind = kind
        self.left = point
        self.armed = False

    def watch(self, connection: sqlite3.Connection) -> None:
        if self.kind == "statement":
            connection.set_trace_callback(lambda _: self.count(connection))
        else:
            connection.set_progress_handler(lambda: self.count(connection), INSTRUCTIONS)

    def count(self, connection: sqlite3.Connection) -> None:
        if self.armed and connection.in_transaction and threading.current_thread() is not threading.main_thread():
            self.left -= 1
            if self.left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


def event(identity: str, deliveries: list[NewDelivery]) -> NewEvent:
    made = Event(identity, "Number.Counted", "test", datetime.now(UTC), content=b"1")
    return NewEvent(made, b"digest", 0, deliveries)


def new_event(prefix: str, number: int) -> NewEvent:
    """Event number n has as many deliveries as its last digit says: one to three."""
    name = f"{prefix}-{number}-{number % 3 + 1}"
    hooks = [f"hook-{part}" for part in range(number % 3 + 1)]
    return event(name, [NewDelivery(f"{name}/{hook}", hook, f"lane-{hook}", 0, FAR_US) for hook in hooks])


def result_of(delivery: str, token: int) -> Recording:
    """A delivery that has succeeded, with its attempt, its result, and an event that it emits."""
    emitted = event(f"from {delivery}", [NewDelivery(f"by {delivery}", "later", "lane-later", FAR_US, FAR_US)])
    result = {"step": StepResult(StepStatus.SUCCEEDED, {"ok": True})}
    attempt = Attempt(1, "step", 0, 0, "done")
    return Recording(
        delivery, token, Status.SUCCEEDED, "lane", 0, 0, attempt, 1, 0, 0, new_results=result, emitted=[emitted]
    )


async def main(path: str, answers: str, prefix: str, kind: str, point: int) -> None:
    dying, connect = Dying(kind, point), sqlite3.connect

    def watched(*arguments: object, **options: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)  # type: ignore[arg-type, call-overload]
        dying.watch(connection)
        return connection

    sqlite3.connect = watched  # type: ignore[assignment]
    descriptor = os.open(answers, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    store = SqliteStore(Path(path), SystemClock())
    await store.open()
    assert await store.lead()
    dying.armed = True

    async def save(number: int) -> None:
        new = new_event(prefix, number)
        await store.save(new)
        os.write(descriptor, f"saved {new.event.id}\n".encode())

    async def record(delivery: str, token: int) -> None:
        if await store.record(result_of(delivery, token)) is Recorded.DONE:
            os.write(descriptor, f"recorded {delivery}\n".encode())

    for number in range(0, 1_000_000, 6):
        await asyncio.gather(*[save(number + part) for part in range(6)])
        claimed = await store.claim_due(Claim(prefix, (number + 1) * 1000, 60_000_000, free_elsewhere=100, limit=100))
        await asyncio.gather(*[record(one.delivery.id, one.delivery.lease_token) for one in claimed])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5], int(sys.argv[5])))
