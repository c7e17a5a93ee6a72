"""Sandboxed runs per second at a 1 KB event, beside the same round trip to an idle worker that echoes.

One at a time, as the budget has it; then with several in flight, in one worker and in one for each core; long runs,
which show the cores; and with a process for each run.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hookrt.actions.python_snippet.pool import Limits, Pool, PoolSize, Run
from hookrt.actions.python_snippet.spawn import start_child
from hookrt.actions.python_snippet.worker.wire import HEADER

SECONDS = 0.5
ROUNDS = 5
SNIPPET = """\
def run(event, ctx):
    user = event["data"]["user"]
    return {"email": user["primaryEmail"].lower(), "tags": sorted(user["tags"])[:3], "vip": user["score"] > 50}
"""
BUSY = """\
def run(event, ctx):
    return sum(n * n for n in range(100_000))
"""
IN_FLIGHT = 32
ECHO = """\
import os, sys
fd = int(sys.argv[1])
os.write(fd, b"\\0\\0\\0\\2{}")
while head := os.read(fd, 4):
    os.write(fd, head + os.read(fd, int.from_bytes(head, "big")))
"""


def make_event(size: int = 1024) -> dict[str, Any]:
    """An event of about `size` bytes as JSON."""
    user = {"primaryEmail": "Ada@Example.com", "tags": ["b", "a", "c", "d"], "score": 77, "note": ""}
    event = {"id": "evt_1", "type": "PostRegister", "source": "bench", "subject": None, "data": {"user": user}}
    user["note"] = "x" * (size - len(json.dumps(event)))
    return event


class Echo(asyncio.Protocol):
    """The service's end of an echoing worker: one frame out, one frame back."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.buffer = bytearray()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) >= HEADER.size and len(self.buffer) == HEADER.size + HEADER.unpack_from(self.buffer)[0]:
            self.answer.set_result(bytes(self.buffer))
            self.buffer.clear()

    async def ask(self, frame: bytes) -> bytes:
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(frame)
        return await self.answer


async def rate(once: Callable[[], Awaitable[Any]]) -> float:
    """How often per second `once` completes, one after the other."""
    count, end = 0, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        await once()
        count += 1
    return count / SECONDS


async def rate_of_many(once: Callable[[], Awaitable[Any]], at_once: int) -> float:
    """How often per second `once` completes when so many are always under way."""
    end = time.perf_counter() + SECONDS
    count = 0

    async def keep_going() -> None:
        nonlocal count
        while time.perf_counter() < end:
            await once()
            count += 1

    await asyncio.gather(*(keep_going() for _ in range(at_once)))
    return count / SECONDS


@asynccontextmanager
async def open_pool(
    workers: int, snippet: str = SNIPPET, *, fresh: bool = False
) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """A way to run the snippet once, in a pool of its own whose workers are warm."""
    pool = Pool(PoolSize(workers=workers, spares=0, runs_per_worker=1_000_000))
    context = {"hook": "bench", "step": "python", "steps": {}}
    run = Run(snippet, make_event(), context, Limits(5.0, 2**28, 2**16, 2**18), fresh=fresh)

    async def once() -> Any:
        return await pool.run("bench", run)

    try:
        await once()
        end = time.perf_counter() + 10
        while len(pool.pids("bench")) < workers and time.perf_counter() < end:
            await asyncio.gather(*(once() for _ in range(64)))
        yield once
    finally:
        await pool.close()


@asynccontextmanager
async def open_echo(script: Path) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """A way to send the same event to an idle worker and get it back."""
    child = start_child(2**28, script)
    echo = Echo()
    await asyncio.get_running_loop().create_unix_connection(lambda: echo, sock=child.socket)
    await echo.answer
    body = json.dumps(make_event()).encode()
    frame = HEADER.pack(len(body)) + body
    try:
        yield lambda: echo.ask(frame)
    finally:
        echo.transport.abort()
        child.stop()


async def compare(script: Path) -> dict[str, Any]:
    """Rates of all, taken in turn, so that all see the same noise."""
    cores = os.cpu_count() or 1
    found: dict[str, list[float]] = defaultdict(list)
    async with (
        open_echo(script) as echo,
        open_pool(1) as one,
        open_pool(cores) as several,
        open_pool(1, BUSY) as busy_one,
        open_pool(cores, BUSY) as busy_several,
        open_pool(1, fresh=True) as fresh,
    ):
        for _ in range(ROUNDS):
            found["idle_per_second"].append(await rate(echo))
            found["runs_per_second"].append(await rate(one))
            found["in_flight_per_second"].append(await rate_of_many(one, IN_FLIGHT))
            found["several_workers_per_second"].append(await rate_of_many(several, IN_FLIGHT))
            found["busy_per_second"].append(await rate_of_many(busy_one, cores))
            found["busy_several_workers_per_second"].append(await rate_of_many(busy_several, cores))
            found["fresh_per_second"].append(await rate(fresh))
    idle = found["idle_per_second"]

    def beside_idle(name: str) -> float:
        return statistics.median(mine / theirs for mine, theirs in zip(found[name], idle, strict=True))

    return {
        **{name: statistics.median(rates) for name, rates in found.items()},
        "workers": cores,
        "in_flight": IN_FLIGHT,
        "ratio": beside_idle("runs_per_second"),
        "ratio_in_flight": beside_idle("in_flight_per_second"),
        "ratio_several_workers": beside_idle("several_workers_per_second"),
    }


def measure() -> dict[str, Any]:
    """Sandboxed runs per second of each kind, idle round trips per second, and ratios (budget: at least 0.3)."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "echo.py"
        script.write_text(ECHO)
        return asyncio.run(compare(script))


if __name__ == "__main__":
    json.dump(measure(), sys.stdout, indent=2)
    print()
