"""One hanging endpoint among a hundred: how long the deliveries of the others take with it and without it."""

from __future__ import annotations

import asyncio
import json
import socket
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.sink import sink
from hookrt.cli.event_loop import run_in_loop, spare_the_collector

ENDPOINTS = 100
RATE = 500
SECONDS = 6


def hooks_of(urls: list[str]) -> str:
    lines = ["destinations:"]
    lines += [f"  d{n}: {{url: '{url}'}}" for n, url in enumerate(urls)]
    lines.append("hooks:")
    for n in range(len(urls)):
        lines.append(f"  h{n}: {{on: T{n}, steps: [{{webhook: {{to: d{n}}}, timeout: 30s}}]}}")
    return "\n".join(lines) + "\n"


async def p99_ms(hooks: Path) -> float:
    """The 99th percentile of emit-to-recorded, in milliseconds, of the endpoints but the first."""
    from hookrt import Runtime
    from hookrt.plugin.observer import AttemptRecorded, Observer

    begun: dict[str, float] = {}
    took: list[float] = []

    class Stopwatch(Observer):
        def attempt_recorded(self, recorded: AttemptRecorded) -> None:
            if recorded.delivery in begun:
                took.append(time.perf_counter() - begun.pop(recorded.delivery))

    runtime = Runtime.from_file(hooks, observers=[Stopwatch()])
    async with runtime:
        spare_the_collector()
        next_at = time.perf_counter()
        for number in range(RATE * SECONDS):
            next_at += 1 / RATE
            await asyncio.sleep(max(next_at - time.perf_counter(), 0))
            at = time.perf_counter()
            receipt = await runtime.emit(f"T{number % ENDPOINTS}", {"n": number})
            if number % ENDPOINTS and number >= RATE:  # the first second warms up
                begun[receipt.deliveries[0]] = at
        await asyncio.sleep(0.5)
        await runtime.stop(drain=timedelta(0))
    return statistics.quantiles(took, n=100)[98] * 1000


def measure() -> dict[str, float]:
    """Both figures and their ratio (budget: at most 1.5)."""
    found = {}
    with sink() as (url, _), socket.socket() as hung:
        hung.bind(("127.0.0.1", 0))
        hung.listen(1024)  # it accepts connections and never answers
        hanging = f"http://127.0.0.1:{hung.getsockname()[1]}"
        for name, first in (("without", url), ("with", hanging)):
            with tempfile.TemporaryDirectory() as folder:
                hooks = Path(folder) / "hooks.yaml"
                hooks.write_text(hooks_of([first] + [url] * (ENDPOINTS - 1)))
                found[name] = run_in_loop(p99_ms(hooks))
    return {"p99_ms_without": found["without"], "p99_ms_with": found["with"], "ratio": found["with"] / found["without"]}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
