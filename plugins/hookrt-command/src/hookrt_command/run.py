"""Running a program under a supervisor that lets nothing of it live on, and keeping what it writes, up to a point."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

SUPERVISOR = Path(__file__).parent / "supervise.py"
"""The script above each program."""

KILLING_S = 10.0
"""Seconds within which killed processes must be gone; what takes longer hangs in the system itself."""

_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `path` and `cwd` are absolute; `memory` is in bytes and `cpu` in seconds, 0 for no limit.

    `grace` are seconds, `output` the bytes of a stream that are kept.
    """

    path: str
    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str] = field(repr=False)
    stdin: bytes = field(repr=False)
    grace: float = 2.0
    output: int = 32 * 1024
    memory: int = 0
    cpu: int = 0

    def job(self) -> bytes:
        """What the supervisor reads; raises UnicodeEncodeError for half a character."""
        numbers = [str(self.grace), str(self.memory), str(self.cpu), str(len(self.argv))]
        variables = [f"{name}={value}" for name, value in self.env.items()]
        body = b"\0".join(map(str.encode, [self.path, self.cwd, *numbers, *self.argv, *variables]))
        return len(body).to_bytes(8, "big") + body


class NotStarted(Exception):  # noqa: N818 - it says what is the case
    """The program did not start: `what` failed (exec, cwd, limit, fork, supervisor), with this `errno`."""

    def __init__(self, what: str, errno: int) -> None:
        super().__init__(f"{what}: {os.strerror(errno)}")
        self.what = what
        self.errno = errno


class Lost(Exception):  # noqa: N818 - likewise
    """The supervisor is gone without a word, so that nobody knows how the program ended."""


@dataclass(slots=True)
class Kept:
    """The first bytes of a stream, and how many there were."""

    most: int
    content: bytearray = field(default_factory=bytearray)
    size: int = 0

    def add(self, piece: bytes) -> None:
        """Keep as much as there is room for."""
        self.size += len(piece)
        self.content += piece[: max(self.most - len(self.content), 0)]

    @property
    def cut(self) -> bool:
        """Whether there was more."""
        return self.size > len(self.content)


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that is over. `code` is minus the signal that ended it; `timed_out` says that its time was up."""

    code: int
    stdout: Kept
    stderr: Kept
    timed_out: bool = False


async def run_program(program: Program, limit_s: float, hold: Callable[[], None]) -> Ended:
    """Run it to its end, or until its time is up: then it is asked to end, and killed after its grace.

    `hold` is called when it is asked. When this returns, or is cancelled, nothing that the program started runs any
    more. Raises NotStarted, Lost, and UnicodeEncodeError for what is no text.
    """
    running = _Running(program.job(), program)
    try:
        return await running.until_ended(limit_s, hold)
    except asyncio.CancelledError:
        with contextlib.suppress(Lost):
            await running.ask_to_end()
        raise
    finally:
        await running.close()


class _Running:
    """A program and the supervisor above it."""

    def __init__(self, job: bytes, program: Program) -> None:
        self._job = job
        self._program = program
        self._control, theirs = _sockets()
        with theirs:
            self._process = _start(theirs, self._control)
        self._pid = 0
        self._asked = False
        self._ended: asyncio.Future[int] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._writer: asyncio.StreamWriter | None = None

    async def until_ended(self, limit_s: float, hold: Callable[[], None]) -> Ended:
        stdout, stderr = Kept(self._program.output), Kept(self._program.output)
        reader, self._writer = await asyncio.open_connection(sock=self._control)
        self._writer.write(self._job)
        self._ended = asyncio.get_running_loop().create_future()
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        reading = [_read_all(process.stdout, stdout), _read_all(process.stderr, stderr)]
        work = (*reading, _write_all(process.stdin, self._program.stdin), self._listen(reader, self._ended))
        self._tasks = [asyncio.create_task(one) for one in work]
        done, _ = await asyncio.wait([self._ended], timeout=limit_s)
        if not done:
            hold()
            await self.ask_to_end()
        code = await self._ended
        await asyncio.wait(self._tasks[:2], timeout=KILLING_S)  # what could write is gone, but for what was handed on
        return Ended(code, stdout, stderr, timed_out=not done)

    async def ask_to_end(self) -> None:
        """Have it ended, by force after its grace; whoever cancels this gives up the grace."""
        if self._writer is None or self._ended is None or self._asked:
            return
        self._asked = True
        self._writer.write(b"T")
        done, _ = await asyncio.wait([self._ended], timeout=self._program.grace + KILLING_S)
        if not done:
            self._kill()
            raise Lost

    async def close(self) -> None:
        """Let go of everything; the supervisor kills what is left when its socket is closed."""
        if self._writer is not None:
            self._writer.close()
        else:
            self._control.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        if self._ended is not None and self._ended.done():
            self._ended.exception()  # read, so that nobody warns that nobody did
        if not await _has_ended(self._process):
            self._kill()
            await _has_ended(self._process)

    def _kill(self) -> None:
        """Kill what is known, since the supervisor does not do it: somebody has stopped it, say."""
        self._process.kill()
        if self._pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)

    async def _listen(self, reader: asyncio.StreamReader, ended: asyncio.Future[int]) -> None:
        """Hear from the supervisor how the program ended."""
        while line := await _read_line(reader):
            word, *rest = line.decode().split()
            if word == "started":
                self._pid = int(rest[0])
            elif word == "failed":
                ended.set_exception(NotStarted(rest[0], int(rest[1])))
                return
            else:
                ended.set_result(int(rest[0]))
                return
        self._kill()  # somebody has killed it: what is known of the program goes too
        ended.set_exception(Lost())


def _sockets() -> tuple[socket.socket, socket.socket]:
    try:
        return socket.socketpair()
    except OSError as error:
        raise NotStarted("supervisor", error.errno or 0) from None


def _start(theirs: socket.socket, ours: socket.socket) -> subprocess.Popen[bytes]:
    number = str(theirs.fileno())
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(SUPERVISOR), number],
            bufsize=0,
            env={},
            cwd="/",
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is not for it
        )
    except OSError as error:
        ours.close()
        raise NotStarted("supervisor", error.errno or 0) from None


async def _read_all(stream: IO[bytes], kept: Kept) -> None:
    reader = asyncio.StreamReader(limit=_PIECE)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
    try:
        while piece := await reader.read(_PIECE):
            kept.add(piece)
    finally:
        transport.close()


async def _write_all(stream: IO[bytes], content: bytes) -> None:
    """Hand over the input; a program that does not read it is its own business."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(_Draining, stream)
    try:
        transport.set_write_buffer_limits(0)  # so that it pauses whenever anything is left
        transport.write(content)
        await protocol.written()
    finally:
        transport.abort()


class _Draining(asyncio.BaseProtocol):
    """Tells when all is written, or nobody reads any more."""

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()

    def pause_writing(self) -> None:
        """There is more to write."""
        self._free.clear()

    def resume_writing(self) -> None:
        """All is written."""
        self._free.set()

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody reads."""
        self._free.set()

    async def written(self) -> None:
        """Wait until nothing is left to write."""
        await self._free.wait()


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except (OSError, ValueError):
        return b""


async def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Wait for the supervisor, in a thread; for one that is stopped, or hangs in the system, no longer than a while."""
    if process.poll() is not None:
        return True

    def wait() -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(KILLING_S)
        return process.returncode is not None

    return await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, wait))
