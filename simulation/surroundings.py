"""What all processes of a world share: time, chance, disk, network, hooks, and the monitor."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

from hookrt.model.hook import Destination, Hook
from hookrt.model.ids import IdSource
from hookrt.plugin.action import Action
from hookrt.store.memory.memory import Memory
from simulation.disk import Disk
from simulation.hooks import actions, configuration
from simulation.loop import Disorder, VirtualLoop
from simulation.monitor import Monitor
from simulation.network import Network, Request
from simulation.plan import Plan

START_US = 1_750_000_000_000_000
"""When every world begins."""


def _make_loop(disorder: Disorder) -> VirtualLoop:
    return VirtualLoop(disorder)  # type: ignore[abstract]  # what is left out is I/O, which nobody here does


class SimulatedClock:
    """The loop's time; its wall time may jump."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.ahead_us = 0

    def now_us(self) -> int:
        """Wall time."""
        return START_US + round(self._loop.time() * 1_000_000) + self.ahead_us

    def monotonic(self) -> float:
        """Seconds since the world began."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Wait in the loop's time."""
        await asyncio.sleep(seconds)


class Surroundings:
    """The world without its processes."""

    def __init__(self, plan: Plan, trace: Callable[[str], None] | None) -> None:
        self.plan = plan
        self.chance = random.Random(f"world {plan.seed}")
        self.jitter = random.Random(f"jitter {plan.seed}")
        self.loop = _make_loop(Disorder(random.Random(f"order {plan.seed}"), plan.shuffle, plan.stall))
        self.clock = SimulatedClock(self.loop)
        self.ids = IdSource(self.clock.now_us, random.Random(f"ids {plan.seed}").getrandbits)
        self.memory = Memory()
        self.monitor = Monitor(plan, self.clock, self.memory, trace)
        self.monitor.on_violation = self._stop
        self.disk = Disk(self.loop, random.Random(f"disk {plan.seed}"), self.memory)
        self.network = Network(self.loop, random.Random(f"network {plan.seed}"), self._see)

    @property
    def actions(self) -> Mapping[str, Action[Any]]:
        """The real actions."""
        return actions()

    @property
    def destinations(self) -> Mapping[str, Destination]:
        """The destinations of hooks.yaml."""
        return configuration().destinations

    def present_hooks(self) -> list[Hook]:
        """The hooks that are not away."""
        return [hook for hook in configuration().hooks if hook.name not in self.monitor.away]

    def _stop(self) -> None:
        self.loop.stopped = True

    def _see(self, does: str, request: Request) -> None:
        copy = " (a copy)" if request.copy else ""
        self.monitor.note("network", f"{request.url} {request.message_id[-6:]} {does}{copy}")
