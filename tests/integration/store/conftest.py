"""A SQLite store in a folder of the test, other processes on it, and what goes into it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hookrt.clock import SystemClock, from_us
from hookrt.model.event import Event
from hookrt.store.contract import Claim, Lease, NewDelivery, NewEvent
from hookrt.store.sqlite.store import SqliteStore

FAR_US = 2**52


class Place:
    """The file, and builders."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "hookrt.db"
        self.clock = SystemClock()
        self._children: list[subprocess.Popen[str]] = []

    def run(self, scenario: Callable[[SqliteStore], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            async with self.opened() as store:
                return await scenario(store)

        return asyncio.run(run())

    @asynccontextmanager
    async def opened(self, path: Path | None = None) -> AsyncIterator[SqliteStore]:
        store = SqliteStore(path or self.path, self.clock)
        await store.open()
        try:
            yield store
        finally:
            await store.close()

    def event(self, identity: str, *deliveries: NewDelivery, **changes: Any) -> NewEvent:
        event = Event(identity, "User.Created", "http", from_us(0), content=b'{"n": 1}')
        return NewEvent(replace(event, **changes), b"same", self.clock.now_us(), deliveries)

    def delivery(self, identity: str, **changes: Any) -> NewDelivery:
        return replace(NewDelivery(identity, "welcome", "crm", 0, FAR_US), **changes)

    def lease(self, token: int, owner: str = "me") -> Lease:
        return Lease(owner, token, FAR_US)

    def claim(self, owner: str = "me") -> Claim:
        return Claim(owner, 1, 30_000_000, free_elsewhere=100)

    def child(self, code: str, *arguments: str) -> subprocess.Popen[str]:
        """A Python process that runs this code; what it prints can be read line by line."""
        command = [sys.executable, "-c", code, str(self.path), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        self._children.append(process)
        return process

    def clear(self) -> None:
        for process in self._children:
            process.kill()
            with suppress(BrokenPipeError):  # what was not yet written to it
                process.communicate()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.clear()
