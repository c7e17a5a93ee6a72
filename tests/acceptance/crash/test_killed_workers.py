"""RULES "Processes": four processes embed the runtime on one store; the delivering one is killed again and again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

WORKER = Path(__file__).with_name("embedding_worker.py")


class Workers:
    """The four, each started again when it has been killed."""

    def __init__(self, folder: Path, url: str, tools: Any) -> None:
        self.folder = folder
        (folder / "hooks.yaml").write_text(tools.hooks_for(url))
        self.secret = tools.secret
        self.names = 0
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        for _ in range(4):
            self.start()

    def start(self) -> None:
        self.names += 1
        name = f"w{self.names}"
        command = [sys.executable, str(WORKER), str(self.folder / "hooks.yaml"), f"sqlite:///{self.folder / 'app.db'}"]
        with (self.folder / "stderr.txt").open("ab") as stderr:
            self.processes[name] = subprocess.Popen(
                [*command, name, str(self.folder / f"{name}.txt")],
                env={**os.environ, "HOOKRT_SECRET_KEY": self.secret},
                stderr=stderr,
            )

    def accepted(self) -> list[str]:
        lines = [line for file in self.folder.glob("w*.txt") for line in file.read_text().splitlines()]
        return [line.split()[0] for line in lines if len(line.split()) == 2]

    def leader(self) -> str | None:
        """The name of the process that holds the lock."""
        lock = self.folder / "app.db.lock"
        holder = lock.read_text().strip() if lock.exists() else ""
        found = [name for name, process in self.processes.items() if holder == f"process {process.pid}"]
        return found[0] if found else None

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        for name in list(self.processes):
            self.kill(name)


@pytest.mark.slow
def test_four_processes_on_one_store_lose_nothing_when_the_delivering_one_is_killed(
    tmp_path: Path, endpoint: Any, tools: Any, full: bool
) -> None:
    workers = Workers(tmp_path, endpoint.url, tools)
    try:
        for _ in range(10 if full else 3):
            tools.until(lambda: workers.leader() is not None, "nobody delivers")
            wanted = len(endpoint.received) + 60
            tools.until(lambda wanted=wanted: len(endpoint.received) >= wanted, stuck(workers, endpoint))
            leader = workers.leader()
            assert leader is not None
            workers.kill(leader)
            workers.start()
        wanted = len(endpoint.received) + 60
        tools.until(lambda: len(endpoint.received) >= wanted, stuck(workers, endpoint))
        # All but the delivering one end, so that what was accepted can be counted while it delivers the rest.
        leader = workers.leader()
        for name in [name for name in workers.processes if name != leader]:
            workers.kill(name)
        accepted = workers.accepted()
        missing = lambda: [number for number in accepted if number not in endpoint.received]  # noqa: E731
        tools.until(lambda: not missing(), f"accepted, and never delivered: {missing()[:5]} of {len(accepted)}")
    finally:
        workers.end()
    assert endpoint.faults == []
    assert all(len(ids) == 1 for ids in endpoint.message_ids.values())


def stuck(workers: Workers, endpoint: Any) -> str:
    return f"deliveries stand still: {len(endpoint.received)} received, {len(workers.accepted())} accepted"
