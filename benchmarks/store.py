"""What the SQLite store alone can do: saves, recordings and claims per second, and claims under a backlog."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from hookrt.clock import SystemClock, from_us
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Status
from hookrt.model.event import Event
from hookrt.store.contract import Claim, Lease, NewDelivery, NewEvent, Recording, Store
from hookrt.store.open import open_store

IN_FLIGHT = (1, 32, 256)
CONTENT = json.dumps({"userId": "u1", "text": "x" * 500}).encode()
LEASE_US = 60_000_000
LANES = 100


def new_event(n: int, now_us: int, *, leased: bool) -> NewEvent:
    event = Event(f"evt_{n:026}", "User.Created", "http", from_us(now_us), content=CONTENT)
    lease = Lease("bench", n + 1, now_us + LEASE_US) if leased else None
    lane = f"https://host{n % LANES}.example.com"
    delivery = NewDelivery(f"dlv_{n:026}", "welcome", lane, now_us, now_us + 10**12, lease=lease)
    return NewEvent(event, b"0123456789abcdef", now_us, (delivery,))


def new_recording(n: int, now_us: int) -> Recording:
    attempt = Attempt(1, "webhook", now_us, 1_000, "done")
    lane = f"https://host{n % LANES}.example.com"
    delivery = f"dlv_{n:026}"
    return Recording(delivery, n + 1, Status.SUCCEEDED, lane, now_us, now_us, attempt, attempts=1)


async def rate(count: int, in_flight: int, one: Callable[[int], Awaitable[object]]) -> float:
    """How many calls per second `in_flight` tasks get done together."""
    numbers = iter(range(count))

    async def work() -> None:
        for n in numbers:
            await one(n)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(work())
    return count / (time.perf_counter() - begun)


async def measure_writes(url: str, in_flight: int, count: int) -> dict[str, float]:
    store = open_store(url, SystemClock())
    await store.open()
    news = [new_event(n, store.now_us(), leased=True) for n in range(count)]
    recordings = [new_recording(n, store.now_us()) for n in range(count)]
    saves = await rate(count, in_flight, lambda n: store.save(news[n]))
    records = await rate(count, in_flight, lambda n: store.record(recordings[n]))
    await store.close()
    return {f"saves_per_s_{in_flight}": saves, f"records_per_s_{in_flight}": records}


async def fill(store: Store, pending: int) -> None:
    for begin in range(0, pending, 5_000):
        now_us = store.now_us()
        last = min(begin + 5_000, pending)
        await store.save_all([new_event(n, now_us, leased=False) for n in range(begin, last)])


async def measure_claims(url: str, pending: int, claims: int = 20) -> dict[str, float]:
    """Claims of 256 over a hundred lanes; what is claimed is released, so that the backlog stays."""
    store = open_store(url, SystemClock())
    await store.open()
    await store.lead()
    await fill(store, pending)
    seconds, claimed = 0.0, 0
    for _ in range(claims):
        begun = time.perf_counter()
        got = await store.claim_due(Claim("bench", 1, LEASE_US, free_elsewhere=32, limit=256))
        seconds += time.perf_counter() - begun
        claimed += len(got)
        await store.release("bench")
    await store.close()
    return {f"claims_per_s_{pending}": claims / seconds, f"claimed_per_s_{pending}": claimed / seconds}


def measure(pending: int = 1_000_000, count: int = 20_000) -> dict[str, float]:
    """All figures, each on a store of its own."""
    found: dict[str, float] = {}
    for in_flight in IN_FLIGHT:
        found |= _in_folder(lambda url, n=in_flight: measure_writes(url, n, count if n > 1 else count // 20))
    for amount in (1_000, pending):
        found |= _in_folder(lambda url, n=amount: measure_claims(url, n))
    return found


def _in_folder(run: Callable[[str], Awaitable[dict[str, float]]]) -> dict[str, float]:
    async def call(url: str) -> dict[str, float]:
        return await run(url)

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(call(f"sqlite:///{Path(folder) / 'bench.db'}"))


if __name__ == "__main__":
    for name, value in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000).items():
        print(f"{name:28}{value:12,.0f}")
