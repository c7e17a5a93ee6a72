"""Reading: a few threads, each with a connection that can only read, so that no query holds up the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from hookrt.errors import UsageError
from hookrt.store.sqlite.connection import Session
from hookrt.store.sqlite.failures import explain
from hookrt.store.sqlite.give_way import GiveWay

_THREADS = 3

T = TypeVar("T")


class Readers:
    """The connections that read."""

    def __init__(self, connect: Callable[[], Session], path: Path, url: str, give_way: GiveWay) -> None:
        self._give_way = give_way
        self._connect = connect
        self._path = path
        self._url = url
        self._own = threading.local()
        self._sessions: list[Session] = []
        self._pool: ThreadPoolExecutor | None = ThreadPoolExecutor(_THREADS, thread_name_prefix="hookrt-store-read")

    async def run(self, function: Callable[[Session], T]) -> T:
        """What the function reads; raises StoreError."""
        if self._pool is None:
            raise UsageError("the store is closed")
        self._give_way.begin()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, function)
        finally:
            self._give_way.end()

    async def close(self) -> None:
        """Finish what is under way, then close the connections."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        await asyncio.get_running_loop().run_in_executor(None, pool.shutdown)
        for session in self._sessions:
            session.close()

    def _read(self, function: Callable[[Session], T]) -> T:
        try:
            session = self._session()
            session.connection.execute("BEGIN")  # so that several queries of one function see one state
            try:
                return function(session)
            finally:
                session.connection.execute("ROLLBACK")
        except Exception as error:
            raise explain(error, self._path, self._url) from None

    def _session(self) -> Session:
        session: Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = self._connect()
            self._sessions.append(session)
        return session
