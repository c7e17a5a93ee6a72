"""One worker, seen from the service: requests in order, one answer to each, and a kill for everything else."""

from __future__ import annotations

import asyncio
import math
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from hookrt.actions.python_snippet.calls import Broker
from hookrt.actions.python_snippet.debt import SPENT, Debt, Displaced, WorkerFault, obituary
from hookrt.actions.python_snippet.rest import RestWatch
from hookrt.actions.python_snippet.spawn import (
    BOOT,
    START_TIMEOUT,
    Child,
    cpu_seconds,
    limit_cpu,
    resident_bytes,
    start_child,
    step_behind,
)
from hookrt.actions.python_snippet.worker.wire import HEADER, Answer, Ready, Request, decode_ready, frame
from hookrt.plugin import PluginError

__all__ = ["GRACE", "PATIENCE", "Displaced", "Worker", "WorkerFault"]

GRACE = 0.25
"""Seconds after the soft deadline until the worker is killed."""

PATIENCE = 0.05
"""Seconds that a run may hold up those behind it in the same worker; then they move on to others."""

_GREETING_ROOM = 64 * 1024
_READ_ONCE_MORE = 0.01
_CPU_STEP = 10
_LOOK_EVERY = 100
_MAX_KNOWN = 64


@dataclass(slots=True)
class _Tally:
    """What a worker has done so far, for its retirement and for the limit of its CPU time."""

    runs: int = 0
    looked: int = 0
    busy: float = 0.0
    promised: float = 0.0
    cpu_limit: int = 0
    resident_at_start: int = 0
    known: set[str] = field(default_factory=set)


class Worker(asyncio.Protocol):
    """A worker process and its socket. Make one with `await Worker.start()`.

    Several requests may be under way: the worker begins each when it has answered the one before, and that is when
    the time of a request begins to count. `dead` once it is killed or gone. `reserved` is the pool's: places that it
    gave away and that have not asked yet. `on_free` is called, from the event loop, when an answer came that nobody
    waits for any more; `on_death` once, when the socket closes. `slow` while it is at a run for longer than PATIENCE,
    `retiring` when it is to get no more.
    """

    def __init__(self, child: Child, memory: int, fresh: bool = False) -> None:
        self.dead = False
        self.behind = False
        self.retiring = False
        self.slow = False
        self.reserved = 0
        self.isolation = ""
        self.walls: tuple[str, ...] = ()
        self.on_free: Callable[[Worker], None] | None = None
        self.on_death: Callable[[Worker], None] | None = None
        self._memory = memory
        self._fresh = fresh
        self._child = child
        self._tally = _Tally()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._outbox: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._gone = self._loop.create_future()
        self._greeted: asyncio.Future[bytes] = self._loop.create_future()
        self._owed: deque[Debt] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self._rest = RestWatch(self)

    @classmethod
    async def start(cls, memory: int, boot: Path = BOOT, *, fresh: bool = False, behind: bool = False) -> Worker:
        """Start a process and wait until it is ready; PluginError when it does not get so far.

        With `fresh` it makes a process of its own for each run, with `behind` all others go before it.
        """
        worker = cls(start_child(memory, boot, *(["--fresh"] if fresh else [])), memory, fresh)
        try:
            if behind:
                worker.step_behind(last=True)
            await worker._loop.create_unix_connection(lambda: worker, sock=worker._child.socket)
            await worker._greet()
        except BaseException:
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
    def load(self) -> int:
        """How many runs it has under way or has room reserved for."""
        return self.reserved + len(self._owed)

    def is_worn(self) -> bool:
        """Whether it has grown by half of its memory limit, or holds too many snippets."""
        if len(self._tally.known) >= _MAX_KNOWN:
            return True
        if self._tally.runs - self._tally.looked < _LOOK_EVERY:
            return False
        self._tally.looked = self._tally.runs
        return resident_bytes(self.pid) - self._tally.resident_at_start > self._memory // 2

    async def ask(self, request: Request, code: str, broker: Broker | None = None) -> Answer:
        """Have one request answered; raises WorkerFault, and the worker is dead then.

        Raises Displaced when this request is not to blame for the worker's end, or when the one before it takes long.
        The code goes along when the worker does not have it yet. A caller that is cancelled kills the worker if it
        has begun; else the answer is dropped when it comes.
        """
        if self.dead or self._transport is None:
            raise Displaced
        if self._fresh or request.hash not in self._tally.known:
            request.code = code
        try:
            data = frame(request)
        except (UnicodeEncodeError, TypeError, RecursionError, msgspec.MsgspecError) as error:
            return Answer(id=request.id, kind="rejected", message=f"what the snippet is given is no JSON: {error}")
        debt = Debt(request, broker, self._loop.create_future(), first=not self._owed)
        self._send(debt, data)
        try:
            return await debt.future
        except asyncio.CancelledError:
            if self._owed and self._owed[0] is debt:
                self.kill()
            raise

    def step_behind(self, *, last: bool = False) -> None:
        """From now on others go before it; with `last`, all of them."""
        if not self.behind:
            self.behind = True
            step_behind(self.pid, last=last)

    def kill(self) -> None:
        """End the process at once; whoever waits for it moves on."""
        self.dead = True
        self._child.kill()
        if self._transport is not None:
            self._transport.abort()
        self._displace(0)
        self._owed.clear()
        self._stop_watching()
        self._rest.stop()

    async def ended(self) -> None:
        """Wait until the process is gone and reaped."""
        await asyncio.to_thread(self._child.process.wait)
        if self._transport is None:
            self._child.socket.close()
        elif self.isolation:  # a connection that was cancelled on its way may never report its end
            await asyncio.shield(self._gone)

    async def _greet(self) -> None:
        try:
            ready: Ready = decode_ready(await asyncio.wait_for(self._greeted, START_TIMEOUT))
        except (TimeoutError, WorkerFault) as fault:
            said = self._child.complaint() or str(fault) or "it took too long"
            raise PluginError(f"a worker for python snippets did not start: {said}") from None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise PluginError("a worker for python snippets did not start properly") from None
        self.isolation, self.walls = ready.isolation, tuple(ready.walls)

    # Sending

    def _send(self, debt: Debt, data: bytes) -> None:
        """Write at once to a worker that has nothing to do; else with all that comes in this turn of the loop."""
        self._owed.append(debt)
        self._count(debt.request)
        if debt.first:
            self._begin(debt)
            self._write(data)
            return
        if not self._outbox:
            self._loop.call_soon(self._flush)
        self._outbox.append(data)

    def _flush(self) -> None:
        self._write(b"".join(self._outbox))
        self._outbox.clear()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self.dead:
            self._transport.write(data)

    def _unread(self) -> int:
        """Bytes that wait for the worker to read: an honest one has read all of a reply before it calls again, and
        one that does not would have replies pile up here.
        """
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def _count(self, request: Request) -> None:
        tally = self._tally
        tally.known.add(request.hash)
        tally.runs += 1
        tally.promised += request.timeout
        needed = tally.busy + tally.promised + 2.0
        if needed > tally.cpu_limit:
            tally.cpu_limit = math.ceil(needed) + _CPU_STEP
            limit_cpu(self.pid, tally.cpu_limit)

    # The time of the first request under way

    def _begin(self, debt: Debt) -> None:
        debt.begin(self._loop.time(), self._write)
        wanted = debt.began + min(PATIENCE, debt.request.timeout + GRACE)
        if self._watch is None or self._watch.when() > wanted:
            self._stop_watching()
            self._watch = self._loop.call_at(wanted, self._look)

    def _look(self, *, again: bool = False) -> None:
        """Kill a worker whose request is overdue; have others move on from behind one that takes long.

        There is one timer for many requests, since most are answered long before it rings. Overdue is overdue only
        once what has arrived meanwhile has been read.
        """
        self._watch = None
        if not self._owed:
            return
        debt, now = self._owed[0], self._loop.time()
        due = debt.began + debt.request.timeout + GRACE
        if now >= due and again:
            self._fault("timeout", "the run took longer than its timeout and was killed")
            return
        if now >= due:
            self._watch = self._loop.call_later(_READ_ONCE_MORE, partial(self._look, again=True))
            return
        wanted = due
        if now - debt.began >= PATIENCE:
            self.slow = True
            self._displace(1)
            if not self.behind:
                self._loop.call_later(PATIENCE, self._look_at_cpu, debt, cpu_seconds(self.pid), PATIENCE)
        else:
            wanted = min(due, debt.began + PATIENCE)
        self._watch = self._loop.call_at(wanted, self._look)

    def _look_at_cpu(self, debt: Debt, before: float, pause: float) -> None:
        """A run that takes long and computes, instead of waiting, steps behind those that are done in less."""
        if not self._owed or self._owed[0] is not debt or self.behind:
            return
        if cpu_seconds(self.pid) - before > PATIENCE / 2:
            self.step_behind()
        else:
            self._loop.call_later(2 * pause, self._look_at_cpu, debt, before, 2 * pause)

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    # Ends

    def _displace(self, start: int) -> None:
        for debt in list(self._owed)[start:]:
            debt.end(Displaced())

    def _fault(self, kind: str, message: str) -> None:
        """Kill the worker, and blame the request that it was at; those behind it move on.

        What breaks the protocol behind another request may still have been that one's doing: it moves on too, to be
        judged where nothing was before it.
        """
        fault = WorkerFault(kind, message)
        if not self._greeted.done():
            self._greeted.set_exception(fault)
        if self._owed and (kind != "protocol_error" or self._owed[0].first):
            self._owed[0].end(fault)
        self.kill()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is connected."""
        self._transport = transport  # type: ignore[assignment]  # a socket's transport is one in both directions

    def data_received(self, data: bytes) -> None:
        """Bytes from the worker: frames that it owes, in order, and nothing else ever."""
        buffer = self._buffer
        buffer += data
        while buffer and not self.dead:
            if len(buffer) < HEADER.size:
                break
            end = HEADER.size + HEADER.unpack_from(buffer)[0]
            if end > self._cap():
                self._fault("protocol_error", "the worker sent more than it may")
            elif len(buffer) < end:
                break
            else:
                body = bytes(memoryview(buffer)[HEADER.size : end])
                del buffer[:end]
                self._take(body, more=bool(buffer))
        if buffer and not self._owed and self._greeted.done() and not self.dead:
            self._fault("protocol_error", "the worker spoke without being asked")

    def _cap(self) -> int:
        if self._owed:
            return self._owed[0].cap
        return 0 if self._greeted.done() else _GREETING_ROOM

    def _take(self, body: bytes, more: bool) -> None:
        """One whole frame: the greeting, or what the first request is owed."""
        if not self._owed:
            if not self._greeted.done() and not more:
                self._greeted.set_result(body)
            else:
                self._fault("protocol_error", "the worker spoke without being asked")
            return
        debt = self._owed[0]
        try:
            answer = debt.read(body)
        except WorkerFault as fault:
            self._fault(fault.kind, fault.message)
            return
        if answer is None:  # a call, which has a reply coming
            if self._unread():
                self._fault("protocol_error", "the worker made a call before it had read what it was told")
            return
        if more and len(self._owed) == 1:
            self._fault("protocol_error", "the worker sent more than one answer")
            return
        self._settle(debt, answer)

    def _settle(self, debt: Debt, answer: Answer) -> None:
        self._owed.popleft()
        self.slow = False
        now = self._loop.time()
        self._tally.busy += now - debt.began
        self._tally.promised -= debt.request.timeout
        answer.took = min(max(answer.took, 0.0), now - debt.began)
        dropped = debt.future.done()
        debt.end(answer)
        if answer.kind in SPENT and not self._fresh:
            self.kill()
        elif self._owed:
            self._begin(self._owed[0])
        else:
            self._rest.begin()
        if dropped and self.on_free is not None:
            self.on_free(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """The worker is gone, or has been killed."""
        self.dead = True
        if not self._gone.done():
            self._gone.set_result(None)
        if self._owed or not self._greeted.done():
            self._loop.create_task(self._report_death(self._owed.popleft() if self._owed else None))
        self.kill()
        if self.on_death is not None:
            self.on_death(self)

    async def _report_death(self, debt: Debt | None) -> None:
        fault = obituary(await asyncio.to_thread(self._child.process.wait))
        if debt is not None:
            debt.end(fault)
        elif not self._greeted.done():
            self._greeted.set_exception(fault)
