"""An event loop without time or sockets: it decides by a seeded chance what runs next, and lets time jump ahead."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

_Entry = tuple[asyncio.Handle, contextvars.Context]


@dataclass(eq=False)
class Owner:
    """A process, as the loop sees it: what runs in its context. A dead one's callbacks are never run; those of a frozen
    one wait until it goes on.
    """

    alive: bool = True
    frozen: bool = False
    waiting: list[_Entry] = field(default_factory=list)


OWNER: contextvars.ContextVar[Owner | None] = contextvars.ContextVar("OWNER", default=None)
"""Whose callback this is; None for the world's own."""


class NumberedTask(asyncio.Task[T]):
    """A task whose hash is its number, so that sets of tasks have the same order in every run."""

    def __init__(self, number: int, work: Coroutine[Any, Any, T], **options: Any) -> None:
        self._number = number
        super().__init__(work, **options)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


@dataclass
class Disorder:
    """How a loop chooses: `shuffle` is the share of picks out of order, `stall` that of callbacks that take long."""

    chance: random.Random
    shuffle: float = 1.0
    stall: float = 0.0
    longest_stall_s: float = 0.2


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs callbacks one at a time; when none is ready, it is the time of the next timer.

    `upset` is called before the step number `upset_at`: there a process may crash, between any two callbacks.
    Everything that ran is kept until `close`, so that no garbage collection runs code of a dead process.
    """

    def __init__(self, disorder: Disorder) -> None:
        self._disorder = disorder
        self._ready: list[_Entry] = []
        self._timers: list[tuple[float, int, _Entry]] = []
        self._now = 0.0
        self._serial = 0
        self._tasks: list[asyncio.Task[Any]] = []
        self._dropped: list[_Entry] = []
        self._closed = False
        self.steps = 0
        self.stopped = False
        self.upset_at = -1
        self.upset: Callable[[], None] = lambda: None
        self.unhandled: list[str] = []

    # What asyncio asks of a loop

    def time(self) -> float:
        """Seconds since the world began."""
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Make it ready."""
        place = contextvars.copy_context() if context is None else context
        handle = asyncio.Handle(callback, args, self, place)
        if not self._closed:
            self._ready.append((handle, place))
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Make it ready after this many seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Make it ready at this time."""
        place = contextvars.copy_context() if context is None else context
        handle = asyncio.TimerHandle(when, callback, args, self, place)
        if not self._closed:
            heapq.heappush(self._timers, (when, self._count(), (handle, place)))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing to do: it is skipped when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        """A task of this loop, kept until the end."""
        task = NumberedTask(self._count(), coro, loop=self, name=name or "task", context=context)
        self._tasks.append(task)
        return task

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """Until it is closed."""
        return not self._closed

    def is_closed(self) -> bool:
        """Whether it is over."""
        return self._closed

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Note what nobody handled."""
        if not self._closed:
            self.unhandled.append(f"{context.get('message')}: {context.get('exception')!r}")

    # Running

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """Run until this is done, or `stopped` is set."""
        asyncio._set_running_loop(self)
        try:
            task = self.create_task(main)
            while not self.stopped and not task.done():
                self._step()
            if task.done():
                task.result()
        finally:
            asyncio._set_running_loop(None)

    def thaw(self, owner: Owner) -> None:
        """A frozen process goes on."""
        owner.frozen = False
        self._ready += owner.waiting
        owner.waiting.clear()

    def close(self) -> None:
        """End every coroutine that still stands somewhere, without running anything further of the world."""
        self._closed = True
        asyncio._set_running_loop(self)
        try:
            for task in self._tasks:  # it may grow while they end
                if not task.done():
                    task._log_destroy_pending = False  # type: ignore[attr-defined]
                    with suppress(BaseException):
                        task.get_coro().close()
        finally:
            asyncio._set_running_loop(None)
        self._ready.clear()
        self._timers.clear()
        self._dropped.clear()

    def _step(self) -> None:
        self._advance()
        ready = self._ready
        disorder = self._disorder
        if len(ready) > 1 and disorder.chance.random() < disorder.shuffle:
            entry = ready.pop(int(disorder.chance.random() * len(ready)))
        else:
            entry = ready.pop(0)
        handle, context = entry
        if handle.cancelled():
            return
        self.steps += 1
        if self.steps == self.upset_at:
            self.upset()
        owner = context.get(OWNER)
        if owner is None or (owner.alive and not owner.frozen):
            handle._run()
        elif owner.alive:
            owner.waiting.append(entry)
        else:
            self._dropped.append(entry)

    def _advance(self) -> None:
        """Let time go on to the next timer when nothing is ready, and a little when a callback takes long."""
        disorder = self._disorder
        if not self._ready:
            self._drop_cancelled()
            if not self._timers:
                raise RuntimeError("nothing is left to happen in this world")
            self._now = max(self._now, self._timers[0][0])
        elif disorder.stall and disorder.chance.random() < disorder.stall:
            self._now += disorder.chance.random() * disorder.longest_stall_s
        while self._timers and self._timers[0][0] <= self._now:
            entry = heapq.heappop(self._timers)[2]
            if not entry[0].cancelled():
                self._ready.append(entry)

    def _drop_cancelled(self) -> None:
        while self._timers and self._timers[0][2][0].cancelled():
            heapq.heappop(self._timers)

    def _count(self) -> int:
        self._serial += 1
        return self._serial
