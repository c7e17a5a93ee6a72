"""What one seed makes of a world: how large it is, what its limits are, and which faults it has."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from hookrt.delivery.limits import Limits

FAULTS = (
    "crash",
    "restart",
    "freeze",
    "slow-store",
    "store-error",
    "lost-answer",
    "disk-full",
    "bad-endpoints",
    "hanging-endpoint",
    "duplicate",
    "clock-jump",
    "client-cancel",
    "client-repeat",
    "operator",
    "hook-away",
    "hook-disabled",
    "gone",
)
"""All kinds of faults; a seed has some of them."""


@dataclass(frozen=True)
class Plan:
    """One world: `events` are emitted within `chaos_s` seconds, in which the `faults` happen; then all is well."""

    seed: int
    processes: int
    events: int
    chaos_s: float
    faults: frozenset[str]
    limits: Limits
    shuffle: float
    stall: float

    def has(self, fault: str) -> bool:
        """Whether this world has such faults."""
        return fault in self.faults

    def __str__(self) -> str:
        faults = ", ".join(sorted(self.faults)) or "none"
        return f"{self.processes} processes, {self.events} events in {self.chaos_s:.0f} s, faults: {faults}"


def make_plan(seed: int, faults: Collection[str] | None = None) -> Plan:
    """The world of this seed; with `faults` it has exactly these."""
    chance = random.Random(f"plan {seed}")
    share = chance.choice((0.0, 0.15, 0.3, 0.3, 0.5))
    return Plan(
        seed=seed,
        processes=chance.choice((1, 1, 2, 3)),
        events=chance.randint(3, 30),
        chaos_s=chance.choice((5.0, 20.0, 60.0)),
        faults=frozenset(fault for fault in FAULTS if chance.random() < share) if faults is None else frozenset(faults),
        limits=_limits(chance),
        shuffle=chance.choice((0.0, 0.2, 1.0, 1.0)),
        stall=chance.choice((0.0, 0.0, 0.002)),
    )


def _limits(chance: random.Random) -> Limits:
    return Limits(
        concurrency=chance.choice((1, 2, 4)),
        in_flight=chance.choice((2, 8, 10_000)),
        pending=chance.choice((3, 1_000_000, 1_000_000)),
        lease=timedelta(seconds=chance.choice((6, 20, 60))),
        poll=timedelta(seconds=chance.choice((0.5, 1, 2))),
    )
