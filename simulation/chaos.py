"""What goes wrong in a world, and when; all of it by the world's seed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from hookrt.delivery.hook_states import HookStates
from hookrt.errors import HookrtError
from hookrt.model.delivery import Status
from simulation.hooks import configuration
from simulation.network import BAD, GONE, GOOD, HANGING
from simulation.process import Process
from simulation.surroundings import Surroundings

ORIGINS = ("http://crm.internal", "http://mail.internal", "http://api.internal")
"""All endpoints."""

DAY_S = 86_400
"""How far a clock may jump."""


def _enable(name: str, states: HookStates) -> Coroutine[Any, Any, bool]:
    return states.enable(name)


class Machine(Protocol):
    """Runs the processes."""

    @property
    def running(self) -> list[Process]:
        """Those that run, started or not."""
        ...

    def replace(self, process: Process, after_s: float) -> None:
        """Start another one in its place after a while."""
        ...


class Chaos:
    """Makes the faults of the plan happen until `heal`."""

    def __init__(self, world: Surroundings, machine: Machine) -> None:
        self._world = world
        self._machine = machine
        self._chance = random.Random(f"chaos {world.plan.seed}")
        self._over = False
        self._furthest_us = 0  # where the clock ends, since what is due there would wait for it
        self._faults: dict[str, tuple[float, Callable[[], Coroutine[Any, Any, None]]]] = {
            "restart": (20, self._restart),
            "freeze": (15, self._freeze),
            "slow-store": (15, self._slow_store),
            "store-error": (10, self._break_store),
            "lost-answer": (15, self._lose_answers),
            "disk-full": (20, self._fill_disk),
            "bad-endpoints": (5, self._spoil_endpoints),
            "hanging-endpoint": (20, self._hang_endpoint),
            "clock-jump": (20, self._jump),
            "operator": (3, self._operate),
            "hook-away": (15, self._take_hook_away),
            "hook-disabled": (15, self._disable_hook),
            "gone": (15, self._be_gone),
        }

    async def run(self) -> None:
        """Until healed: every fault of the plan again and again, at random distances."""
        plan = self._world.plan
        if plan.has("duplicate"):
            self._world.network.duplicates = 0.3
        if plan.has("crash"):
            self._world.loop.upset = self._crash
            self._plan_crash()
        every = [self._again(*fault) for name, fault in self._faults.items() if plan.has(name)]
        await asyncio.gather(*every)

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self._over = True
        world = self._world
        world.loop.upset_at = -1
        world.network.duplicates = 0.0
        world.network.moods.clear()
        disk = world.disk
        disk.full, disk.slow_s, disk.errors, disk.lost = False, 0.0, 0.0, 0.0
        world.clock.ahead_us = self._furthest_us
        world.monitor.note("chaos", "all is well from now on")
        for process in self._machine.running:
            world.loop.thaw(process.owner)
        self._bring_back()

    async def _again(self, distance_s: float, fault: Callable[[], Coroutine[Any, Any, None]]) -> None:
        scaled = min(distance_s, self._world.plan.chaos_s / 3)
        while True:
            await asyncio.sleep(self._chance.expovariate(1 / scaled))
            if self._over:
                return
            self._world.monitor.note("chaos", fault.__name__.strip("_"))
            await fault()

    # Processes

    def _plan_crash(self) -> None:
        self._world.loop.upset_at = self._world.loop.steps + self._chance.randint(50, 2500)

    def _crash(self) -> None:
        """Called by the loop between any two callbacks."""
        running = [process for process in self._machine.running if process.owner.alive]
        if running:
            process = self._chance.choice(running)
            process.crash()
            self._machine.replace(process, self._chance.choice((0.0, 1.0, 10.0)))
        self._plan_crash()

    async def _restart(self) -> None:
        running = [process for process in self._machine.running if process.engine and not process.owner.frozen]
        if not running:
            return
        process = self._chance.choice(running)
        answer = process.call(process.stop(self._chance.choice((0.0, 2.0, 8.0))))
        await asyncio.wait([answer])
        if process.owner.alive:
            process.end()
            self._machine.replace(process, self._chance.random() * 3)

    async def _freeze(self) -> None:
        running = self._machine.running
        if running:
            process = self._chance.choice(running)
            process.owner.frozen = True
            await asyncio.sleep(self._chance.choice((0.5, 5.0, 30.0)))
            self._world.loop.thaw(process.owner)

    # The disk

    async def _slow_store(self) -> None:
        self._world.disk.slow_s = self._chance.choice((0.1, 1.0, 4.0))
        await self._while()
        self._world.disk.slow_s = 0.0

    async def _break_store(self) -> None:
        self._world.disk.errors = self._chance.choice((0.1, 0.5, 1.0))
        await self._while()
        self._world.disk.errors = 0.0

    async def _lose_answers(self) -> None:
        self._world.disk.lost = self._chance.choice((0.1, 0.5))
        await self._while()
        self._world.disk.lost = 0.0

    async def _fill_disk(self) -> None:
        self._world.disk.full = True
        await self._while()
        self._world.disk.full = False

    # The world

    async def _spoil_endpoints(self) -> None:
        moods = self._world.network.moods
        for origin in ORIGINS:
            if self._chance.random() < 0.7:
                moods[origin] = BAD
        await self._while()
        moods.clear()

    async def _hang_endpoint(self) -> None:
        origin = self._chance.choice(ORIGINS)
        self._world.network.moods[origin] = HANGING
        await self._while()
        self._world.network.moods[origin] = GOOD

    async def _jump(self) -> None:
        seconds = self._chance.choice((-DAY_S, -600, -20, -1, 1, 20, 600, DAY_S))
        self._world.clock.ahead_us = seconds * 1_000_000
        self._furthest_us = max(self._furthest_us, self._world.clock.ahead_us)

    async def _operate(self) -> None:
        """Somebody cancels a delivery, or pulls one forward."""
        world = self._world
        rows = [row for row in world.memory.in_order if not row.delivery.status.final]
        running = [process for process in self._machine.running if process.engine and not process.owner.frozen]
        if not rows or not running:
            return
        row, process = self._chance.choice(rows), self._chance.choice(running)
        identity = row.delivery.id
        if self._chance.random() < 0.3:
            holder = row.owner if row.delivery.status is Status.RUNNING else None
            world.monitor.cancelled[identity] = holder
            await process.store.inner.cancel(identity, "by-hand")
        elif row.delivery.status is Status.WAITING:
            world.monitor.waited.add((identity, row.delivery.attempts))
            await process.store.inner.retry_now(identity)
            if process.engine is not None:
                world.loop.call_soon(process.engine.kick, context=process.context)

    async def _take_hook_away(self) -> None:
        """A hook is not defined for a while."""
        hook = self._chance.choice(configuration().hooks)
        away = self._world.monitor.away
        away.add(hook.name)
        self._world.monitor.ever_away.add(hook.name)
        for process in self._machine.running:
            process.ports.router.remove(hook.name)
        await self._while()
        self._bring_back()

    async def _disable_hook(self) -> None:
        """Somebody disables a hook for a while."""
        name = self._chance.choice(configuration().hooks).name
        await self._ask(lambda states: states.disable(name))
        await self._while()
        await self._ask(lambda states: states.enable(name))

    async def _be_gone(self) -> None:
        moods = self._world.network.moods
        for origin in ORIGINS:
            moods[origin] = GONE
        await self._while()
        moods.clear()
        if self._chance.random() < 0.5:
            await self.enable_all()

    async def enable_all(self) -> None:
        """Enable every hook that is disabled."""
        for state in list(self._world.memory.states.values()):
            if state.disabled:
                await self._ask(partial(_enable, state.hook))

    async def _ask(self, what: Callable[[HookStates], Coroutine[Any, Any, bool]]) -> None:
        """Ask the process that delivers, if one does."""
        leading = [one for one in self._machine.running if one.engine is not None and one.engine.leading]
        if leading and leading[0].engine is not None:
            try:
                await leading[0].call(what(leading[0].engine.states))
            except (HookrtError, ConnectionResetError) as error:
                self._world.monitor.note("chaos", f"no answer: {error!r}")

    def _bring_back(self) -> None:
        away = self._world.monitor.away
        for hook in configuration().hooks:
            if hook.name in away:
                away.discard(hook.name)
                for process in self._machine.running:
                    process.put_hook(hook)

    async def _while(self) -> None:
        """As long as a fault lasts."""
        await asyncio.sleep(self._chance.choice((0.5, 3.0, 10.0)))
