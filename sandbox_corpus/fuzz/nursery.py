"""Workers that are forked from one that has everything loaded: they start in milliseconds."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from hookrt.actions.python_snippet.spawn import BOOT, _library_directories
from hookrt.actions.python_snippet.worker.wire import (
    HEADER,
    Answer,
    Call,
    Reply,
    Request,
    decode_answer,
    decode_call,
    decode_ready,
    frame,
)

ROOT = Path(__file__).resolve().parents[2]
ZYGOTE = Path(__file__).parent / "inside" / "zygote.py"
MEMORY = 256 * 2**20
PATIENCE = 10.0
"""Seconds that a worker may take for anything; then it hangs."""


class WorkerGoneError(Exception):
    """The worker closed its socket."""


class Nursling:
    """A worker and the service's end of its socket, without anything in between."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self.socket = connection
        self.isolation = decode_ready(self.receive()).isolation

    def receive(self) -> bytes:
        """The body of the next frame; WorkerGoneError at its end, TimeoutError when nothing comes."""
        (length,) = HEADER.unpack(self._read(HEADER.size))
        return self._read(length)

    def receive_or_end(self) -> bytes | None:
        """The body of the next frame; None at the end."""
        try:
            head = self.socket.recv(1)
        except ConnectionResetError:
            head = b""
        if not head:
            return None
        (length,) = HEADER.unpack(head + self._read(HEADER.size - 1))
        return self._read(length)

    def ask(self, request: Request) -> Answer:
        """One request and its answer; a call of the run is answered as the service might."""
        self.send(frame(request))
        while True:
            body = self.receive()
            answer = decode_answer(body)
            if answer.kind != "call":
                return answer
            self.send(frame(Reply(id=request.id, value=_value(decode_call(body)))))

    def send(self, data: bytes) -> None:
        """Write all of it; WorkerGoneError when nobody reads any more."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise WorkerGoneError from None

    def kill(self) -> None:
        """End it."""
        self.socket.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def _read(self, length: int) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            try:
                data = self.socket.recv(length - len(parts))
            except ConnectionResetError:
                data = b""
            if not data:
                raise WorkerGoneError
            parts += data
        return bytes(parts)


def _value(call: Call) -> Any:
    if call.name == "http":
        status = 500 if call.arguments.get("method") == "POST" else 200
        return {"status": status, "url": "https://a.example/", "headers": {"A": "b"}, "text": '{"a": [1]}'}
    return {"secret": "s3cret", "state.get": {"a": [1]}, "state.add": 1}.get(call.name)


class Nursery:
    """Where workers are forked: `with Nursery() as nursery: worker = nursery.fork()`."""

    def __enter__(self) -> Nursery:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-I", "-S", str(ZYGOTE), str(theirs.fileno()), str(BOOT.resolve().parent), str(ROOT)]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            [*command, *_library_directories()],
            env={},
            cwd="/",
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()
        self._control = ours
        self._control.settimeout(PATIENCE)
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._control.close()
        self._process.kill()
        self._process.wait()

    def fork(self, executor: str = "guarded", hole: str = "", memory: int = MEMORY) -> Nursling:
        """A new worker with this executor, and with a hole in it if one is named."""
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE)
        with theirs:
            wanted = json.dumps({"executor": executor, "hole": hole, "memory": memory})
            socket.send_fds(self._control, [wanted.encode()], [theirs.fileno()])
        pid = int(self._control.recv(64))
        return Nursling(pid, ours)
