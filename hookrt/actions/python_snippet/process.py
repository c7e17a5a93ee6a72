"""One worker, seen from the service: one request at a time, one answer, and a kill for everything else."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from hookrt.actions.python_snippet.spawn import (
    BOOT,
    START_TIMEOUT,
    Child,
    limit_cpu,
    resident_bytes,
    start_child,
)
from hookrt.actions.python_snippet.worker.wire import HEADER, Answer, Ready, Request, decode_answer, decode_ready, frame
from hookrt.plugin import PluginError

GRACE = 0.25
"""Seconds after the soft deadline until the worker is killed."""

SPENT = frozenset({"timeout", "memory", "output_limited", "crashed"})
"""Answers after which a worker is not used again."""

KINDS = SPENT | {"done", "rejected", "denied", "error", "bad_result"}
"""Every kind of answer that a worker may give."""

_FRAME_ROOM = 64 * 1024
_CPU_STEP = 10
_LOOK_EVERY = 100
_MAX_KNOWN = 64


class WorkerFault(Exception):  # noqa: N818 - a fault of the worker, which becomes an outcome
    """A worker gave no usable answer; `kind` is `timeout`, `crashed` or `protocol_error`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(slots=True)
class _Pending:
    """What the worker owes: an answer with this id, in a frame of at most `cap` bytes."""

    id: str
    cap: int
    future: asyncio.Future[bytes]


@dataclass(slots=True)
class _Tally:
    """What a worker has done so far, for its retirement and for the limit of its CPU time."""

    runs: int = 0
    busy: float = 0.0
    cpu_limit: int = 0
    resident_at_start: int = 0
    known: set[str] = field(default_factory=set)


class Worker(asyncio.Protocol):
    """A worker process and its socket. Make one with `await Worker.start()`.

    `dead` once it is killed or gone; `worn` when it should not get another run. `on_death` is called once, from the
    event loop, when the socket closes.
    """

    def __init__(self, child: Child, memory: int) -> None:
        self.dead = False
        self.isolation = ""
        self.on_death: Callable[[Worker], None] | None = None
        self._memory = memory
        self._child = child
        self._tally = _Tally()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._loop = asyncio.get_running_loop()
        self._gone = self._loop.create_future()
        self._pending: _Pending | None = _Pending("", _FRAME_ROOM, self._loop.create_future())  # the greeting

    @classmethod
    async def start(cls, memory: int, boot: Path = BOOT) -> Worker:
        """Start a process and wait until it is ready; PluginError when it does not get so far."""
        worker = cls(start_child(memory, boot), memory)
        try:
            await worker._loop.create_unix_connection(lambda: worker, sock=worker._child.socket)
            await worker._greet()
        except BaseException:
            worker._pending = None
            worker.kill()
            await worker.ended()
            raise
        finally:
            os.close(worker._child.stderr)
        worker._tally.resident_at_start = resident_bytes(worker.pid)
        return worker

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.process.pid

    @property
    def runs(self) -> int:
        """How many runs it has been given."""
        return self._tally.runs

    @property
    def worn(self) -> bool:
        """Whether it has grown by half of its memory limit, or holds too many snippets."""
        if len(self._tally.known) >= _MAX_KNOWN:
            return True
        if self._tally.runs % _LOOK_EVERY:
            return False
        return resident_bytes(self.pid) - self._tally.resident_at_start > self._memory // 2

    async def ask(self, request: Request, code: str) -> Answer:
        """Have one request answered; raises WorkerFault, and the worker is dead then.

        The code goes along when the worker does not have it yet. A caller that is cancelled kills the worker, since
        nobody else may get the answer.
        """
        if request.hash not in self._tally.known:
            request.code = code
        try:
            data = frame(request)
        except (UnicodeEncodeError, TypeError, RecursionError, msgspec.MsgspecError) as error:
            return Answer(id=request.id, kind="rejected", message=f"what the snippet is given is no JSON: {error}")
        self._count(request)
        cap = request.result + 6 * request.output + _FRAME_ROOM
        self._send(data, _Pending(request.id, cap, self._loop.create_future()))
        try:
            answer = decode_answer(await self._answered(request.timeout + GRACE))
        except (msgspec.MsgspecError, RecursionError):
            raise self._fault("protocol_error", "the worker's answer is not readable") from None
        if answer.id != request.id or answer.kind not in KINDS:
            raise self._fault("protocol_error", "the worker's answer belongs to no request")
        if answer.kind in SPENT:
            self.kill()
        return answer

    def kill(self) -> None:
        """End the process at once."""
        self.dead = True
        self._child.process.kill()
        if self._transport is not None:
            self._transport.abort()

    async def ended(self) -> None:
        """Wait until the process is gone and reaped."""
        await asyncio.to_thread(self._child.process.wait)
        if self._transport is None:
            self._child.socket.close()
        elif self.isolation:  # a connection that was cancelled on its way may never report its end
            await asyncio.shield(self._gone)

    async def _greet(self) -> None:
        try:
            ready: Ready = decode_ready(await self._answered(START_TIMEOUT))
        except WorkerFault as fault:
            said = self._child.complaint() or fault.message
            raise PluginError(f"a worker for python snippets did not start: {said}") from None
        except (msgspec.MsgspecError, RecursionError):
            raise PluginError("a worker for python snippets did not start properly") from None
        self.isolation = ready.isolation

    def _count(self, request: Request) -> None:
        tally = self._tally
        tally.known.add(request.hash)
        tally.runs += 1
        needed = tally.busy + request.timeout + 2.0
        if needed > tally.cpu_limit:
            tally.cpu_limit = math.ceil(needed) + _CPU_STEP
            limit_cpu(self.pid, tally.cpu_limit)

    def _send(self, data: bytes, pending: _Pending) -> None:
        self._pending = pending
        if self.dead or self._transport is None:
            pending.future.set_exception(WorkerFault("crashed", "the worker process ended before the run"))
        else:
            self._transport.write(data)

    async def _answered(self, patience: float) -> bytes:
        """The body of the frame that the worker owes."""
        if self._pending is None:
            raise WorkerFault("crashed", "the worker owes no answer")
        timer = self._loop.call_later(patience, self._overdue)
        began = self._loop.time()
        try:
            return await self._pending.future
        except asyncio.CancelledError:
            self.kill()
            raise
        finally:
            timer.cancel()
            self._pending = None
            self._tally.busy += self._loop.time() - began

    def _overdue(self) -> None:
        self._fault("timeout", "the run took longer than its timeout and was killed")

    def _fault(self, kind: str, message: str) -> WorkerFault:
        """Kill the worker, and tell whoever waits for it."""
        fault = WorkerFault(kind, message)
        self.kill()
        if self._pending is not None and not self._pending.future.done():
            self._pending.future.set_exception(fault)
        return fault

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is connected."""
        self._transport = transport  # type: ignore[assignment]  # a socket's transport is one in both directions

    def data_received(self, data: bytes) -> None:
        """Bytes from the worker: exactly one frame for each request, nothing else ever."""
        pending = self._pending
        if pending is None or pending.future.done():
            self._fault("protocol_error", "the worker spoke without being asked")
            return
        buffer = self._buffer
        buffer += data
        if len(buffer) < HEADER.size:
            return
        end = HEADER.size + HEADER.unpack_from(buffer)[0]
        if end > pending.cap or len(buffer) > end:
            self._fault("protocol_error", "the worker sent more than one answer of bounded size")
        elif len(buffer) == end:
            pending.future.set_result(bytes(buffer[HEADER.size :]))
            buffer.clear()

    def connection_lost(self, _error: Exception | None) -> None:
        """The worker is gone, or has been killed."""
        self.dead = True
        if not self._gone.done():
            self._gone.set_result(None)
        if self._pending is not None and not self._pending.future.done():
            self._loop.create_task(self._report_death(self._pending))
        self._child.process.kill()
        if self.on_death is not None:
            self.on_death(self)

    async def _report_death(self, pending: _Pending) -> None:
        status = await asyncio.to_thread(self._child.process.wait)
        if not pending.future.done():
            pending.future.set_exception(_obituary(status))


def _obituary(status: int) -> WorkerFault:
    if status == -signal.SIGXCPU:
        return WorkerFault("timeout", "the run used more CPU time than its timeout")
    if status < 0:
        name = f"signal {-status}"
        with contextlib.suppress(ValueError):
            name = signal.Signals(-status).name
        return WorkerFault("crashed", f"the worker process was ended by {name}")
    return WorkerFault("crashed", f"the worker process ended by itself (status {status})")
