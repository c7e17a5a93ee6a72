"""Pools of real workers, and boot scripts for workers that are not what they should be."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hookrt.actions.python_snippet.pool import Limits, Pool, PoolSize, Run
from hookrt.actions.python_snippet.process import WorkerFault
from hookrt.actions.python_snippet.spawn import BOOT

EVENT = {"id": "evt_1", "type": "order.created", "source": "test", "data": {"n": 1, "names": ["b", "a"]}}

LIMITS = Limits(timeout=1.0, memory=256 * 2**20, output=64 * 2**10, result=256 * 2**10)

RAW_BOOT = """\
import sys
sys.path.insert(0, {folder!r})
import boot
descriptor, parent, memory, *directories = sys.argv[1:]
boot.prepare_imports(directories)
import builtins, ctypes, os, resource, signal, socket, stat, time
from hookrt.actions.python_snippet.worker.compiler import Compiled
from hookrt.actions.python_snippet.worker.execute import Executor
from hookrt.actions.python_snippet.worker.serve import serve
from hookrt.actions.python_snippet.worker.walls import Walls, raise_walls
def compile_raw(source):
    return Compiled(compile(source, "<snippet>", "exec", dont_inherit=True))
def no_walls(parent, memory):
    return Walls("none", ())
executor = Executor(compile_raw, {{"__builtins__": builtins}})
serve(int(descriptor), int(parent), int(memory), executor, {walls})
"""

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
class Given:
    """What became of one run, in the words of the corpora."""

    outcome: str
    result: Any = None
    message: str = ""
    line: int | None = None
    logs: list[str] = field(default_factory=list)


@dataclass
class Bench:
    """A pool, and a short way to run something in it."""

    pool: Pool
    limits: Limits = LIMITS

    async def run(self, code: str, hook: str = "hook", event: Any = None, **context: Any) -> Given:
        timeout = context.pop("timeout", self.limits.timeout)
        limits = replace(self.limits, timeout=timeout)
        try:
            answer = await self.pool.run(hook, Run(code, EVENT if event is None else event, context, limits))
        except WorkerFault as fault:
            return Given(fault.kind, message=fault.message)
        kind = "ok" if answer.kind == "done" else answer.kind
        return Given(kind, answer.result, answer.message or "", answer.line, answer.logs)


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
def raw_boot(tmp_path: Path) -> Callable[[str], Path]:
    """A worker without the language policy, behind `raise_walls` or `no_walls`."""

    def written(walls: str) -> Path:
        script = tmp_path / "raw_boot.py"
        script.write_text(RAW_BOOT.format(folder=str(BOOT.parent), walls=walls))
        return script

    return written


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
