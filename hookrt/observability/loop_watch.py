"""A thread that looks whether the event loop still turns, and who holds it when it does not.

A few times a second the thread looks where the loop's thread stands. One that waits for something to do is left alone;
one that works is asked for an answer, which is all that this costs.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, Generic, TypeVar

CulpritT = TypeVar("CulpritT")

LONG_S = 1.0
"""Who holds the loop this long is told of before it ends, since it may never end."""

_JOIN_S = 1.0

_TURN = getattr(asyncio.BaseEventLoop, "_run_once").__code__  # noqa: B009 - a private name: what calls `select`


@dataclass(frozen=True, slots=True)
class Means(Generic[CulpritT]):
    """What the watch is handed. Both are called in its thread.

    `blame` says who it is that holds the loop, from the task at work and the innermost frame of the loop's thread; None
    where it is nobody to be told of. `tell` is told who held it, for how many seconds, and whether that is over.
    """

    blame: Callable[[asyncio.Task[Any] | None, FrameType], CulpritT | None]
    tell: Callable[[CulpritT, float, bool], None]


class LoopWatch(Generic[CulpritT]):
    """Watches the running event loop, from a daemon thread, until `stop`.

    It blames a task that runs for `threshold_s` seconds without a pause; one that runs for half as long again is
    surely seen. Many short runs of several tasks, however long they take together, are nobody's fault.
    """

    def __init__(self, threshold_s: float, means: Means[CulpritT]) -> None:
        self._threshold_s = threshold_s
        self._means = means
        self._loop = asyncio.get_running_loop()
        self._ident = threading.get_ident()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="hookrt loop watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the thread."""
        self._stopped.set()
        self._thread.join(_JOIN_S)

    def _watch(self) -> None:
        while not self._stopped.is_set():
            suspicion = Suspicion(self._threshold_s, self._means, time.monotonic() + self._threshold_s / 2)
            self._stopped.wait(self._threshold_s / 2)
            if suspicion.late(time.monotonic()):  # no thread ran, this one neither: who had the interpreter?
                self._look(suspicion)
            if not is_waiting(sys._current_frames().get(self._ident)) and not self._ask(suspicion):
                return
            suspicion.end(time.monotonic())

    def _ask(self, suspicion: Suspicion[CulpritT]) -> bool:
        """Wait until the loop answers, looking meanwhile who holds it; False when it is closed."""
        answered = threading.Event()
        try:
            self._loop.call_soon_threadsafe(answered.set)
        except RuntimeError:
            return False
        while not answered.wait(self._threshold_s / 4) and not self._stopped.is_set():
            self._look(suspicion)
        return True

    def _look(self, suspicion: Suspicion[CulpritT]) -> None:
        frame = sys._current_frames().get(self._ident)
        if frame is not None:
            suspicion.look(Glance(time.monotonic(), time.process_time(), asyncio.current_task(self._loop), frame))


def is_waiting(frame: FrameType | None) -> bool:
    """Whether a thread that stands here is an event loop that waits for something to do; never true for loops that are
    not asyncio's own, which no frame shows.
    """
    if frame is None or frame.f_code.co_name != "select":
        return False
    return frame.f_back is not None and frame.f_back.f_code is _TURN


@dataclass(frozen=True, slots=True)
class Glance:
    """What the loop's thread does at a moment; `cpu` are the seconds of processor time that the process has had."""

    at: float
    cpu: float
    task: asyncio.Task[Any] | None
    frame: FrameType


class Suspicion(Generic[CulpritT]):
    """What is known of a loop that does not answer since `last`: which task has it, and since when."""

    def __init__(self, threshold_s: float, means: Means[CulpritT], last: float) -> None:
        self._threshold_s = threshold_s
        self._means = means
        self._last = last
        self._cpu = time.process_time()
        self._since = last
        self._task: asyncio.Task[Any] | None = None
        self._culprit: CulpritT | None = None
        self._told = False

    def late(self, now: float) -> bool:
        """Whether this moment comes much later than the one that was meant."""
        return now - self._last > self._threshold_s / 2

    def look(self, glance: Glance) -> None:
        """See who has the loop now."""
        if glance.task is not self._task:
            self.end(self._last)
            self._task, self._since = glance.task, self._last
        if self._stood_still(glance):
            self._since = glance.at
        self._last, self._cpu = glance.at, glance.cpu
        held = glance.at - self._since
        if held < self._threshold_s:
            return
        if self._culprit is None:
            self._culprit = self._means.blame(glance.task, glance.frame)
        if held >= LONG_S and self._culprit is not None and not self._told:
            self._told = True
            self._means.tell(self._culprit, held, False)  # noqa: FBT003 - the shape of `tell`

    def end(self, now: float) -> None:
        """The loop goes on."""
        culprit, self._culprit, self._told = self._culprit, None, False
        if culprit is not None:
            self._means.tell(culprit, now - self._since, True)  # noqa: FBT003 - the shape of `tell`

    def _stood_still(self, glance: Glance) -> bool:
        """Whether the whole process was held up (by the system, a debugger, a laptop's lid), which is no plugin's
        doing; whoever keeps all threads from running otherwise, uses the processor.
        """
        gap = glance.at - self._last
        return self.late(glance.at) and glance.cpu - self._cpu < gap / 10
