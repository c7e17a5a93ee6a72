"""One process: the real engine on the simulated store and network, which may crash, freeze, or stop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

from hookrt.delivery.engine import Engine
from hookrt.delivery.intake import Accepted
from hookrt.delivery.ports import Ports
from hookrt.errors import StoreError
from hookrt.matching.router import Router
from hookrt.model.event import EventDraft
from hookrt.model.hook import Hook
from hookrt.model.outcome import Outcome
from hookrt.plugin.action import Action, ActionCall
from hookrt.plugin.observer import AttemptRecorded, Observer
from hookrt.plugin.settings import Settings
from hookrt.store.contract import Store
from simulation import checks
from simulation.disk import SimulatedStore
from simulation.loop import OWNER, Owner
from simulation.network import WORLD, SimulatedWayOut
from simulation.surroundings import Surroundings

SLACK = 9
"""By so many deliveries one call under way may pass the pending limit."""

HARMLESS = frozenset({"bad-endpoints", "hanging-endpoint", "slow-store"})
"""Faults with which a process alone knows how many deliveries are open."""


class Log:
    """What a process logs: for the trace, and for errors that nobody made up."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.last: dict[str, Any] = {}

    def debug(self, event: str, **fields: Any) -> None:
        """Of an attempt: which delivery it is of."""
        self.last = fields

    def info(self, event: str, **fields: Any) -> None:
        """For the trace."""
        self._process.world.monitor.note(self._process.name, f"log     {event} {_few(fields)}")

    def warning(self, event: str, **fields: Any) -> None:
        """For the trace."""
        self.info(event, **fields)

    def error(self, event: str, **fields: Any) -> None:
        """An error that was not simulated is a bug."""
        self.info(event, **fields)
        if event not in {"delivery-dead"} and "simulated" not in str(fields.get("error", "")):
            self._process.world.monitor.fail(checks.BUG, f"{event} {fields}")


class Watched(Action[Settings]):
    """An action whose every run the monitor sees."""

    def __init__(self, inner: Action[Any], process: Process) -> None:
        self.name = inner.name  # type: ignore[misc]
        self._inner = inner
        self._process = process

    async def run(self, call: ActionCall[Any]) -> Outcome:
        """Run the action once."""
        process = self._process
        call.log.debug("simulated")
        if process.stopped:
            process.world.monitor.fail(checks.STOPPED, f"an attempt of {call.hook} in {process.name}")
        running = process.world.monitor.begin(process.name, process.log.last["delivery"], call)
        outcome: Outcome | None = None
        try:
            outcome = await self._inner.run(call)
        finally:
            process.world.monitor.end(running, outcome)
        return outcome


class Listener(Observer):
    """Asks the monitor whether what is told is true."""

    def __init__(self, process: Process) -> None:
        self._monitor = process.world.monitor

    def attempt_recorded(self, recorded: AttemptRecorded) -> None:
        """It must be on disk."""
        self._monitor.heard(recorded.delivery, attempt=recorded.attempt.number)


class Process:
    """Starts in a context of its own, by which the loop knows what belongs to it. `name` is new at every start."""

    def __init__(self, world: Surroundings, name: str) -> None:
        self.world = world
        self.name = name
        self.owner = Owner()
        self.stopped = False
        self.log = Log(self)
        self.context = contextvars.Context()
        self.context.run(OWNER.set, self.owner)
        self.store = SimulatedStore(world.disk, world.clock, lambda *operation: world.monitor.commits(name, *operation))
        self.ports = self._ports()
        self.engine: Engine | None = None
        self._starting: Engine | None = None
        self._calls: dict[asyncio.Task[Any], asyncio.Future[Any]] = {}

    def call(self, work: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
        """Run something in this process; the future has its result, or ConnectionResetError after a crash."""
        answer = self.world.loop.create_future()
        task = self.world.loop.create_task(work, context=self.context)
        self._calls[task] = answer
        task.add_done_callback(self._answer, context=WORLD)
        answer.add_done_callback(lambda _: answer.cancelled() and task.cancel(), context=self.context)
        return answer

    async def start(self) -> None:
        """As the runtime does it; raises StoreError when the store cannot."""
        await self.store.open()
        engine = self._starting = Engine(self.ports, self.name)
        try:
            await engine.start()
        except StoreError:
            await engine.stop(timedelta(0))
            await self.store.close()
            raise
        self.engine, self._starting = engine, None

    async def stop(self, drain_s: float) -> None:
        """Gracefully, as the runtime does it."""
        engine, self.engine = self.engine, None
        if engine is not None:
            await engine.stop(timedelta(seconds=drain_s))
            self.stopped = True
        await self.store.close()

    def crash(self) -> None:
        """Nothing of it runs any more."""
        self.world.monitor.note(self.name, "CRASH")
        self.store.crash()
        self.end()

    def end(self) -> None:
        """The process is over, and its connections break off."""
        self.owner.alive = False
        self.engine = None
        self.world.monitor.crashed(self.name)
        for answer in self._calls.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError())
        self._calls.clear()

    async def accept(self, drafts: Sequence[EventDraft], *, batch: bool) -> list[Accepted]:
        """What a request to this process does."""
        if self.engine is None:
            raise ConnectionResetError
        monitor, limit = self.world.monitor, self.ports.limits.pending
        steady = self.world.plan.processes == 1 and self.world.plan.faults <= HARMLESS
        crowded = steady and monitor.open_deliveries >= limit + SLACK * (1 + len(self._calls))
        if batch:
            accepted = await self.engine.intake.accept_all(drafts, "client")
        else:
            accepted = [await self.engine.intake.accept(drafts[0], "client")]
        if crowded:
            monitor.fail(checks.OVERFULL, f"accepted with more than {limit} open deliveries")
        for one in accepted:
            monitor.answered(self.name, (one.source, one.id), one.deliveries)
        return accepted

    def put_hook(self, hook: Hook) -> None:
        """Define a hook (again)."""
        self.ports.router.put(hook)
        engine = self.engine or self._starting
        if engine is not None:
            self.world.loop.call_soon(engine.take_up_soon, hook, context=self.context)

    def check_accounts(self) -> None:
        """At rest, nothing takes room."""
        engine = self.engine
        if engine is None:
            return
        lanes = engine.lanes
        if lanes.jobs or lanes.bytes or any(any(pair) for pair in lanes.figures().values()):
            self.world.monitor.fail(
                checks.ACCOUNTS, f"{self.name}: {lanes.jobs} jobs, {lanes.bytes} bytes, {lanes.figures()}"
            )
        if engine.intake.open_deliveries:
            self.world.monitor.fail(checks.ACCOUNTS, f"{self.name}: {engine.intake.open_deliveries} open deliveries")

    def _answer(self, task: asyncio.Task[Any]) -> None:
        answer = self._calls.pop(task, None)
        if answer is None or answer.done():
            with suppress(BaseException):
                task.exception()
        elif task.cancelled():
            answer.cancel()
        elif error := task.exception():
            answer.set_exception(error)
        else:
            answer.set_result(task.result())

    def _ports(self) -> Ports:
        world = self.world
        return Ports(
            store=cast(Store, self.store),
            clock=world.clock,
            random=world.jitter.random,
            ids=world.ids,
            router=Router(world.present_hooks()),
            actions={name: Watched(action, self) for name, action in world.actions.items()},
            way_out=SimulatedWayOut(world.network),
            log=self.log,
            destinations=world.destinations,
            observer=Listener(self),
            limits=world.plan.limits,
        )


def _few(fields: dict[str, Any]) -> str:
    return " ".join(f"{name}={str(value)[:60]}" for name, value in fields.items())
