"""Tasks that attempts left behind: found, told of, and cancelled."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Iterator
from typing import Any

from hookrt.delivery.ports import Ports
from hookrt.delivery.run_attempt import is_over
from hookrt.plugin.action import ActionCall
from hookrt.plugin.at_work import work_of
from hookrt.plugin.protocols import Log
from hookrt.runtime.culprits import Culprit, Culprits
from hookrt.runtime.rare_lines import RareLines

LOOK_S = 1.0
"""How often is looked for tasks whose attempt has ended; one that outlives two looks is a leak."""

SHARE = 0.001
"""Looking takes at most this share of the time, however many tasks there are."""

END_S = 1.0
"""How long the end waits for cancelled tasks."""

WAY_OUT = "await the tasks that an attempt makes (asyncio.TaskGroup); make lasting ones in `open`, end them in `close`"
"""What the author of the action can do."""


class Leaks:
    """Looks for the tasks of attempts that have ended, where actions are at work that hookrt did not bring.

    Tasks of the action's own code, and those directly of asyncio, belong to the attempt that made them. Those of a
    library that it uses (a connection that is kept, say) are the library's, and are left alone.
    """

    def __init__(self, ports: Ports, log: Log, culprits: Culprits) -> None:
        self._ports = ports
        self._log = log
        self._culprits = culprits
        self._suspects: frozenset[asyncio.Task[Any]] = frozenset()
        self._cancelled: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self._rare = RareLines()

    async def watch(self) -> None:
        """Look until cancelled."""
        pause = LOOK_S
        while True:
            await self._ports.clock.sleep(pause)
            begun = time.perf_counter()
            if any(not type(one).__module__.startswith("hookrt.actions.") for one in self._ports.actions.values()):
                self.look()
            pause = max(LOOK_S, (time.perf_counter() - begun) / SHARE)

    def look(self) -> None:
        """Cancel what was left behind at the last look already."""
        found = dict(self._left_behind())
        for task in found.keys() & self._suspects:
            self._cancel(task, found[task])
        self._suspects = frozenset(found)

    async def end(self) -> None:
        """Cancel all that attempts left behind: no attempt is under way any more."""
        found = dict(self._left_behind())
        for task, call in found.items():
            self._cancel(task, call)
        if found:
            await asyncio.wait(found, timeout=END_S)

    def _left_behind(self) -> Iterator[tuple[asyncio.Task[Any], ActionCall[Any]]]:
        for task in asyncio.all_tasks():
            work = work_of(task)
            if isinstance(work, ActionCall) and is_over(work) and self._is_its_own(task, work):
                yield task, work

    def _is_its_own(self, task: asyncio.Task[Any], call: ActionCall[Any]) -> bool:
        package = module_of(task).partition(".")[0]
        return package == "asyncio" or (package == self._culprits.package_of(call) and package != "hookrt")

    def _cancel(self, task: asyncio.Task[Any], call: ActionCall[Any]) -> None:
        task.cancel()
        if task in self._cancelled:
            return
        self._cancelled.add(task)
        self._ports.observer.task_leaked(call.action, call.hook)
        self._tell(self._culprits.of_work(call), name_of(task))

    def _tell(self, culprit: Culprit, task: str) -> None:
        left_out = self._rare.due((culprit.name, culprit.hook))
        if left_out is not None:
            more = {"left_out": left_out} if left_out else {}
            self._log.warning("task-leaked", **culprit.fields, task=task, **more, way_out=WAY_OUT)


def module_of(task: asyncio.Task[Any]) -> str:
    """The module of the coroutine that the task runs; empty where nobody can know."""
    coroutine: Any = task.get_coro()
    frame = getattr(coroutine, "cr_frame", None)
    return str(frame.f_globals.get("__name__", "")) if frame is not None else ""


def name_of(task: asyncio.Task[Any]) -> str:
    """The function that the task runs."""
    coroutine: Any = task.get_coro()
    return getattr(coroutine, "__qualname__", type(coroutine).__name__)
