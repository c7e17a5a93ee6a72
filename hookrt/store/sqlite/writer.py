"""The writer: one thread that takes all that is queued, writes it in one transaction, and wakes all who wait.

A commit costs a write to the disk however much is in it, so that a hundred callers who share one wait no longer than
one alone.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hookrt.errors import UsageError
from hookrt.store.sqlite.connection import Session
from hookrt.store.sqlite.failures import explain
from hookrt.store.sqlite.give_way import GiveWay
from hookrt.store.sqlite.group import apply_group
from hookrt.store.sqlite.work import Work

_Group = list[Work]


class Writer:
    """The one connection that writes, in its own thread."""

    def __init__(self, connect: Callable[[], Session], path: Path, url: str, give_way: GiveWay) -> None:
        self._give_way = give_way
        self._connect = connect
        self._path = path
        self._url = url
        self._queue: queue.SimpleQueue[_Group | None] = queue.SimpleQueue()
        self._gathered: _Group = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Open the file in the thread; raises StoreError when that fails."""
        self._loop = asyncio.get_running_loop()
        self._queue = queue.SimpleQueue()
        opened: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name="hookrt-store", daemon=True)
        self._thread.start()
        await opened

    def submit(self, work: Work) -> asyncio.Future[Any]:
        """Queue some work; the future has its result when it is on disk.

        What one turn of the event loop queues goes to the thread together, with one hand-over.
        """
        loop = self._loop
        if loop is None:
            raise UsageError("the store is not open")
        work.future = future = loop.create_future()
        gathered = self._gathered
        gathered.append(work)
        if len(gathered) == 1:
            loop.call_soon(self._hand_over)
        return future

    async def stop(self) -> None:
        """Write what is queued, then close the file."""
        thread, self._loop = self._thread, None
        if thread is None:
            return
        self._hand_over()
        self._queue.put(None)
        self._thread = None
        await asyncio.get_running_loop().run_in_executor(None, thread.join)

    def _hand_over(self) -> None:
        if self._gathered:
            self._give_way.begin(len(self._gathered))
            self._queue.put(self._gathered)
            self._gathered = []

    def _wake(self, group: _Group) -> None:
        self._give_way.end(len(group))
        for work in group:
            future = work.future
            if future is None or future.done():  # its caller was cancelled
                continue
            if work.error is None:
                future.set_result(work.result)
            else:
                future.set_exception(work.error)

    # In the thread

    def _run(self, opened: asyncio.Future[None]) -> None:
        loop = opened.get_loop()
        try:
            session = self._connect()
        except Exception as error:
            _call(loop, _settle, opened, explain(error, self._path, self._url))
            return
        _call(loop, _settle, opened, None)
        try:
            while group := self._take():
                self._write_safely(session, group)
                _call(loop, self._wake, group)
        finally:
            session.close()

    def _take(self) -> _Group | None:
        """All that is queued; None at the end."""
        group = self._queue.get()
        while group is not None and not self._queue.empty():
            more = self._queue.get()
            if more is None:
                self._queue.put(None)  # nothing is queued behind it
                break
            group += more
        return group

    def _write_safely(self, session: Session, group: _Group) -> None:
        try:
            self._write(session, group)
        except Exception as error:
            self._fail([work for work in group if work.error is None], error)

    def _write(self, session: Session, group: _Group) -> None:
        """Write all in one transaction; when that fails, each on its own, so that only what is bad fails."""
        if not self._begin(session, group):
            return
        try:
            apply_group(session, group)
            session.connection.execute("COMMIT")
        except Exception as error:
            _roll_back(session)
            if len(group) == 1:
                self._fail(group, error)
            else:
                self._write_each(session, group)

    def _write_each(self, session: Session, group: _Group) -> None:
        """Each in its own savepoint; where the whole transaction is lost, each of them in its own transaction."""
        if not self._begin(session, group):
            return
        try:
            for work in group:
                self._write_one(session, work)
            session.connection.execute("COMMIT")
        except sqlite3.Error:
            _roll_back(session)
            for work in group:
                if work.error is None:
                    self._write(session, [work])

    def _write_one(self, session: Session, work: Work) -> None:
        """One in its savepoint; raises sqlite3.Error when the transaction is gone with it."""
        connection = session.connection
        connection.execute("SAVEPOINT one")
        try:
            apply_group(session, [work])
        except Exception as error:
            if not connection.in_transaction:
                raise sqlite3.OperationalError("the transaction is lost") from error
            connection.execute("ROLLBACK TO one")
            self._fail([work], error)
        connection.execute("RELEASE one")

    def _begin(self, session: Session, group: _Group) -> bool:
        """Whether there is a transaction now; without one, the whole group has failed."""
        try:
            _roll_back(session)
            session.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._fail(group, error)
            return False
        return True

    def _fail(self, group: Sequence[Work], error: BaseException) -> None:
        for work in group:
            work.error = explain(error, self._path, self._url)


def _roll_back(session: Session) -> None:
    if session.connection.in_transaction:
        session.connection.execute("ROLLBACK")


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: Any) -> None:
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:  # the loop is closed, and nobody waits any more
        return


def _settle(opened: asyncio.Future[None], error: BaseException | None) -> None:
    if opened.done():
        return
    if error is None:
        opened.set_result(None)
    else:
        opened.set_exception(error)
