"""Durable, signed deliveries per second, one process, beside a bare aiohttp loop that posts to the same sink."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

from benchmarks.sink import sink
from hookrt.cli.event_loop import run_in_loop, spare_the_collector

EVENTS = 10_000
IN_FLIGHT = 64
DATA = {"user": {"id": 7, "name": "Ada Lovelace", "email": "ada@example.com"}, "note": "x" * 800}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def post_with_aiohttp(url: str, count: int) -> float:
    """Posts per second of workers that do nothing but post."""
    import aiohttp

    body = json.dumps({"type": "A.B", "timestamp": "2026-01-01T00:00:00Z", "data": DATA}).encode()
    left = iter(range(count))

    async def post(session: aiohttp.ClientSession) -> None:
        for _ in left:
            async with session.post(url, data=body, headers={"content-type": "application/json"}) as response:
                await response.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:
        begun = time.perf_counter()
        await asyncio.gather(*(post(session) for _ in range(IN_FLIGHT)))
        return count / (time.perf_counter() - begun)


def write_hooks(folder: Path, url: str) -> Path:
    file = folder / "hooks.yaml"
    file.write_text(
        f"destinations:\n  sink: {{url: {url}, signing_secret: {SECRET}, concurrency: {IN_FLIGHT}}}\n"
        "hooks:\n  send:\n    on: A.B\n    steps:\n      - webhook: {to: sink, path: /hook}\n"
    )
    return file


async def deliver_with_hookrt(hooks: Path, count: int) -> float:
    """Deliveries per second, from the first emit to the last one recorded as succeeded."""
    from hookrt import Runtime

    left = iter(range(count))
    async with Runtime.from_file(hooks) as runtime:
        spare_the_collector()

        async def emit() -> None:
            for _ in left:
                await runtime.emit("A.B", DATA)

        begun = time.perf_counter()
        await asyncio.gather(*(emit() for _ in range(IN_FLIGHT)))
        while sum(number for status, number in (await runtime.store.counts()).items() if not status.final):
            await asyncio.sleep(0.01)
        return count / (time.perf_counter() - begun)


def measure(events: int = EVENTS, rounds: int = 3) -> dict[str, float]:
    """The best of some rounds of each, in turns."""
    bare, durable = [], []
    with sink() as (url, count):
        for _ in range(rounds):
            bare.append(run_in_loop(post_with_aiohttp(url, events)))
            before = count.value
            with tempfile.TemporaryDirectory() as folder:
                durable.append(run_in_loop(deliver_with_hookrt(write_hooks(Path(folder), url), events)))
            if count.value - before != events:
                raise RuntimeError(f"the sink got {count.value - before} of {events} deliveries")
    return {"aiohttp_per_s": max(bare), "hookrt_per_s": max(durable), "ratio": max(durable) / max(bare)}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
