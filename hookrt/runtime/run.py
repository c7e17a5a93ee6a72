"""One run of a runtime, from its start to its stop: the engine, and what it shares the store and its hours with."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import timedelta

from hookrt.delivery.engine import Engine
from hookrt.delivery.ports import Ports
from hookrt.egress import Egress
from hookrt.errors import UsageError
from hookrt.model.event import EventDraft
from hookrt.model.hook import Hook
from hookrt.runtime.control import Control
from hookrt.runtime.deciding import DecisionDoor
from hookrt.runtime.isolation import Isolation
from hookrt.runtime.processes import Processes
from hookrt.runtime.receipt import Receipt
from hookrt.runtime.samples import Samples
from hookrt.runtime.source_runs import SourceRuns
from hookrt.runtime.wiring import Parts

STARTED_BEFORE_FORK = (
    "this runtime was started before the process forked: start one in each worker process "
    "(gunicorn: in post_fork or the application's start-up, not with --preload)"
)
"""What is said to a forked process that uses the runtime of its parent."""

OTHER_LOOP = (
    "this runtime runs in another event loop: await it there (from other threads by asyncio.run_coroutine_threadsafe), "
    "or use `runtime.blocking()`, which can be called from any thread"
)
"""What is said to a task that runs in another event loop."""

LOOP_CLOSED = "the event loop in which this runtime was started was closed before it was stopped: make another runtime"
"""What is said when nothing can be done any more."""


class Run:
    """What exists only while a runtime runs. `engine` delivers, `control` is what people do to deliveries, `decisions`
    takes questions.
    """

    def __init__(self, parts: Parts, ports: Ports, egress: Egress, sources: SourceRuns) -> None:
        self._pid = os.getpid()
        self._loop = asyncio.get_running_loop()
        owner = f"{self._pid}-{ports.ids.new('run')}"
        self.engine = Engine(ports, owner)
        self.decisions = DecisionDoor(parts, ports, self.engine, owner)
        self.control = Control(ports, self.engine, egress.unsent_for, parts.registry.observers, Samples(parts))
        self._processes = Processes(self.engine, parts, sources, self.control.runner)
        self._isolation = Isolation(parts, ports)

    async def start(self, *, lead: bool) -> None:
        """Begin to deliver, or to wait for the process that does; without `lead` never deliver."""
        self._isolation.start()
        await self.engine.start(lead=lead, on_lead=self._processes.on_lead)

    @property
    def here(self) -> bool:
        """Whether it is this process that runs it, not one that was forked from that."""
        return os.getpid() == self._pid

    def check_process(self) -> None:
        """Raise UsageError in a process that was forked from the one that runs this."""
        if not self.here:
            raise UsageError(STARTED_BEFORE_FORK)

    def check_loop(self) -> None:
        """Raise UsageError in another process, or another event loop, than the one it was started in."""
        self.check_process()
        if asyncio.get_running_loop() is not self._loop:
            raise UsageError(LOOP_CLOSED if self._loop.is_closed() else OTHER_LOOP)

    def take_up_soon(self, hook: Hook) -> None:
        """A hook appeared, in whatever thread: what is held for it goes on."""
        self._loop.call_soon_threadsafe(self.engine.take_up_soon, hook)

    async def accept(self, drafts: Sequence[EventDraft], default_source: str) -> list[Receipt]:
        """Store events, all or none."""
        self.check_loop()
        accepted = await self._processes.accept(drafts, default_source)
        return [Receipt(one.id, one.source, one.deliveries, one.duplicate, self.engine.waiters) for one in accepted]

    async def stop(self, drain: timedelta) -> bool:
        """Let attempts under way finish within `drain`; whether they did. Nothing new can begin from here on."""
        await self.engine.withdraw()
        await self._processes.stop()
        try:
            finished, _ = await asyncio.gather(self.engine.stop(drain), self.decisions.stop(drain))
            return finished
        finally:
            await self._isolation.stop()
