"""The real command as a subprocess, the service that it is, and an endpoint for that."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, NamedTuple

import httpx
import pytest

DEADLINE_S = 60.0


class Taken(NamedTuple):
    """A webhook that came in, and the status that it was answered with."""

    path: str
    message_id: str
    body: bytes
    status: int


class Endpoint:
    """Takes webhooks. `status` is what it answers, but at the paths in `always`; `gate` is what it waits for before."""

    def __init__(self) -> None:
        self.status = 204
        self.always: dict[str, int] = {}
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Event()
        self.taken: list[Taken] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status = outer.always.get(self.path, outer.status)
                outer.taken.append(Taken(self.path, self.headers["webhook-id"], body, status))
                outer.arrived.set()
                outer.gate.wait(DEADLINE_S)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that goes away early is what some tests are about

        self.http = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


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


class Service:
    """`hookrt run ARGS...`, asked over HTTP by `client` and by commands with `env`; it can be ended and begun again."""

    def __init__(self, start: Callable[..., Running], *arguments: str, **options: Any) -> None:
        self._start = partial(start, "run", *arguments, **options)
        self._open = ExitStack()
        self.begin()

    def begin(self) -> None:
        self.close()
        self.running = self._start()
        found = re.search(r"listens on (http://\S+)", self.running.wait_for("listens on"))
        assert found
        self.running.wait_for("  hooks  ")
        self.url = found[1]
        self.env = {"HOOKRT_URL": self.url}
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=DEADLINE_S)
        self.client = self._open.enter_context(client)

    def get(self, path: str) -> Any:
        return self.client.get(path).json()

    def post(self, path: str, body: Any) -> httpx.Response:
        return self.client.post(path, json=body)

    def delivery(self, identity: str) -> Any:
        return self.get(f"/v1/deliveries/{identity}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        self.running.send(number)
        return self.running.end()

    def close(self) -> None:
        """Ask it no more."""
        self._open.close()


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


@pytest.fixture
def serve(start: Callable[..., Running]) -> Iterator[Callable[..., Service]]:
    """Start `hookrt run ARGS...` in `tmp_path` and wait until it serves."""
    made: list[Service] = []

    def run(*arguments: str, **options: Any) -> Service:
        made.append(Service(start, *arguments, **options))
        return made[-1]

    yield run
    for service in made:
        service.close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """Where webhooks go."""
    made = Endpoint()
    thread = threading.Thread(target=made.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.gate.set()
    made.http.shutdown()
    thread.join()
    made.http.server_close()
