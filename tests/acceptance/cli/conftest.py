"""The real command as a subprocess."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import pytest

DEADLINE_S = 60.0


class Running:
    """A started command: its output line by line, and its end."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.out: list[str] = []
        self.err: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._threads = [
            threading.Thread(target=self._read, args=(process.stdout, self.out), daemon=True),
            threading.Thread(target=self._read, args=(process.stderr, self.err), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, stream: IO[str], kept: list[str]) -> None:
        for line in stream:
            kept.append(line.rstrip("\n"))
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def wait_for(self, text: str) -> str:
        """The first new line, of either stream, that holds this text."""
        ended = 0
        while ended < 2:
            line = self._lines.get(timeout=DEADLINE_S)
            if line is None:
                ended += 1
            elif text in line:
                return line
        raise AssertionError(f"no line with {text!r}:\n" + "\n".join([*self.out, "-- stderr", *self.err]))

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Its exit code, all output read."""
        code = self.process.wait(timeout=DEADLINE_S)
        for thread in self._threads:
            thread.join(timeout=DEADLINE_S)
        return code

    @property
    def shown(self) -> str:
        return "\n".join([*self.out, *self.err])


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOOKRT_", "FORCE_COLOR"))}
    return {**kept, "NO_COLOR": "1", **extra}


@pytest.fixture
def hookrt(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `hookrt ARGS...` to its end in `tmp_path`."""

    def run(*arguments: str, env: Mapping[str, str] | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hookrt", *arguments],
            cwd=tmp_path,
            env=_environment(env or {}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    return run


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start `hookrt ARGS...` in `tmp_path`; what still runs at the end of the test is killed.

    `within` is a command that runs it elsewhere.
    """
    started: list[Running] = []

    def run(*arguments: str, env: Mapping[str, str] | None = None, within: Sequence[str] = ()) -> Running:
        process = subprocess.Popen(
            [*within, sys.executable, "-m", "hookrt", *arguments],
            cwd=tmp_path,
            env=_environment(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(Running(process))
        return started[-1]

    yield run
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
        running.end()
        for stream in (running.process.stdout, running.process.stderr):
            assert stream is not None
            stream.close()
