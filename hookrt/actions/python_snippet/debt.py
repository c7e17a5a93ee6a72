"""What a worker owes for one request: an answer, and before it perhaps some calls."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable

import msgspec

from hookrt.actions.python_snippet.calls import Broker, CallRefused, refused, reply_frame, reply_to
from hookrt.actions.python_snippet.worker.wire import (
    MAX_CALL,
    MAX_CALLS,
    Answer,
    Call,
    Reply,
    Request,
    decode_answer,
    decode_call,
)

KINDS = frozenset(
    {"done", "rejected", "denied", "error", "bad_result", "timeout", "memory", "output_limited", "crashed"}
)
"""Every kind of answer that a worker may give."""

SPENT = frozenset({"timeout", "memory", "output_limited", "crashed"})
"""Answers after which a worker is not used again, unless each of its runs has a process of its own."""

_NEARLY = 0.1
"""Seconds before its end from which a run is over when a call of it timed out: the attempt began a little earlier than
the run, and what it gave the call was all that was left."""

_FRAME_ROOM = 64 * 1024
_MOST_LINES = 64 * 1024 + 1  # of a snippet of 64 KiB


class WorkerFault(Exception):  # noqa: N818 - a fault of the worker, which becomes an outcome
    """A worker gave no usable answer; `kind` is `timeout`, `crashed` or `protocol_error`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class Displaced(Exception):  # noqa: N818 - nothing went wrong with this request
    """The worker will not answer this request, for reasons that are not the request's; ask another one."""


class Debt:
    """One request under way, and the future of whoever waits for its answer.

    `cap` bounds its frames, in bytes. `first` tells that the worker had nothing else to do when it was sent, so
    that what the worker does from then on is this request's doing. `began` is when the worker could begin it.
    """

    __slots__ = ("_broker", "_call", "_calls", "_refusal", "_write", "began", "cap", "first", "future", "request")

    def __init__(
        self, request: Request, broker: Broker | None, future: asyncio.Future[Answer], first: bool = True
    ) -> None:
        self.request = request
        self.future = future
        self.first = first
        self.began = 0.0
        self.cap = request.result + 6 * request.output + _FRAME_ROOM
        if broker is not None:
            self.cap = max(self.cap, MAX_CALL + _FRAME_ROOM)
        self._broker = broker
        self._write: Callable[[bytes], None] | None = None
        self._call: asyncio.Task[None] | None = None
        self._calls = 0
        self._refusal: CallRefused | None = None

    def begin(self, now: float, write: Callable[[bytes], None]) -> None:
        """The worker can begin it now; `write` sends replies."""
        self.began = now
        self._write = write

    def end(self, outcome: Answer | Exception) -> None:
        """Tell whoever waits, if somebody still does; a call under way is cancelled."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        if self.future.done():
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)

    def read(self, body: bytes) -> Answer | None:
        """The answer in this frame, None for a call; raises WorkerFault for what no honest worker sends."""
        try:
            answer = decode_answer(body)
            if answer.kind == "call" and self._broker is not None:
                self._take(decode_call(body), len(body), self._broker)
                return None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise WorkerFault("protocol_error", "the worker's answer is not readable") from None
        if answer.id != self.request.id or answer.kind not in KINDS:
            raise WorkerFault("protocol_error", "the worker's answer belongs to no request")
        if answer.line is not None and not 0 <= answer.line <= _MOST_LINES:
            raise WorkerFault("protocol_error", "the worker's answer names a line that no snippet has")
        if self._call is not None:
            raise WorkerFault("protocol_error", "the worker answered while it had a call open")
        if self._refusal is not None and answer.kind not in SPENT:
            return Answer(
                id=answer.id,
                kind=self._refusal.kind,
                message=self._refusal.message,
                line=answer.line,
                logs=answer.logs,
                took=answer.took,
            )
        return answer

    # Calls

    def _take(self, call: Call, size: int, broker: Broker) -> None:
        self._calls += 1
        if call.id != self.request.id:
            raise WorkerFault("protocol_error", "the worker's call belongs to no request")
        if self._call is not None:
            raise WorkerFault("protocol_error", "the worker made a call while another was open")
        if size > MAX_CALL or self._calls > MAX_CALLS:
            raise WorkerFault("protocol_error", "the worker made more calls than it may, or a bigger one")
        self._call = asyncio.get_running_loop().create_task(self._carry_out(call, broker))

    async def _carry_out(self, call: Call, broker: Broker) -> None:
        """Answer one call, within the time that the run has left; it is told then, and can say where it was."""
        end = self.began + self.request.timeout
        try:
            async with asyncio.timeout_at(end):
                reply = await self._reply(call, broker)
            over = reply.fields.get("reason") == "timeout" and asyncio.get_running_loop().time() > end - _NEARLY
        except TimeoutError:
            over = True
        if over:
            reply = Reply(id=call.id, kind="timeout")
        self._call = None
        if self._write is not None:
            self._write(reply_frame(call, reply))

    async def _reply(self, call: Call, broker: Broker) -> Reply:
        if self._refusal is None:
            try:
                return await reply_to(call, broker)
            except CallRefused as refusal:
                self._refusal = refusal
        return refused(call, self._refusal)


def obituary(status: int) -> WorkerFault:
    """What the exit status of a process says of its end."""
    if status == -signal.SIGXCPU:
        return WorkerFault("timeout", "the run used more CPU time than its timeout")
    if status < 0:
        name = f"signal {-status}"
        with contextlib.suppress(ValueError):
            name = signal.Signals(-status).name
        return WorkerFault("crashed", f"the worker process was ended by {name}")
    return WorkerFault("crashed", f"the worker process ended by itself (status {status})")
