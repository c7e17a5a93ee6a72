"""A process that dies inside a transaction: what was answered is on disk, and of the rest all or nothing."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hookrt.clock import SystemClock
from hookrt.model.delivery import Delivery, Status
from hookrt.store.contract import DeliveryQuery, EventQuery
from hookrt.store.sqlite.store import SqliteStore

WRITER = Path(__file__).with_name("dying_writer.py")

STATEMENTS = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 36, 43, 51, 60)
INSTRUCTIONS = (2, 10, 30, 60, 100, 160, 240, 340)
POINTS = [("statement", point) for point in STATEMENTS] + [("instruction", point) for point in INSTRUCTIONS]
"""Statements of the first rounds, and places inside of statements."""


class Victims:
    """One after the other on one file; each dies at its point."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "hookrt.db"
        self.answers = folder / "answers.txt"

    def kill(self, kind: str, point: int) -> None:
        command = [sys.executable, str(WRITER), str(self.path), str(self.answers), f"{kind}{point}", kind, str(point)]
        died = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert died.returncode == -signal.SIGKILL, died.stderr.decode()

    def answered(self, what: str) -> set[str]:
        lines = self.answers.read_text().splitlines() if self.answers.exists() else []
        return {line.partition(" ")[2] for line in lines if line.startswith(f"{what} ")}


@pytest.mark.slow
def test_a_kill_inside_a_transaction_loses_nothing_that_was_answered_and_leaves_nothing_half(tmp_path: Path) -> None:
    victims = Victims(tmp_path)
    for kind, point in POINTS:
        victims.kill(kind, point)
        asyncio.run(check(victims, f"{kind} {point}"))
    assert victims.answered("saved")
    assert victims.answered("recorded")


async def check(victims: Victims, where: str) -> None:
    with sqlite3.connect(victims.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], where
    connection.close()
    store = SqliteStore(victims.path, SystemClock())
    await store.open()
    try:
        assert await store.lead(), where
        events = {one async for one in all_events(store)}
        found = {one.id: one async for one in all_deliveries(store)}
        for name in victims.answered("saved"):
            assert name in events, where
        for name in victims.answered("recorded"):
            assert found[name].status is Status.SUCCEEDED, where
        for name in events:
            if not name.startswith("from "):
                of_it = [one for one in found if one.startswith(f"{name}/")]
                assert len(of_it) == int(name.rpartition("-")[2]), where
        for one in found.values():
            await check_whole(store, one, events, found, where)
        counts = await store.counts()
        pending = sum(one.status is Status.PENDING for one in found.values())
        assert (counts[Status.PENDING], counts[Status.RUNNING]) == (pending, 0), where
    finally:
        await store.close()


async def check_whole(
    store: SqliteStore, one: Delivery, events: set[str], found: dict[str, Delivery], where: str
) -> None:
    """An end has its attempt, its result and what it emitted; what has not ended has none of them, and no lease."""
    ended = one.status is Status.SUCCEEDED
    assert one.status in {Status.SUCCEEDED, Status.PENDING}, where
    assert len(await store.attempts(one.id)) == one.attempts == int(ended), where
    assert (list(one.results), one.lease_token) == (["step"] if ended else [], 0), where
    assert (f"from {one.id}" in events, f"by {one.id}" in found) == (ended, ended), where


async def all_events(store: SqliteStore) -> AsyncIterator[str]:
    query = EventQuery(limit=500)
    while True:
        page = await store.events(query)
        for one in page.items:
            yield one.event.id
        if page.next is None:
            return
        query = EventQuery(limit=500, cursor=page.next)


async def all_deliveries(store: SqliteStore) -> AsyncIterator[Delivery]:
    query = DeliveryQuery(limit=500)
    while True:
        page = await store.deliveries(query)
        for one in page.items:
            yield one
        if page.next is None:
            return
        query = DeliveryQuery(limit=500, cursor=page.next)
