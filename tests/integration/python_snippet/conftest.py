"""Pools of real workers, and boot scripts for workers that are not what they should be."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from hookrt import Event, Runtime
from hookrt.actions.python_snippet.pool import Limits, Pool, PoolSize, Run
from hookrt.actions.python_snippet.spawn import BOOT, start_child
from hookrt.actions.python_snippet.worker.wire import HEADER, decode_ready
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery
from hookrt.store.contract import EventQuery
from sandbox_corpus.judge import LIMITS, Given, run_once
from sandbox_corpus.workers import write_raw_boot

EVENT = {"id": "evt_1", "type": "order.created", "source": "test", "data": {"n": 1, "names": ["b", "a"]}}

FAKE_BOOT = """\
import json, os, signal, struct, sys, time
fd = int(sys.argv[1])
def send(body):
    os.write(fd, struct.pack(">I", len(body)) + body)
send(b'{{"isolation": "core"}}')
size = struct.unpack(">I", os.read(fd, 4))[0]
body = b""
while len(body) < size:
    body += os.read(fd, size - len(body))
id = json.loads(body)["id"]
done = json.dumps({{"id": id, "kind": "done", "result": "honest"}}).encode()
{behaviour}
time.sleep(60)
"""


@dataclass
class Bench:
    """A pool, and a short way to run something in it."""

    pool: Pool
    limits: Limits = LIMITS

    async def run(self, code: str, hook: str = "hook", event: Any = None, **context: Any) -> Given:
        timeout, fresh = context.pop("timeout", self.limits.timeout), context.pop("fresh", False)
        limits = replace(self.limits, timeout=timeout)
        run = Run(code, EVENT if event is None else event, context, limits, fresh=fresh)
        return await run_once(self.pool, hook, run)


OpenBench = Callable[..., AbstractAsyncContextManager[Bench]]


@pytest.fixture
def open_bench() -> OpenBench:
    """`async with open_bench(workers=2, boot=...) as bench:`."""

    @asynccontextmanager
    async def opened(boot: Path = BOOT, **size: int) -> AsyncIterator[Bench]:
        pool = Pool(PoolSize(**{"workers": 4, "spares": 0, **size}), boot)
        try:
            yield Bench(pool)
        finally:
            await pool.close()

    return opened


@pytest.fixture
def raw_boot(tmp_path: Path) -> Path:
    """A worker without the language policy, behind all walls."""
    return write_raw_boot(tmp_path)


@pytest.fixture
def standing_walls() -> Callable[..., set[str]]:
    """The walls that a worker, started with these options, says stand around it on this system."""

    def ask(*options: str) -> set[str]:
        child = start_child(LIMITS.memory, BOOT, *options)
        try:
            (length,) = HEADER.unpack(child.socket.recv(HEADER.size))
            return set(decode_ready(child.socket.recv(length)).walls)
        finally:
            child.stop()

    return ask


@pytest.fixture
def fake_boot(tmp_path: Path) -> Callable[[str], Path]:
    """A worker that greets, reads one request, and then misbehaves as told."""

    def written(behaviour: str) -> Path:
        script = tmp_path / "fake_boot.py"
        script.write_text(FAKE_BOOT.format(behaviour=behaviour))
        return script

    return written


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Wait until something holds, ten seconds at most."""

    async def wait(holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < end, "it did not happen within ten seconds"
            await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def is_alive() -> Callable[[int], bool]:
    """Whether a process runs; a zombie does not."""

    def alive(pid: int) -> bool:
        try:
            os.kill(pid, 0)
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (ProcessLookupError, FileNotFoundError):
            return False

    return alive


@dataclass
class Service:
    """A running service with one hooks.yaml, and what becomes of an event in it."""

    runtime: Runtime

    async def emit(self, data: Any = None, type: str = "A") -> tuple[Delivery, list[Attempt]]:
        """Emit an event that one hook is for, and wait for its end."""
        receipt = await self.runtime.emit(type, data)
        [delivery] = await receipt.wait(timeout=30)
        return delivery, list(await self.runtime.store.attempts(delivery.id))

    async def events(self, type: str) -> list[Event]:
        """The stored events of a type, oldest first."""
        page = await self.runtime.store.events(EventQuery(type=type, limit=100))
        return [stored.event for stored in page.items][::-1]


@pytest.fixture
def open_service(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Service]]:
    """`async with open_service(code, allow="{state: true}") as service:`; the one hook `one` is for events A."""

    @asynccontextmanager
    async def opened(code: str, allow: str = "{}", more: str = "", **env: str) -> AsyncIterator[Service]:
        body = "".join(f"            {line}\n" for line in code.splitlines())
        step = f"      - python:\n          allow: {allow}\n          code: |\n{body}"
        written = f"hooks:\n  one:\n    on: A\n    steps:\n{step}{more}"
        (tmp_path / "hooks.yaml").write_text(written)
        provided = {f"HOOKRT_SECRET_{name}": value for name, value in env.items()}
        runtime = Runtime.from_file(tmp_path / "hooks.yaml", store=f"sqlite:///{tmp_path}/hookrt.db", env=provided)
        async with runtime:
            yield Service(runtime)

    return opened
