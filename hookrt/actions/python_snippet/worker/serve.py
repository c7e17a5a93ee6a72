"""The loop of a worker: read a request, answer it, until the service closes the socket."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial

import msgspec

from hookrt.actions.python_snippet.worker.compiler import compile_snippet
from hookrt.actions.python_snippet.worker.execute import Executor
from hookrt.actions.python_snippet.worker.preload import load_everything
from hookrt.actions.python_snippet.worker.walls import Walls, raise_walls
from hookrt.actions.python_snippet.worker.wire import HEADER, MAX_REQUEST, Answer, Ready, decode_request, frame

BROKEN = 3
"""The exit status of a worker that cannot make sense of what it reads."""


Wall = Callable[[int, int], Walls]


class Channel:
    """The worker's end of the socket."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def receive(self) -> bytes | None:
        """The next frame's body; None when the service has closed."""
        head = self._read(HEADER.size)
        if head is None:
            return None
        (length,) = HEADER.unpack(head)
        if length > MAX_REQUEST:
            os._exit(BROKEN)
        return self._read(length)

    def send(self, message: msgspec.Struct) -> None:
        """Write one frame whole."""
        rest = memoryview(frame(message))
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def _read(self, length: int) -> bytes | None:
        data = os.read(self._descriptor, length)
        if len(data) == length:  # nearly always, and then without a copy
            return data
        parts = bytearray(data)
        while data and len(parts) < length:
            data = os.read(self._descriptor, length - len(parts))
            parts += data
        return bytes(parts) if len(parts) == length else None


def serve(
    descriptor: int, parent: int, memory: int, executor: Executor | None = None, raise_walls: Wall = raise_walls
) -> None:
    """Raise the walls, say so, and answer until the socket closes; then end the process at once.

    Only tests bring an executor without the language policy, or no walls, to see what holds without the other.
    """
    load_everything()
    _serve(Channel(descriptor), executor or Executor(compile_snippet), partial(raise_walls, parent, memory))


def serve_checks(descriptor: int, parent: int, memory: int) -> None:
    """As `serve`, for a worker that is asked to compile only: without what runs may want, it is ready sooner."""
    _serve(Channel(descriptor), Executor(compile_snippet), partial(raise_walls, parent, memory))


def _serve(channel: Channel, executor: Executor, raise_walls: Callable[[], Walls]) -> None:
    _quieten()
    walls = raise_walls()
    channel.send(Ready(isolation=walls.isolation, walls=list(walls.names)))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while (body := channel.receive()) is not None:
            channel.send(_answer(executor, body))
    os._exit(0)


def _answer(executor: Executor, body: bytes) -> Answer:
    try:
        request = decode_request(body)
    except (msgspec.MsgspecError, RecursionError):
        os._exit(BROKEN)
    return executor.answer(request)


def _quieten() -> None:
    """Nothing that a snippet does shall write anywhere or slow down the collector."""
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _unraisable: None
    gc.collect()
    gc.freeze()
