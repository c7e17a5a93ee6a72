"""Durable ingest over HTTP, single posts, beside the same server and route that answers 202 and does nothing.

Both run in a process of their own, on the same event loop, HTTP parser and settings. The idle route reads the body, as
any must, and answers as many bytes. The real one is what `hookrt run` serves, on a fresh SQLite file; its events match
no hook, so that nothing but taking them in is measured. There are many connections, since a commit costs the same wait
for the disk however many posts share it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hookrt.cli.event_loop import run_in_loop

CONNECTIONS = 256
ROUNDS = 3
WARM_UP_S, MEASURED_S = 0.5, 1.5
DATA = {"user": {"id": "u1", "name": "Ada Lovelace", "email": "ada@example.com", "tags": [1, 2]}, "note": "x" * 800}
BODY = json.dumps({"type": "User.Created", "data": DATA}).encode()
ROOT = Path(__file__).parent.parent
IDLE_ANSWER = b'{"id":"evt_01jd3v5x0e4m8q2s7t9w1y3z5b","deliveries":[],"duplicate":false}'
IDLE_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(IDLE_ANSWER))]


async def answer_idly(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 202, "headers": IDLE_HEADERS})
    await send({"type": "http.response.body", "body": IDLE_ANSWER})


async def serve_idly() -> None:
    from hookrt.web.server import WebServer

    server = WebServer(answer_idly, port=0)
    await server.start()
    await announce_and_wait(server.port)
    await server.stop()


async def serve_hookrt(folder: str) -> None:
    from hookrt.cli.service import serving
    from hookrt.config.service import ServiceSettings
    from hookrt.observability.metrics import Metrics
    from hookrt.runtime import Runtime

    hooks = Path(folder, "hooks.yaml")
    hooks.write_text("hooks:\n  other:\n    on: Order.Paid\n    steps:\n      - log: paid\n")
    metrics = Metrics()
    runtime = Runtime.from_file(hooks, observers=[metrics])
    async with serving(runtime, ServiceSettings(port=0), metrics) as service:
        await announce_and_wait(service.server.port)


async def announce_and_wait(port: int) -> None:
    """Tell the port, and serve until standard input ends."""
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@contextlib.contextmanager
def started(*arguments: str) -> Iterator[int]:
    """A server in a process of its own; its port."""
    command = [sys.executable, "-m", "benchmarks.ingest", "serve", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdin
    assert process.stdout
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


def post(port: int) -> float:
    """Posts per second that one client process gets answered."""
    numbers = [str(number) for number in (port, CONNECTIONS, WARM_UP_S, MEASURED_S)]
    command = [sys.executable, str(ROOT / "benchmarks" / "ingest_client.py"), *numbers]
    return float(subprocess.run(command, input=BODY, stdout=subprocess.PIPE, check=True).stdout)


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """The median of some rounds of each, in turns, and their ratio (budget: at least 0.6)."""
    idle, durable = [], []
    with tempfile.TemporaryDirectory() as folder, started("idle") as idle_port, started("hookrt", folder) as port:
        for _ in range(rounds):
            idle.append(post(idle_port))
            durable.append(post(port))
    found = {"idle_per_s": statistics.median(idle), "hookrt_per_s": statistics.median(durable)}
    return {**found, "ratio": found["hookrt_per_s"] / found["idle_per_s"]}


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        run_in_loop(serve_idly() if sys.argv[2] == "idle" else serve_hookrt(sys.argv[3]))
    else:
        json.dump(measure(), sys.stdout, indent=2)
        print()
