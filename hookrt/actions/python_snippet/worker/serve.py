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

from hookrt.actions.python_snippet.worker.channel import BROKEN, Channel
from hookrt.actions.python_snippet.worker.compiler import compile_snippet
from hookrt.actions.python_snippet.worker.execute import Executor
from hookrt.actions.python_snippet.worker.ferry import Ferry
from hookrt.actions.python_snippet.worker.fresh import Zygote
from hookrt.actions.python_snippet.worker.preload import load_everything
from hookrt.actions.python_snippet.worker.walls import Walls, raise_walls, raise_walls_to_fork
from hookrt.actions.python_snippet.worker.wire import Answer, Ready, decode_request

Wall = Callable[[int, int], Walls]


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


def serve_fresh(
    descriptor: int,
    parent: int,
    memory: int,
    executor: Executor | None = None,
    raise_walls: Wall = raise_walls_to_fork,
) -> None:
    """As `serve`, with a process for each run, which is confined further before it sees anything of the snippet.

    This process compiles and runs nothing itself.
    """
    load_everything()
    executor = executor or Executor(compile_snippet)
    _quieten()
    zygote = Zygote(Ferry(descriptor), lambda body, child: child.send(_answer(executor, body, child)))
    walls = zygote.rehearse(raise_walls(parent, memory))
    Channel(descriptor).send(Ready(isolation=walls.isolation, walls=list(walls.names)))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while zygote.answer_next():
            pass
    os._exit(0)


def _serve(channel: Channel, executor: Executor, raise_walls: Callable[[], Walls]) -> None:
    _quieten()
    walls = raise_walls()
    channel.send(Ready(isolation=walls.isolation, walls=list(walls.names)))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while (body := channel.receive()) is not None:
            channel.send(_answer(executor, body, channel))
    os._exit(0)


def _answer(executor: Executor, body: bytes, channel: Channel) -> Answer:
    try:
        request = decode_request(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        os._exit(BROKEN)
    return executor.answer(request, channel.exchange)


def _quieten() -> None:
    """Nothing that a snippet does shall write anywhere or slow down the collector."""
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _unraisable: None
    gc.collect()
    gc.freeze()
