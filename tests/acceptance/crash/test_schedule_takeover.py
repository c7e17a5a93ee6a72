"""A schedule in processes that embed the runtime on one store: when the delivering one is killed, another goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("embedding_worker.py")
HOOKS = """
sources:
  beat: {schedule: {every: 1s, misfire: all, type: Beat}}
hooks:
  beating: {on: Beat, from: beat, steps: [{log: tick}]}
"""


class Pair:
    """Processes on one store; each that is killed gets a successor."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, f"sqlite:///{folder / 'app.db'}"
        (folder / "hooks.yaml").write_text(HOOKS)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.started = 0

    def start(self) -> None:
        self.started += 1
        name = f"w{self.started}"
        command = [sys.executable, str(WORKER), str(self.folder / "hooks.yaml"), self.store]
        with (self.folder / "stderr.txt").open("ab") as stderr:
            self.processes.append(subprocess.Popen([*command, name, str(self.folder / f"{name}.txt")], stderr=stderr))

    def kill_leader(self) -> bool:
        lock = self.folder / "app.db.lock"
        holder = lock.read_text().strip() if lock.exists() else ""
        for process in self.processes:
            if holder == f"process {process.pid}":
                process.kill()
                process.wait()
                self.processes.remove(process)
                return True
        return False

    def ticks(self) -> list[datetime]:
        command = [sys.executable, "-m", "hookrt", "events", "list", "--source", "beat", "-n", "500", "-o", "json"]
        env = {name: value for name, value in os.environ.items() if not name.startswith("HOOKRT_")}
        done = subprocess.run([*command, "--store", self.store], capture_output=True, text=True, env=env, timeout=60)
        if done.returncode != 0:
            return []
        return sorted(datetime.fromisoformat(one["time"]) for one in json.loads(done.stdout)["items"])

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def test_each_tick_is_one_event_whichever_process_delivers(tmp_path: Path, tools: Any) -> None:
    pair = Pair(tmp_path)
    try:
        pair.start()
        pair.start()
        for _ in range(2):
            wanted = len(pair.ticks()) + 2
            tools.until(lambda wanted=wanted: len(pair.ticks()) >= wanted, "no ticks")
            tools.until(pair.kill_leader, "nobody delivers")
            pair.start()
        wanted = len(pair.ticks()) + 2
        tools.until(lambda: len(pair.ticks()) >= wanted, "no ticks after the takeover")
        found = pair.ticks()
    finally:
        pair.end()
    assert found == [found[0] + timedelta(seconds=number) for number in range(len(found))]
