"""A receiver that survives its senders, and processes that are killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hookrt.signing import verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DEADLINE_S = 90.0


class Server(ThreadingHTTPServer):
    """Senders are killed while they send: that is no error here."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        return


class Endpoint:
    """Counts the events that it has received, each with a verified signature."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()
        self.message_ids: dict[str, set[str]] = {}
        self.faults: list[str] = []
        self._lock = threading.Lock()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                endpoint.take(dict(self.headers.items()), body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def take(self, headers: dict[str, str], body: bytes) -> None:
        with self._lock:
            try:
                verify(headers, body, SECRET)
            except Exception as error:
                self.faults.append(repr(error))
            number = json.loads(body)["number"]
            self.received[number] += 1
            lowered = {name.lower(): value for name, value in headers.items()}
            self.message_ids.setdefault(number, set()).add(lowered["webhook-id"])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Service:
    """`hookrt run` on one port and one store, killed and started again."""

    def __init__(self, folder: Path, endpoint: Endpoint) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        (folder / "hooks.yaml").write_text(hooks_for(endpoint.url))

    def start(self) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith("HOOKRT_")}
        env["HOOKRT_SECRET_KEY"] = SECRET
        with (self.folder / "stderr.txt").open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hookrt", "run", "--port", str(self.port)],
                cwd=self.folder,
                env=env,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        self.wait_ready()

    def wait_ready(self) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "stderr.txt").read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1):
                    return
            except OSError:
                time.sleep(0.01)
        raise AssertionError("the service did not become ready")

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return json.load(answer)

    def post(self, event: dict[str, Any]) -> bool:
        """Whether the event was answered 202."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/events",
            json.dumps(event).encode(),
            {"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status == 202
        except (OSError, urllib.error.URLError):
            return False


def hooks_for(url: str) -> str:
    """A sandboxed step and a signed webhook in series."""
    return f"""
destinations:
  endpoint: {{url: "{url}", signing_secret: "${{{{ secrets.KEY }}}}"}}
hooks:
  number:
    on: Number.Counted
    steps:
      - id: double
        python: |
          def run(event, ctx):
              return event["data"]["n"] * 2
      - webhook:
          to: endpoint
          body: {{number: "${{{{ event.id }}}}", double: "${{{{ steps.double.output }}}}"}}
        retry: [100ms, 500ms, 1s, 1s, 1s, 1s]
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], what: str, seconds: float = DEADLINE_S) -> None:
    """Wait until it holds; fail naming `what` when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    try:
        yield endpoint
    finally:
        endpoint.close()


@pytest.fixture
def service(tmp_path: Path, endpoint: Endpoint) -> Iterator[Service]:
    service = Service(tmp_path, endpoint)
    try:
        yield service
    finally:
        if service.process is not None and service.process.poll() is None:
            service.kill()


class Tools:
    """What the tests of this folder use."""

    secret = SECRET
    hooks_for = staticmethod(hooks_for)
    until = staticmethod(until)


@pytest.fixture
def tools() -> Tools:
    return Tools()
