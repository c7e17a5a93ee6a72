"""The store with a disk that may be slow, full or broken. What is committed survives every crash."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine
from operator import attrgetter
from typing import Any

from hookrt.clock import Clock
from hookrt.errors import StoreError, StoreFull
from hookrt.store.memory.memory import Memory
from hookrt.store.memory.store import MemoryStore
from simulation.network import WORLD

READS = frozenset(
    {
        "next_due_us",
        "counts",
        "delivery",
        "event",
        "events",
        "deliveries",
        "attempts",
        "hook_stats",
        "get",
        "hook_states.changed",
    }
)
"""Methods that change nothing: a full disk does not matter to them."""

_AT_ONCE = frozenset({"open", "close", "leader"})

Commits = Callable[[str, tuple[Any, ...], Callable[[], Any]], Any]
"""Told of every operation at the moment of its commit: does it, and returns or raises what it did."""


class Disk:
    """What ails the disk, for all processes alike. `errors` and `lost` are shares of the operations."""

    def __init__(self, loop: asyncio.AbstractEventLoop, chance: random.Random, memory: Memory) -> None:
        self.loop = loop
        self.memory = memory
        self._chance = chance
        self.full = False
        self.slow_s = 0.0
        self.errors = 0.0
        self.lost = 0.0

    def latency(self) -> float:
        """How long half of an operation takes."""
        usual = self._chance.choice((0.0, 0.0, 0.002, 0.01))
        return usual + self._chance.random() * self.slow_s if self.slow_s else usual

    def refusal(self, name: str) -> StoreError | None:
        """Why this operation fails before it has any effect."""
        if self.full and name not in READS:
            return StoreFull("simulated: no space left")
        if self.errors and self._chance.random() < self.errors:
            return StoreError("simulated: an error of the disk")
        return None

    def loses(self, name: str) -> bool:
        """Whether an answer is lost although the operation was done."""
        return bool(self.lost) and name not in READS and self._chance.random() < self.lost

    def lateness(self) -> float:
        """How much later that is; another process may have taken over by then."""
        return self._chance.choice((0.0, 0.01, self._chance.random() * 5))

    def survives(self) -> bool:
        """Whether an operation of a process that just crashed is done all the same."""
        return self._chance.random() < 0.5


class Operation:
    """One call of the store, on its way to the disk and back."""

    def __init__(self, store: SimulatedStore, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        self._store = store
        self._name = name
        self._arguments = arguments
        self._named = named
        self.answer: asyncio.Future[Any] = store.disk.loop.create_future()
        self._later(store.commit_next)

    def commit(self) -> None:
        """Take effect, or fail."""
        disk = self._store.disk
        result: Any = disk.refusal(self._name)
        failed = result is not None
        if not failed:
            try:
                result = self._store.commits(self._name, self._arguments, self._perform)
            except Exception as error:
                result, failed = error, True
        if not failed and disk.loses(self._name):
            result, failed = StoreError("simulated: the answer is lost"), True
        self._later(self._settle, result, failed)

    def _perform(self) -> Any:
        method = attrgetter(self._name)(self._store.inner)
        return run_at_once(method(*self._arguments, **self._named))

    def _settle(self, result: Any, failed: bool) -> None:
        if self.answer.done():
            return
        if failed:
            self.answer.set_exception(result)
        else:
            self.answer.set_result(result)

    def _later(self, what: Callable[..., None], *arguments: Any) -> None:
        disk = self._store.disk
        disk.loop.call_later(disk.latency(), what, *arguments, context=WORLD)


class SimulatedStore:
    """One process's store on the shared memory. Each call takes time before and after its commit; they commit in the
    order in which they were made, as those of the one writer of a file do.
    """

    url = "simulated:"
    meeting_point = None

    def __init__(self, disk: Disk, clock: Clock, commits: Commits) -> None:
        self.disk = disk
        self.inner = MemoryStore(clock, disk.memory)
        self.commits = commits
        self._under_way: deque[Operation] = deque()
        self.now_us = self.inner.now_us

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name not in _AT_ONCE:
            if asyncio.iscoroutinefunction(found):
                found = self.slow(name)
            elif not callable(found):
                found = Part(self, name, found)
            setattr(self, name, found)
        return found

    def slow(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        """This method, by way of the disk."""

        async def call(*arguments: Any, **named: Any) -> Any:
            operation = Operation(self, name, arguments, named)
            self._under_way.append(operation)
            return await operation.answer

        return call

    async def lead(self) -> bool:
        """Take the lock, which goes with its process, unlike what is on its way to the disk."""
        refusal = self.disk.refusal("lead")
        if refusal is not None:
            raise refusal
        return await self.inner.lead()

    def commit_next(self) -> None:
        """Something reaches the disk, unless the process crashed first."""
        if self._under_way:
            self._under_way.popleft().commit()

    def crash(self) -> None:
        """The process is gone: its lock is free, and what was under way is done later or never."""
        if self.disk.memory.leader is self.inner:
            self.disk.memory.leader = None
        late = [operation for operation in self._under_way if self.disk.survives()]
        self._under_way.clear()
        self.disk.loop.call_later(self.disk.lateness(), commit_all, late, context=WORLD)


def commit_all(late: list[Operation]) -> None:
    """What a dead process had sent reaches the disk."""
    for operation in late:
        operation.commit()


class Part:
    """Some of a store's methods, which it keeps under a name of their own."""

    def __init__(self, store: SimulatedStore, name: str, inner: Any) -> None:
        self._store = store
        self._name = name
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._store.slow(f"{self._name}.{name}") if asyncio.iscoroutinefunction(found) else found


def run_at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the memory store waited for something")
