"""Endpoints that behave badly, one that does not, and the real service that sends to all of them."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

DEADLINE_S = 60.0
CHUNK = b"x" * 65536

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
UNSIZED = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n"


class Endpoints:
    """A server in a thread. The first segment of a path says how it answers: `ok`, `hang`, `drip` or `endless`."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self._never = asyncio.Event()  # kept here, since a loop holds its waiting tasks only weakly
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._answer, "127.0.0.1", 0), self._loop)
        self._server = starting.result(DEADLINE_S)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head.lower())
                await reader.readexactly(int(length[1]) if length else 0)
                path = head.split(b" ", 2)[1].decode()
                self.requests[path] += 1
                await getattr(self, "_" + path.split("/")[1])(writer)
        writer.close()

    async def _ok(self, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    async def _hang(self, writer: asyncio.StreamWriter) -> None:
        await self._never.wait()

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        writer.write(UNSIZED)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(1)

    async def _endless(self, writer: asyncio.StreamWriter) -> None:
        writer.write(UNSIZED)
        while True:
            writer.write(CHUNK)
            await writer.drain()

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(DEADLINE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Service:
    """`hookrt run` in a folder, asked over HTTP."""

    def __init__(self, folder: Path, hooks: str) -> None:
        (folder / "hooks.yaml").write_text(hooks)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOOKRT_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hookrt", "run", "--port", "0"],
            cwd=folder,
            env={**kept, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._ready.wait(DEADLINE_S), self.shown
        found = re.search(r"listens on (http://\S+)", self.shown)
        assert found, self.shown
        self.client = httpx.Client(base_url=found[1], timeout=60)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("  hooks  "):
                self._ready.set()
        self._ready.set()

    @property
    def shown(self) -> str:
        return "\n".join(self.lines)

    def emit(self, *types: str) -> list[str]:
        """The ids of the deliveries of these events."""
        answer = self.client.post("/v1/events", json=[{"type": one, "data": {}} for one in types])
        assert answer.status_code == 202, answer.text
        return [delivery for event in answer.json()["events"] for delivery in event["deliveries"]]

    def delivery(self, identity: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/v1/deliveries/{identity}").json()
        return found

    def statuses(self, deliveries: list[str]) -> list[str]:
        return [self.delivery(one)["status"] for one in deliveries]

    def count(self, **filters: str) -> int:
        """How many deliveries match, at most 1,000 pages of them."""
        total, cursor = 0, None
        while True:
            asked = {**filters, "limit": "500", **({"cursor": cursor} if cursor else {})}
            page = self.client.get("/v1/deliveries", params=asked).json()
            total += len(page["items"])
            cursor = page["next"]
            if cursor is None:
                return total

    def close(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait(DEADLINE_S)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def endpoints() -> Iterator[Endpoints]:
    made = Endpoints()
    yield made
    made.close()


@pytest.fixture
def silent() -> Iterator[Callable[[int], list[str]]]:
    """The URLs of so many endpoints that take a connection and never answer."""
    sockets: list[socket.socket] = []

    def listen(count: int) -> list[str]:
        for _ in range(count):
            sockets.append(socket.create_server(("127.0.0.1", 0), backlog=128))
        return [f"http://127.0.0.1:{one.getsockname()[1]}" for one in sockets]

    yield listen
    for one in sockets:
        one.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Mapping[str, Any]], Service]]:
    """Start `hookrt run` with this hooks.yaml, written as JSON, which is YAML."""
    import json

    started: list[Service] = []

    def run(hooks: Mapping[str, Any]) -> Service:
        started.append(Service(tmp_path, json.dumps(hooks)))
        return started[-1]

    yield run
    for service in started:
        service.close()
