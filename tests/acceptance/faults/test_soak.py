"""A long run at 300 events/s: memory flat, no descriptor left open, the store's size explained.

With `--full` it takes 30 minutes; else some seconds, which show the same figures but judge only what so short a run
can show.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import Any

RATE = 300
FULL_S, SHORT_S = 30 * 60, 6
WARM_UP = 1 / 3
"""The share of the run in which caches fill; the slope is judged behind it."""

MOST_GROWTH = 256 * 1024
"""Bytes a minute that the memory may grow in a full run: what a day of it adds still fits any machine."""


class Watch:
    """Memory and descriptors of a process over time."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        self.begun = time.monotonic()
        self.memory: list[tuple[float, int]] = []
        self.descriptors: list[int] = []

    def look(self) -> None:
        pages = int((self._folder / "statm").read_text().split()[1])
        self.memory.append((time.monotonic() - self.begun, pages * os.sysconf("SC_PAGE_SIZE")))
        self.descriptors.append(len(list((self._folder / "fd").iterdir())))

    def slope(self) -> float:
        """Bytes a minute after the warm-up."""
        behind = self.memory[int(len(self.memory) * WARM_UP) :]
        found = statistics.linear_regression([at for at, _ in behind], [size for _, size in behind])
        return found.slope * 60


def test_a_long_run_keeps_its_memory_and_its_descriptors(
    serve: Any, endpoints: Any, until: Any, full: bool, tmp_path: Path, capsys: Any
) -> None:
    seconds = FULL_S if full else SHORT_S
    step = {"webhook": f"{endpoints.url}/ok"}
    service = serve({"hooks": {"send": {"on": "User.Created", "steps": [step]}}})
    watch = Watch(service.process.pid)
    sent = 0
    while (elapsed := time.monotonic() - watch.begun) < seconds:
        if sent < elapsed * RATE:
            service.emit(*["User.Created"] * (RATE // 10))
            sent += RATE // 10
        else:
            time.sleep(0.01)
        if len(watch.memory) <= elapsed:
            watch.look()
    until(lambda: endpoints.requests["/ok"] == sent)
    watch.look()
    store = sum(file.stat().st_size for file in (tmp_path / ".hookrt").glob("hookrt.db*"))
    with capsys.disabled():
        print(
            f"\n{sent} events in {seconds} s: memory {watch.memory[-1][1] / 2**20:.1f} MiB, "
            f"{watch.slope() / 2**10:+.1f} KiB/min; {watch.descriptors[-1]} descriptors; "
            f"store {store / 2**20:.1f} MiB, {store / sent:.0f} bytes an event with its delivery and attempt"
        )
    warm = watch.descriptors[int(len(watch.descriptors) * WARM_UP) :]
    assert max(warm) <= min(warm) + 64  # connections to the endpoint come and go, 32 at once
    if full:
        assert watch.slope() < MOST_GROWTH
