"""The event loop of commands that serve: uvloop where it is installed."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from hookrt.cli.failures import report_stray
from hookrt.cli.render import Screen

T = TypeVar("T")

SWITCH_S = 0.0005
"""How long a thread holds the interpreter at most while another one waits. The store's writer comes back from SQLite
many times in a transaction; with Python's own 5 ms a busy loop would let it wait that long each time."""


def run_in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a fresh loop; what it raises comes out unchanged.

    What no task catches is told in one line on stderr, unless the coroutine sets another handler.
    """
    sys.setswitchinterval(SWITCH_S)
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        runner.get_loop().set_exception_handler(_tell_stray_error)
        return runner.run(work)


def spare_the_collector() -> None:
    """Tell the garbage collector that what is there at start stays, and to look at the rest less often.

    What comes and goes with events has no cycles and needs no collector; looking through the modules and the hooks for
    some took a sixth of the time of taking events.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 20)


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Collect no garbage meanwhile, and leave alone what was made: else the collector looks through all hooks time and
    again while they are read, and holds up the event loop for a tenth of a second each time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _tell_stray_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, BaseException):
        report_stray(error)
    else:
        Screen(sys.stderr).line(("hookrt: ", "bold red"), str(context.get("message")))


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
