"""Sandboxed runs per second at a 1 KB event, beside the same round trip to an idle worker that echoes."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hookrt.actions.python_snippet.pool import Limits, Pool, PoolSize, Run
from hookrt.actions.python_snippet.spawn import start_child
from hookrt.actions.python_snippet.worker.wire import HEADER

SECONDS = 1.0
ROUNDS = 5
SNIPPET = """\
def run(event, ctx):
    user = event["data"]["user"]
    return {"email": user["primaryEmail"].lower(), "tags": sorted(user["tags"])[:3], "vip": user["score"] > 50}
"""
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


async def compare(script: Path) -> dict[str, Any]:
    """Rates of both, taken in turn, so that both see the same noise."""
    loop = asyncio.get_running_loop()
    child = start_child(2**28, script)
    echo = Echo()
    await loop.create_unix_connection(lambda: echo, sock=child.socket)
    await echo.answer
    body = json.dumps(make_event()).encode()
    frame = HEADER.pack(len(body)) + body
    pool = Pool(PoolSize(workers=1, spares=0, runs_per_worker=1_000_000))
    run = Run(SNIPPET, make_event(), {"hook": "bench", "step": "python", "steps": {}}, Limits(5.0, 2**28, 2**16, 2**18))
    await pool.run("bench", run)
    idle, runs = [], []
    for _ in range(ROUNDS):
        idle.append(await rate(lambda: echo.ask(frame)))
        runs.append(await rate(lambda: pool.run("bench", run)))
    await pool.close()
    echo.transport.abort()
    child.stop()
    ratio = statistics.median(mine / theirs for mine, theirs in zip(runs, idle, strict=True))
    return {"runs_per_second": statistics.median(runs), "idle_per_second": statistics.median(idle), "ratio": ratio}


def measure() -> dict[str, Any]:
    """Sandboxed runs per second, idle round trips per second, and their ratio (budget: at least 0.3)."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "echo.py"
        script.write_text(ECHO)
        return asyncio.run(compare(script))


if __name__ == "__main__":
    json.dump(measure(), sys.stdout, indent=2)
    print()
