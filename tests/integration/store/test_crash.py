"""Promise 1: what was acknowledged survives SIGKILL."""

import pytest

from hookrt.model.delivery import Status

WRITER = """
import asyncio, sys
from pathlib import Path
from hookrt.clock import SystemClock, from_us
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Status
from hookrt.model.event import Event
from hookrt.store.contract import Lease, NewDelivery, NewEvent, Recording
from hookrt.store.sqlite.store import SqliteStore

FAR = 2**52

async def one(store, n):
    event = Event(f"e{n}", "A.B", "http", from_us(0), content=b"x" * (n % 5000))
    lease = Lease("writer", n + 1, FAR)
    await store.save(NewEvent(event, b"d", 0, (NewDelivery(f"d{n}", "h", "l", 0, FAR, lease=lease),)))
    print("saved", n, flush=True)
    attempt = Attempt(1, "webhook", 0, 1, "done")
    await store.record(Recording(f"d{n}", n + 1, Status.SUCCEEDED, "l", 0, 1, attempt, attempts=1))
    print("recorded", n, flush=True)

async def main():
    store = SqliteStore(Path(sys.argv[1]), SystemClock())
    await store.open()
    first = int(sys.argv[2])
    for n in range(first, first + 10**6, 20):
        await asyncio.gather(*(one(store, k) for k in range(n, n + 20)))

asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [1, 57, 400])
def test_what_was_acknowledged_is_there_after_a_kill(place, lines) -> None:
    acknowledged: dict[str, set[int]] = {"saved": set(), "recorded": set()}
    for round_ in range(2):
        process = place.child(WRITER, str(round_ * 10**7))
        read = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        for line in [*read, *process.stdout.read().splitlines(keepends=True)]:
            if line.endswith("\n"):  # the last may be cut
                what, n = line.split()
                acknowledged[what].add(int(n))
        process.wait()
    assert len(acknowledged["saved"]) >= lines // 2

    async def look(store) -> None:
        for n in acknowledged["saved"]:
            stored = await store.event("http", f"e{n}")
            assert len(stored.event.content) == n % 5000
            [delivery] = stored.deliveries
            assert delivery.status in {Status.RUNNING, Status.SUCCEEDED}
            if n in acknowledged["recorded"]:
                assert delivery.status is Status.SUCCEEDED
                assert [one.number for one in await store.attempts(delivery.id)] == [1]
        counts = await store.counts()
        assert counts[Status.SUCCEEDED] >= len(acknowledged["recorded"])
        assert counts[Status.SUCCEEDED] + counts[Status.RUNNING] >= len(acknowledged["saved"])
        assert await store.lead()
        counts = await store.counts()
        assert counts[Status.RUNNING] == 0

    place.run(look)


def test_a_damaged_end_of_the_log_costs_only_what_was_not_acknowledged(place) -> None:
    process = place.child(WRITER, "0")
    saved = [line.split()[1] for line in (process.stdout.readline() for _ in range(100)) if line.startswith("saved")]
    process.kill()
    saved += [line.split()[1] for line in process.stdout.read().splitlines() if line.startswith("saved ")]
    process.wait()
    log = place.path.with_name(place.path.name + "-wal")
    with log.open("ab") as file:
        file.write(b"half a frame")

    async def look(store) -> None:
        for n in saved[:-1]:
            assert await store.event("http", f"e{n}") is not None

    place.run(look)
