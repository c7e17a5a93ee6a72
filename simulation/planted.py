"""Mistakes that somebody could make in the engine, each with the promise that it breaks.

A mistake is a piece of source text put in the place of another when the module is loaded: the simulation then runs the
real engine but for that piece. What is planted here must be found, else the simulation is worth nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from simulation import checks


@dataclass(frozen=True)
class Mistake:
    """In `module`, `right` becomes `wrong`; one of `found_by` says so, within this many seeds of worlds with `faults`
    (of all kinds, where none are named).
    """

    name: str
    module: str
    right: str
    wrong: str
    found_by: tuple[str, ...]
    faults: tuple[str, ...] | None = None
    within: int = 100


MISTAKES = (
    Mistake(
        "the next step begins before the last one is recorded",
        "hookrt.delivery.deliver",
        "kept = await self.recorder.record(job, over.change(status, lane, self.ports.store.now_us()))",
        "kept = replace(job.delivery, results={**job.delivery.results, **over.results}, step_attempts=0)",
        (checks.NOT_RECORDED,),
    ),
    Mistake(
        "the token of a result is not looked at",
        "hookrt.store.memory.store",
        "row.delivery.status is not Status.RUNNING or row.delivery.lease_token != recording.token",
        "row.delivery.status.final",
        (checks.STALE,),
    ),
    Mistake(
        "deliveries are claimed before they are due",
        "hookrt.store.memory.schedule",
        "return entries[: min(most, bisect_right(entries, (now_us, _AFTER_ALL)))]",
        "return entries[:most]",
        (checks.TOO_EARLY,),
    ),
    Mistake(
        "a place in a lane is freed twice",
        "hookrt.delivery.lane",
        """        else:
            self._lane.recording -= 1""",
        """        else:
            self._lane.recording -= 1
            self._lane.active -= 1""",
        (checks.TOO_MANY,),
    ),
    Mistake(
        "one more than the concurrency may run",
        "hookrt.delivery.lane",
        "if self._lane.active >= self._lane.concurrency:",
        "if self._lane.active > self._lane.concurrency:",
        (checks.TOO_MANY,),
    ),
    Mistake(
        "room that was reserved is not given back",
        "hookrt.delivery.intake",
        """            self._lanes.give_back(job.delivery.lane, job.size)
        prepared.jobs.clear()""",
        "            prepared.jobs.clear()",
        (checks.ACCOUNTS, checks.UNENDED),
    ),
    Mistake(
        "the jitter goes far below the planned wait",
        "hookrt.delivery.backoff",
        "planned = policy.wait(attempts, chance)",
        "planned = policy.wait(attempts, chance) / 4",
        (checks.IMPATIENT,),
    ),
    Mistake(
        "Retry-After is not honoured",
        "hookrt.delivery.decide",
        "outcome.retry_after, situation.chance",
        "None, situation.chance",
        (checks.IMPATIENT,),
        ("bad-endpoints",),
    ),
    Mistake(
        "after a crash a delivery begins at its first step again",
        "hookrt.delivery.dispatcher",
        "            self._lanes.put_claimed(Job(one.delivery, one.event))",
        "            self._lanes.put_claimed(Job(replace(one.delivery, results={}), one.event))",
        (checks.SENT_AGAIN,),
    ),
    Mistake(
        "an event that is stored already is delivered again",
        "hookrt.store.memory.memory",
        "if first := fresh.get(key) or self.events.get(key):",
        "if first := fresh.get(key):",
        (checks.WRONG_HOOKS, checks.EMITTED),
        ("client-repeat", "crash", "lost-answer"),
    ),
    Mistake(
        "the deliveries of a duplicate are handed over",
        "hookrt.delivery.intake",
        "        if saved.conflict or saved.duplicate:",
        "        if saved.duplicate:\n            saved = Saved(saved.deliveries)\n        if saved.conflict:",
        (checks.NOT_LEASED, checks.NOT_DURABLE),
        ("client-repeat",),
    ),
    Mistake(
        "what a dead process leased is never claimed",
        "hookrt.store.memory.claiming",
        "        if row.owner != claim.owner:",
        "        if row.owner is None:",
        (checks.UNENDED,),
        ("crash", "slow-store"),
    ),
    Mistake(
        "a process claims what it holds itself",
        "hookrt.store.memory.claiming",
        "        if row.owner != claim.owner:",
        "        if row.owner:",
        (checks.TWICE_AT_ONCE, checks.SENT_AGAIN, checks.NOT_LEASED),
        ("freeze", "clock-jump", "slow-store", "bad-endpoints"),
    ),
    Mistake(
        "an event is answered before it is on disk",
        "hookrt.delivery.intake",
        "saved = await self._ports.store.save(prepared.new)",
        "self._spawn(self._ports.store.save(prepared.new)); saved = Saved()",
        (checks.NOT_DURABLE, checks.NOT_LEASED),
    ),
    Mistake(
        "a result that the store refuses is given up",
        "hookrt.delivery.record",
        "await self._ports.clock.sleep(PATIENCE_S)",
        "return Recorded.DONE",
        (checks.UNTRUE, checks.NOT_RECORDED, checks.UNENDED),
    ),
    Mistake(
        "a delivery dies one attempt too soon",
        "hookrt.delivery.backoff",
        "attempts > len(policy.delays)",
        "attempts >= len(policy.delays)",
        (checks.GAVE_UP,),
        ("bad-endpoints", "hanging-endpoint"),
    ),
    Mistake(
        "the emit that a client gave up is forgotten",
        "hookrt.delivery.intake",
        "            self._spawn(self._settle(batch, again=True))",
        "            self._end_unsaved(batch, StoreFull())",
        (checks.UNENDED,),
        ("client-cancel",),
    ),
    Mistake(
        "a save without an answer is taken for one that failed",
        "hookrt.delivery.intake",
        "elif leased and isinstance(error, StoreError) and not isinstance(error, StoreFull):",
        "elif False:",
        (checks.UNENDED,),
        ("lost-answer",),
    ),
    Mistake(
        "a claim without an answer is forgotten",
        "hookrt.delivery.dispatcher",
        "            self._unanswered = claim.first_token",
        "            self._unanswered = None",
        (checks.UNENDED,),
        ("lost-answer",),
    ),
    Mistake(
        "a stop goes on handing over",
        "hookrt.delivery.lanes",
        "        self.open = False\n        for lane in",
        "        for lane in",
        (checks.STOPPED, checks.NOT_LEASED),
        ("restart", "slow-store"),
    ),
    Mistake(
        "a delivery that ended with its step moves on in memory all the same",
        "hookrt.delivery.deliver",
        "        if reserved and moved is not None:",
        "        moved = moved or job.delivery\n        if reserved:",
        (checks.SENT_AGAIN, checks.NOT_LEASED, checks.ACCOUNTS, checks.TWICE_AT_ONCE),
        ("operator", "slow-store"),
    ),
    Mistake(
        "an attempt begins although the delivery's time is over",
        "hookrt.delivery.deliver",
        "        if now_us >= delivery.expires_us:",
        "        if now_us < 0:",
        (checks.TOO_LATE, checks.UNENDED),
        ("clock-jump", "crash"),
    ),
    Mistake(
        "what a step emits is not stored with its result",
        "hookrt.delivery.record",
        "emitted=change.emitted,",
        "emitted=(),",
        (checks.EMITTED,),
    ),
    Mistake(
        "the pending limit is not looked at",
        "hookrt.delivery.intake",
        "        if self.open_deliveries >= limits.pending:",
        "        if self.open_deliveries < 0:",
        (checks.OVERFULL,),
        ("hanging-endpoint",),
    ),
    Mistake(
        "observers hear of an attempt before it is recorded",
        "hookrt.delivery.record",
        "        if await self._insist(recording) is Recorded.STALE:",
        "        self._tell(before, after, change)\n        if await self._insist(recording) is Recorded.STALE:",
        (checks.UNTRUE,),
    ),
    Mistake(
        "what has a key is handed over like anything else",
        "hookrt.delivery.intake",
        "        if hook.keyed is not None and",
        "        if hook.name == '' and hook.keyed is not None and",
        (checks.ORDER,),
    ),
    Mistake(
        "hooks that change while what is held is taken up stop a start",
        "hookrt.delivery.engine",
        "in list(self._ports.router.hooks.values()):",
        "in self._ports.router.hooks.values():",
        (checks.BUG,),
        ("hook-away", "restart", "slow-store", "store-error", "gone"),
    ),
)
"""Every mistake that the simulation is known to find."""

REFRESHED = ("hookrt.delivery", "hookrt.store.memory", "simulation")
"""What is loaded anew for a mistake, so that nobody else has it."""

KEPT = ("simulation", "simulation.planted", "simulation.checks", "simulation.hooks")
"""What knows nothing of the engine."""


def find(name: str) -> Mistake:
    """The mistake of this name; raises KeyError."""
    return {mistake.name: mistake for mistake in MISTAKES}[name]


@contextmanager
def planted(mistake: Mistake | None) -> Iterator[Any]:
    """Load the engine with this mistake (or as it is); gives the module `simulation.world` made from it."""
    before = {name: module for name, module in sys.modules.items() if _is_refreshed(name)}
    finder = _Finder(mistake)
    for name in before:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        import simulation.world as made_anew

        yield made_anew
    finally:
        sys.meta_path.remove(finder)
        mistaken = [name for name in sys.modules if _is_refreshed(name)]
        for name in mistaken:
            del sys.modules[name]
        sys.modules.update(before)
        _restore_attributes({**dict.fromkeys(mistaken), **before})


def _is_refreshed(name: str) -> bool:
    return name not in KEPT and any(name == one or name.startswith(f"{one}.") for one in REFRESHED)


def _restore_attributes(modules: dict[str, ModuleType | None]) -> None:
    """An import sets the module as an attribute of its package, which must be the old one again, or none."""
    for name, module in modules.items():
        package, _, attribute = name.rpartition(".")
        if package not in sys.modules:
            continue
        if module is not None:
            setattr(sys.modules[package], attribute, module)
        elif hasattr(sys.modules[package], attribute):
            delattr(sys.modules[package], attribute)


class _Finder(MetaPathFinder):
    def __init__(self, mistake: Mistake | None) -> None:
        self._mistake = mistake

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module as it is on disk, but for the mistake."""
        if self._mistake is None or fullname != self._mistake.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin, self._mistake)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, mistake: Mistake) -> None:
        super().__init__(name, path)
        self._mistake = mistake

    def get_code(self, fullname: str) -> CodeType:
        """The module's code with the mistake in it; raises LookupError where there is no such place any more."""
        source, mistake = Path(self.path).read_text(encoding="utf-8"), self._mistake
        if source.count(mistake.right) != 1:
            raise LookupError(f"{self.path} has {source.count(mistake.right)} times: {mistake.right}")
        return compile(source.replace(mistake.right, mistake.wrong), self.path, "exec", dont_inherit=True)
