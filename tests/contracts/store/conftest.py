"""Every store, and what the tests of their contract build with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hookrt.clock import from_us
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Status
from hookrt.model.event import Event
from hookrt.store.contract import Claim, Claimed, Lease, NewDelivery, NewEvent, Recording, Store
from hookrt.store.memory.memory import Memory
from hookrt.store.memory.store import MemoryStore
from hookrt.store.sqlite.store import SqliteStore

START_US = 1_700_000_000_000_000
FAR_US = START_US + 10**12
LEASE_US = 30_000_000


class SetClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.us = START_US

    def now_us(self) -> int:
        return self.us

    def monotonic(self) -> float:
        return self.us / 1e6

    async def sleep(self, seconds: float) -> None:
        self.us += round(seconds * 1e6)


class Place:
    """One set of data that any number of stores open, and builders of what goes into them."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.clock = SetClock()
        self._path = folder / "hookrt.db"
        self._memory = Memory()
        self._tokens = iter(range(1000, 10**9))

    def run(self, scenario: Callable[[Any], Awaitable[None]]) -> None:
        async def run() -> None:
            async with self.opened() as store:
                await scenario(store)

        asyncio.run(run())

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Store]:
        store: Any = self.make()
        await store.open()
        try:
            yield store
        finally:
            await store.close()

    def make(self) -> Any:
        if self.kind == "memory":
            return MemoryStore(self.clock, self._memory)
        return SqliteStore(self._path, self.clock)

    # What goes in

    def lease(self, owner: str = "me", seconds: float = 30) -> Lease:
        return Lease(owner, next(self._tokens), self.clock.us + round(seconds * 1e6))

    def delivery(self, identity: str, **changes: Any) -> NewDelivery:
        made = NewDelivery(identity, "welcome", "crm", self.clock.us, FAR_US)
        return replace(made, **changes)

    def event(self, identity: str = "e1", *deliveries: NewDelivery | str, **changes: Any) -> NewEvent:
        """A new event; a delivery may be given by its id. What is in `changes` belongs to the event, or `digest`."""
        digest = changes.pop("digest", b"same")
        event = Event(identity, "User.Created", "http", from_us(START_US), content=b'{"n": 1}')
        made = [self.delivery(one) if isinstance(one, str) else one for one in deliveries]
        return NewEvent(replace(event, **changes), digest, self.clock.us, tuple(made))

    def attempt(self, number: int = 1, outcome: str = "done", **changes: Any) -> Attempt:
        return replace(Attempt(number, "webhook", self.clock.us, 1500, outcome), **changes)

    def recording(self, delivery: str, token: int, status: Status = Status.SUCCEEDED, **changes: Any) -> Recording:
        return replace(Recording(delivery, token, status, "crm", self.clock.us, self.clock.us), **changes)

    # What is asked often

    def claim(self, owner: str = "me", room: int = 100, **changes: Any) -> Claim:
        made = Claim(owner, next(self._tokens) * 1000, LEASE_US, free_elsewhere=room)
        return replace(made, **changes)

    @staticmethod
    def ids(claimed: Sequence[Claimed]) -> list[str]:
        return [one.delivery.id for one in claimed]


@pytest.fixture(params=["sqlite", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(request.param, tmp_path)
