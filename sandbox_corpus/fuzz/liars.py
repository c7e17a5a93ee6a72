"""Workers that follow a script, at the other end of a real pool: what the service makes of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hookrt.actions.python_snippet import process
from hookrt.actions.python_snippet.calls import CallFailed, CallRefused
from hookrt.actions.python_snippet.debt import KINDS, SPENT, WorkerFault
from hookrt.actions.python_snippet.pool import Limits, Pool, PoolSize, Run
from hookrt.actions.python_snippet.spawn import Child
from hookrt.actions.python_snippet.worker.wire import HEADER, MAX_CALL, Answer
from sandbox_corpus.fuzz.frames import GREETING, ID, Script, pack

LIMITS = Limits(timeout=0.1, memory=256 * 2**20, output=1024, result=4096)
FLOOD = 16 * 2**20
MAX_TAKEN = MAX_CALL + 2 * 2**20
"""Bytes that a worker gets rid of at most: the largest frame, what the kernel buffers, and one read."""

INTERNAL = "internal-81d0"
FAULTS = frozenset({"timeout", "crashed", "protocol_error"})
_SOON = 5.0


class Echo:
    """A broker that answers, fails, refuses, breaks, or gives what is no answer, as the call's name says."""

    async def answer(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Depends on the name."""
        if name == "fail":
            raise CallFailed("Failed", "as asked", {"a": 1})
        if name == "refuse":
            raise CallRefused("denied", "as asked")
        if name == "break":
            raise RuntimeError(INTERNAL)
        if name == "cancel":
            await asyncio.sleep(60)
        return {"no json": object(), "big": "a" * 100_000}.get(name, [name, dict(arguments)])


class Liar:
    """One process that sleeps, and this program at its end of the socket."""

    def __init__(self, script: Script | None) -> None:
        self.script = script
        self.asked: list[str] = []
        self.taken = 0
        self.heard = bytearray()
        ours, self._socket = socket.socketpair()
        self._socket.settimeout(0)
        reader, writer = os.pipe()
        os.close(writer)
        self.process = subprocess.Popen(["sleep", "600"], start_new_session=True, stdin=subprocess.DEVNULL)  # noqa: S607
        self.child = Child(self.process, ours, reader)
        self.work = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        with contextlib.suppress(OSError, EOFError), self._socket:
            await (self._be_honest(GREETING) if self.script is None else self._follow(self.script))

    async def _be_honest(self, greeting: bytes = b"") -> None:
        await self._send(greeting)
        while True:
            asked = await self._hear()
            self.asked.append(asked)
            await self._send(pack(json.dumps({"id": asked, "kind": "done", "result": "honest"}).encode()))

    async def _follow(self, script: Script) -> None:
        await self._send(script.greeting + script.early)
        self.asked.append(await self._hear())
        pieces = [(say.data, say.wait) for say in script.says]
        for data, wait in pieces:
            await self._say(data.replace(ID.encode(), self.asked[0].encode()), script.piece)
            if wait:
                await self._hear()
        if script.end == "flood":
            await self._flood()
        if script.end == "stay":
            await self._be_honest()

    async def _say(self, data: bytes, piece: int) -> None:
        for start in range(0, len(data), piece or len(data) or 1):
            if piece and start > 50 * piece:
                await self._send(data[start:])
                return
            await self._send(data[start : start + (piece or len(data))])
            await asyncio.sleep(0)

    async def _flood(self) -> None:
        for _ in range(FLOOD // 2**16):
            await self._send(b"\x00\x10\x00\x00" * 2**14)

    async def _send(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._socket, data)
        self.taken += len(data)

    async def _hear(self) -> str:
        """The id of the next frame from the service."""
        (length,) = HEADER.unpack(await self._read(HEADER.size))
        body = await self._read(length)
        self.heard += body[:10_000]
        return str(json.loads(body)["id"])

    async def _read(self, length: int) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            data = await asyncio.get_running_loop().sock_recv(self._socket, length - len(parts))
            if not data:
                raise EOFError
            parts += data
        return bytes(parts)


class Stage:
    """A pool whose first worker follows the script, and whose others are honest; `findings` says what went wrong."""

    def __init__(self, script: Script, brokered: bool, behind: bool) -> None:
        self.findings: list[str] = []
        self._script = script
        self._broker = Echo() if brokered else None
        self._behind = behind
        self._liars: list[Liar] = []

    async def play(self) -> list[str]:
        """Run once, perhaps with another run behind it, and once more afterwards."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: self.findings.append(f"unhandled: {context}"))
        pool = Pool(PoolSize(workers=3, spares=0))
        try:
            first, *_ = await asyncio.gather(*(self._run(pool, number) for number in range(1 + self._behind)))
            self._judge(first)
            await self._see_dead()
            after = await self._run(pool, 9)
            if not isinstance(after, Answer) or after.result != "honest":
                self.findings.append(f"the next run did not get its answer: {after!r}")
        finally:
            await pool.close()
        for liar in self._liars:
            if liar.process.returncode is None:
                self.findings.append("a process is left")
                liar.process.kill()
            liar.work.cancel()
        await asyncio.gather(*(liar.work for liar in self._liars), return_exceptions=True)
        return self.findings

    def start(self, _memory: int, _boot: Path, *_options: str) -> Child:
        """Stands in for `start_child`."""
        self._liars.append(Liar(None if self._liars else self._script))
        return self._liars[-1].child

    async def _run(self, pool: Pool, number: int) -> Answer | WorkerFault | None:
        run = Run(
            f"result = {number}", {}, {}, LIMITS, broker=self._broker, granted={"http": []} if self._broker else {}
        )
        try:
            async with asyncio.timeout(_SOON):
                return await pool.run("hook", run)
        except WorkerFault as fault:
            if fault.kind not in FAULTS:
                self.findings.append(f"a fault of the kind {fault.kind}")
            return fault
        except Exception as error:
            self.findings.append(f"it raised {error!r}")
        return None

    def _judge(self, outcome: Answer | WorkerFault | None) -> None:
        liar = self._liars[0]
        if isinstance(outcome, Answer) and outcome.result != "honest":
            self.findings += _unfounded(outcome, liar, self._broker is not None)
        if self._script.honest and self._plain_calls() and not isinstance(outcome, Answer):
            self.findings.append(f"an honest answer was not taken: {outcome!r}")
        if liar.taken > MAX_TAKEN:
            self.findings.append(f"{liar.taken} bytes were taken from one worker")
        if INTERNAL.encode() in liar.heard:
            self.findings.append("a worker was told of the service's inside")

    def _plain_calls(self) -> bool:
        """Whether the calls of the script, if any, are answered quickly, and allowed."""
        text = b"".join(say.data for say in self._script.says)
        return (self._broker is not None or b'"call"' not in text) and b'"cancel"' not in text

    async def _see_dead(self) -> None:
        """A worker that said anything but the protocol must be dead soon."""
        stays = self._script.end == "stay"
        if stays and self._script.honest and self._may_live():
            return
        if stays and not self._script.honest and self._may_be_honest():
            return
        end = asyncio.get_running_loop().time() + _SOON
        while self._liars[0].process.poll() is None:
            if asyncio.get_running_loop().time() > end:
                self.findings.append("a worker lives that did not keep to the protocol")
                return
            await asyncio.sleep(0.001)

    def _may_live(self) -> bool:
        """Whether an honest script leaves its worker alive, or whether that depends on the moment."""
        if self._broker is None:
            return self._plain_calls() and not self._is_spent()
        return not self._plain_calls() or not self._is_spent()

    def _is_spent(self) -> bool:
        return any(json.loads(say.data[HEADER.size :])["kind"] in SPENT for say in self._script.says if say.honest)

    def _may_be_honest(self) -> bool:
        """Whether bytes that were not made honest happen to be: one frame that reads as an answer, and no more."""
        script, data = self._script, b"".join(say.data for say in self._script.says)
        if script.greeting != GREETING or script.early or script.end == "flood":
            return False
        found = list(frames(data))
        return bool(found) and b"".join(map(pack, found)) == data and read(found[-1], ID) is not None


def _unfounded(answer: Answer, liar: Liar, brokered: bool) -> list[str]:
    """Why the service must not have taken this answer from what the worker said."""
    data = b"".join(say.data for say in liar.script.says) if liar.script else b""
    data = data.replace(ID.encode(), liar.asked[0].encode()) if liar.asked else data
    refused = answer.kind == "denied" and answer.message == "as asked"
    for body in frames(data):
        said = read(body, liar.asked[0])
        if said is not None and said["kind"] == "call" and brokered:
            if refused and said["name"] == "refuse":
                return []
            continue
        if said is None or said["kind"] not in KINDS:
            return [f"{answer} was taken from {body[:200]!r}"]
        same = (answer.kind, answer.result, answer.logs) == (said["kind"], said.get("result"), said.get("logs", []))
        return [] if same else [f"{answer} is not what was said: {body[:200]!r}"]
    return [f"{answer} was never said"]


def frames(data: bytes) -> Iterator[bytes]:
    """The bodies of the whole frames at the beginning of these bytes."""
    while len(data) >= HEADER.size:
        (length,) = HEADER.unpack_from(data)
        if len(data) < HEADER.size + length:
            return
        yield data[HEADER.size : HEADER.size + length]
        data = data[HEADER.size + length :]


def read(body: bytes, asked: str) -> dict[str, Any] | None:
    """The object in a frame, if it belongs to the request."""
    try:
        said = json.loads(body.decode("utf-8", "replace"))  # names that mean nothing are passed over unread
    except (ValueError, RecursionError):
        return None
    right = isinstance(said, dict) and said.get("id") == asked and isinstance(said.get("kind"), str)
    return said if right else None


def play(script: Script, brokered: bool = False, behind: bool = False) -> list[str]:
    """What went wrong in the service when its worker did this; nothing when all is well."""

    async def staged() -> list[str]:
        stage = Stage(script, brokered, behind)
        with patch.multiple(process, start_child=stage.start, GRACE=0.05, START_TIMEOUT=0.3):
            return await stage.play()

    return asyncio.run(staged())
