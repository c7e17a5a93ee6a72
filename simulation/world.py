"""One world from its beginning to its end, and the checks that can only be made then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from hookrt.errors import StoreError
from simulation import checks
from simulation.chaos import Chaos
from simulation.clients import Clients
from simulation.last_checks import check_all
from simulation.monitor import Violation
from simulation.plan import Plan, make_plan
from simulation.process import Process
from simulation.surroundings import Surroundings

PATIENCE_S = 2700.0
"""Within this time after all is well, every delivery must have ended; the longest lives half an hour."""

SETTLE_S = 15.0
"""What the counts of open deliveries may lag behind."""


@dataclass(frozen=True)
class Result:
    """What came of a seed; without a violation all is as promised."""

    plan: Plan
    violation: Violation | None
    steps: int
    attempts: int
    accepted: int
    seconds: float


class World:
    """The machine on which the processes run, and all that happens on it."""

    def __init__(self, plan: Plan, trace: Callable[[str], None] | None = None) -> None:
        self.around = Surroundings(plan, trace)
        self._places: list[Process | None] = [None] * plan.processes
        self._starts = 0
        self._chaos = Chaos(self.around, self)
        self._clients = Clients(self.around, self._pick)

    @property
    def running(self) -> list[Process]:
        """The processes that run."""
        return [process for process in self._places if process is not None]

    def run(self) -> Result:
        """All of it."""
        loop, monitor = self.around.loop, self.around.monitor
        try:
            loop.run(self._main())
        finally:
            monitor.over = True
            loop.close()
        return Result(
            self.around.plan,
            monitor.violation,
            loop.steps,
            monitor.counts["attempts"],
            monitor.counts["accepted"],
            loop.time(),
        )

    def replace(self, process: Process, after_s: float) -> None:
        """Start another one in its place."""
        place = self._places.index(process)
        self._places[place] = None
        self.around.loop.create_task(self._start(place, after_s))

    async def _main(self) -> None:
        loop, plan = self.around.loop, self.around.plan
        for place in range(plan.processes):
            loop.create_task(self._start(place, self.around.chance.random()))
        clients = loop.create_task(self._clients.run())
        loop.create_task(self._chaos.run())
        await asyncio.sleep(plan.chaos_s)
        self._chaos.heal()
        await clients
        await self._rest()
        self._check_end()
        await self._stop_all()

    async def _start(self, place: int, after_s: float) -> None:
        """A process that cannot start is started again."""
        while True:
            await asyncio.sleep(after_s)
            self._starts += 1
            process = Process(self.around, f"p{place + 1}.{self._starts}")
            self._places[place] = process
            self.around.monitor.note(process.name, "START")
            try:
                await process.call(process.start())
            except StoreError:
                process.owner.alive = False
                after_s = 1.0
            except ConnectionResetError:  # it crashed, and is replaced
                return
            except Exception as error:
                self.around.monitor.fail(checks.BUG, f"{process.name} does not start: {error!r}")
                raise
            else:
                return

    def _pick(self) -> Process | None:
        ready = [process for process in self.running if process.engine is not None]
        return self.around.chance.choice(ready) if ready else None

    async def _rest(self) -> None:
        """Until every delivery has ended, or should have."""
        rows, loop = self.around.memory.in_order, self.around.loop
        until, settled = loop.time() + PATIENCE_S, 0.0
        while loop.time() < until and settled < SETTLE_S:
            await asyncio.sleep(1)
            await self._chaos.enable_all()
            settled = settled + 1 if all(row.delivery.status.final for row in rows) else 0.0

    def _check_end(self) -> None:
        check_all(self.around)
        for process in self.running:
            process.check_accounts()
        for unhandled in self.around.loop.unhandled:
            self.around.monitor.fail(checks.BUG, unhandled)

    async def _stop_all(self) -> None:
        for process in self.running:
            if process.engine is not None:
                await process.call(process.stop(8.0))
        await asyncio.sleep(60)


def run_seed(seed: int, trace: Callable[[str], None] | None = None, faults: Collection[str] | None = None) -> Result:
    """The world of this seed; with `faults` it has exactly these."""
    return World(make_plan(seed, faults), trace).run()
