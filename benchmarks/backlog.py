"""The rate of deliveries with 1,000 and with 1,000,000 pending, and what memory that takes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.deliveries import DATA, write_hooks
from benchmarks.sink import sink
from hookrt.cli.event_loop import run_in_loop, spare_the_collector

DELIVERIES = 10_000


async def fill(hooks: Path, pending: int) -> None:
    """Store that many pending deliveries without delivering any."""
    from hookrt import Runtime
    from hookrt.model.event import EventDraft, encode_data

    content = encode_data(DATA)
    async with Runtime.from_file(hooks, deliver=False) as runtime:
        for begin in range(0, pending, 5000):
            await runtime.accept([EventDraft("A.B", content) for _ in range(min(5000, pending - begin))])


async def drain(hooks: Path, count: int) -> dict[str, float]:
    """Deliver `count` of what is pending; deliveries per second and the peak of memory in MiB."""
    from hookrt import Runtime

    async with Runtime.from_file(hooks, deliver=False) as probe:
        before = sum((await probe.store.counts()).values())
    runtime = Runtime.from_file(hooks)
    begun = time.perf_counter()
    async with runtime:
        spare_the_collector()
        goal = max(before - count, 0)
        while sum(number for status, number in (await runtime.store.counts()).items() if not status.final) > goal:
            await asyncio.sleep(0.02)
        seconds = time.perf_counter() - begun
    return {
        "per_s": min(count, before) / seconds,
        "peak_mib": peak_mib(),
    }


def peak_mib() -> float:
    """The most memory that this program has held; `ru_maxrss` would count that of the program that started it too."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _in_child(task: str, hooks: Path, count: int) -> dict[str, float]:
    """A process of its own, so that the peak of memory is that of this task."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.backlog", task, str(hooks), str(count)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def measure(pending: int = 1_000_000) -> dict[str, float]:
    """Both rates and their ratio."""
    found = {}
    with sink() as (url, _):
        for name, amount in (("few", DELIVERIES), ("many", pending)):
            with tempfile.TemporaryDirectory() as folder:
                hooks = write_hooks(Path(folder), url)
                _in_child("fill", hooks, amount)
                found[name] = _in_child("drain", hooks, DELIVERIES)
    return {
        "few_pending_per_s": found["few"]["per_s"],
        "many_pending_per_s": found["many"]["per_s"],
        "few_pending_peak_mib": found["few"]["peak_mib"],
        "many_pending_peak_mib": found["many"]["peak_mib"],
        "ratio": found["many"]["per_s"] / found["few"]["per_s"],
    }


if __name__ == "__main__":
    if len(sys.argv) == 4:
        task, hooks, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
        print(json.dumps(run_in_loop(fill(hooks, count) if task == "fill" else drain(hooks, count)) or {}))
    else:
        print(json.dumps(measure(), indent=2))
