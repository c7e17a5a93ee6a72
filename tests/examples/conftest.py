"""Examples as real processes, each on a free port, with its store in a folder of the test."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60.0


class Started:
    """An example that serves, and what it has printed so far."""

    def __init__(self, folder: Path, command: list[str], port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._written = folder / "output.txt"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOOKRT_")}
        with self._written.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env={**kept, "ORDERS_STORE": f"sqlite:///{folder / 'orders.db'}"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        return self._written.read_text()

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + DEADLINE_S
        while not (found := condition()):
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, f"{what}\n{self.output}"
            time.sleep(0.02)
        return found

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        request = urllib.request.Request(self.url + path, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def answers(self) -> bool:
        try:
            self.ask("GET", "/")
        except OSError:
            return False
        return True

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Start an example: `serve("uvicorn", "--app-dir", ...)`, with `{port}` where its port belongs."""
    running: list[Started] = []

    def start(*command: str) -> Started:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        one = Started(tmp_path, [word.format(port=port) for word in command], port)
        running.append(one)
        one.until(one.answers, "it does not answer")
        return one

    yield start
    for one in running:
        one.end()
