"""The workers of all hooks: each belongs to one hook, their number is bounded, and blank spares hide their start."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hookrt.actions.python_snippet.crew import Crew, CrewKey, Place
from hookrt.actions.python_snippet.debt import SPENT
from hookrt.actions.python_snippet.fairness import Fairness, Standing
from hookrt.actions.python_snippet.levels import Weakest, describe_shortfall, reaches
from hookrt.actions.python_snippet.process import PATIENCE, Displaced, Worker, WorkerFault
from hookrt.actions.python_snippet.runs import Limits, Run
from hookrt.actions.python_snippet.spawn import BOOT
from hookrt.actions.python_snippet.worker.wire import Answer
from hookrt.plugin import PluginError

__all__ = ["Limits", "Pool", "PoolSize", "Run"]

TENURE = 0.5
"""Seconds that a busy hook keeps a worker while other hooks have none."""


@dataclass(frozen=True, slots=True)
class PoolSize:
    """How many workers serve hooks at most, how many blank ones wait beside them, and how long one serves.

    `memory` is that of the blank ones, in bytes; a hook with another limit does not profit from them. A worker below
    the isolation level `require` runs nothing.
    """

    workers: int
    spares: int = 1
    runs_per_worker: int = 10_000
    memory: int = 256 * 1024 * 1024
    require: str = "degraded"


class Pool:
    """Runs snippets in workers. Nothing is started before the first run.

    A hook has one worker, which is given several short runs at a time, and gets more workers when its runs have been
    queueing up for PATIENCE seconds and there is room. When there is none, the worker that has been idle longest is
    ended; when none is idle, busy hooks give theirs up in turn. So thousands of hooks share a bounded number of
    processes, and take at most (workers + spares) x memory.
    """

    def __init__(self, size: PoolSize, boot: Path = BOOT) -> None:
        self._size = size
        self._boot = boot
        self._crews: dict[CrewKey, Crew] = {}
        self._idle: dict[Worker, Crew] = {}  # in the order in which they became idle
        self._starved: deque[Crew] = deque()
        self._fairness = Fairness(size.workers)
        self._spares: list[Worker] = []
        self._spares_starting = 0
        self._count = 0
        self._numbers = itertools.count()
        self._starts: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._weakest = Weakest()
        self._closed = False
        self._loop = asyncio.get_running_loop()

    async def run(self, hook: str, run: Run) -> Answer:
        """Run it in a worker of the hook; raises WorkerFault when the worker gave no answer.

        Who waits while another run kills the worker, or takes long, moves on to the next one.
        """
        key = run.key(hook)
        crew = self._crews.get(key) or self._crews.setdefault(key, Crew(key))
        worker, number = crew.free_place(), next(self._numbers)
        if worker is None:
            worker = await self._wait_patiently(crew, number, run)
        else:
            self._occupy(crew, worker)
        while True:
            try:
                return await self._ask(crew, worker, run)
            except Displaced:
                crew = self._crews.setdefault(key, crew)
                worker = await self._wait_patiently(crew, number, run, alone=True)

    async def _ask(self, crew: Crew, worker: Worker, run: Run) -> Answer:
        worker.reserved -= 1
        began = self._loop.time()
        try:
            answer = await worker.ask(run.request(), run.code, run.broker)
            crew.learn(answer.took)
            self._note(crew, began, well=answer.kind not in SPENT)
            return answer
        except Displaced:
            crew.learn(PATIENCE)
            raise
        except WorkerFault:
            self._note(crew, began, well=False)
            raise
        finally:
            self._take_back(crew, worker)

    def _note(self, crew: Crew, began: float, well: bool) -> None:
        if self._fairness.note(crew.key.hook, self._loop.time() - began, well=well):
            self._feed_starved()

    async def prepare(self) -> None:
        """Start the first worker, as a spare; PluginError when none can be started, or none that is isolated enough."""
        worker = await self._start(self._size.memory)
        worker.on_death = self._lost_spare
        if self._size.spares:
            self._spares.append(worker)
        else:
            self._end(worker)

    async def close(self) -> None:
        """End every process; runs under way fail as `crashed`."""
        self._closed = True
        workers = [*self._spares, *(worker for crew in self._crews.values() for worker in crew.members)]
        for task in self._starts:
            task.cancel()
        for worker in workers:
            self._end(worker)
        for crew in list(self._crews.values()):
            self._fail_waiting(crew, WorkerFault("crashed", "the service is stopping"))
        while self._starts or self._ends:
            await asyncio.gather(*self._starts, *self._ends, return_exceptions=True)

    def pids(self, hook: str) -> list[int]:
        """The processes that belong to a hook."""
        return [worker.pid for crew in self._crews.values() if crew.key.hook == hook for worker in crew.members]

    @property
    def isolation(self) -> str | None:
        """The lowest isolation level of the workers that there are, or were last; None before the first one."""
        return None if self._weakest.worker is None else self._weakest.worker.isolation

    @property
    def walls(self) -> tuple[str, ...]:
        """The walls that stand around the worker of that level."""
        return () if self._weakest.worker is None else self._weakest.worker.walls

    @property
    def processes(self) -> int:
        """How many worker processes there are, spares included."""
        return self._count + len(self._spares) + self._spares_starting

    # Giving workers out

    def _occupy(self, crew: Crew, worker: Worker) -> None:
        """A run is to have a place in this worker."""
        self._idle.pop(worker, None)
        worker.reserved += 1
        if worker.load > 1:
            self._provide(crew)

    async def _wait_patiently(self, crew: Crew, number: int, run: Run, alone: bool = False) -> Worker:
        if run.patience is None:
            return await self._wait_for_worker(crew, number, alone)
        run.patience.hold()
        try:
            return await self._wait_for_worker(crew, number, alone)
        finally:
            run.patience.begin()

    async def _wait_for_worker(self, crew: Crew, number: int, alone: bool = False) -> Worker:
        if self._closed:
            raise WorkerFault("crashed", "the service is stopping")
        place = Place(number, self._loop.create_future(), alone)
        crew.wait(place)
        for worker in list(crew.idle):
            self._hand_over(crew, worker)
        self._provide(crew)
        try:
            return await place.future
        except asyncio.CancelledError:
            if place.given is not None:
                place.given.reserved -= 1
                self._take_back(crew, place.given)
            self._forget_if_empty(crew)
            raise

    def _provide(self, crew: Crew) -> None:
        """See to it that whoever waits gets a worker: the first one now, more of them after a while."""
        if self._closed or not crew.crowded:
            return
        if crew.members or crew.starting:
            if crew.watch is None:
                crew.relaxed = False
                crew.watch = self._loop.call_later(PATIENCE, self._look_at_queue, crew)
        elif self._make_room(crew):
            self._recruit(crew)
        elif crew not in self._starved:
            self._starved.append(crew)

    def _look_at_queue(self, crew: Crew) -> None:
        """One worker more, if none of them had nothing to do for a while."""
        crew.watch = None
        overdue = crew.crowded and not crew.relaxed
        if overdue and not crew.starting and not self._is_wanted_from(crew) and self._has_room(crew):
            self._recruit(crew)
        self._provide(crew)

    def _make_room(self, crew: Crew) -> bool:
        if not self._has_room(crew):
            crews = self._crews.values()
            idle = ((w, other) for w, other in self._idle.items() if self._fairness.may_replace(crew, other, crews))
            worker, other = next(idle, (None, None))
            if worker is not None and other is not None:
                self._dismiss(other, worker)
        return self._has_room(crew)

    def _has_room(self, crew: Crew) -> bool:
        return self._count < self._size.workers and self._fairness.may_grow(crew, self._crews.values())

    def _is_wanted_from(self, crew: Crew) -> bool:
        """Whether somebody without a worker may have one of this crew's."""
        return any(self._fairness.may_replace(other, crew, self._crews.values()) for other in self._starved)

    def _take_back(self, crew: Crew, worker: Worker) -> None:
        """A worker has a place free again: it goes to whoever waits; if all are free the worker rests, or is ended."""
        if worker not in crew.members:
            self._provide(crew)
            self._forget_if_empty(crew)
            return
        if not worker.retiring:
            worn = worker.runs >= self._size.runs_per_worker or worker.is_worn()
            worker.retiring = worn or self._must_yield(crew, worker)
        if worker.dead or (worker.retiring and not worker.load):
            self._dismiss(crew, worker)
        elif not worker.retiring:
            self._hand_over(crew, worker)

    def _hand_over(self, crew: Crew, worker: Worker) -> None:
        while (place := crew.next_for(worker)) is not None:
            if worker in crew.idle:
                crew.idle.remove(worker)
            self._occupy(crew, worker)
            place.give(worker)
        if not worker.load and worker not in self._idle:
            crew.relaxed = True
            crew.idle.append(worker)
            self._idle[worker] = crew

    def _must_yield(self, crew: Crew, worker: Worker) -> bool:
        if worker.behind and self._fairness.is_forgiven(crew.key.hook):
            return True
        if not self._starved or not self._is_wanted_from(crew):
            return False
        return not crew.waiting or self._loop.time() - crew.members[worker] >= TENURE

    # Starting and ending workers

    async def _start(self, memory: int, *, fresh: bool = False, behind: bool = False) -> Worker:
        worker = await Worker.start(memory, self._boot, fresh=fresh, behind=behind)
        if self._closed:  # it became ready in the moment in which it was cancelled, and waits that are over go on
            self._end(worker)
            raise PluginError("the service is stopping")
        if not reaches(worker.isolation, self._size.require):
            self._end(worker)
            raise PluginError(describe_shortfall(worker.isolation, worker.walls, self._size.require))
        self._weakest.add(worker)
        return worker

    def _recruit(self, crew: Crew) -> None:
        self._count += 1
        crew.starting += 1
        self._spawn(self._enlist(crew), self._starts)

    async def _enlist(self, crew: Crew) -> None:
        """Get a blank worker, a spare if there is one, and put it into the crew."""
        try:
            key = crew.key
            bad = self._fairness.standing(key.hook) is Standing.BAD
            blank = self._spares and key.memory == self._size.memory and not key.fresh and not bad
            worker = self._spares.pop() if blank else await self._start(key.memory, fresh=key.fresh, behind=bad)
        except asyncio.CancelledError:
            self._give_up(crew, "the service is stopping")
            raise
        except Exception as error:  # whatever keeps a worker from starting, those who wait must hear of it
            self._give_up(crew, str(error))
            return
        crew.starting -= 1
        crew.members[worker] = self._loop.time()
        worker.on_free = lambda freed: self._take_back(crew, freed)
        worker.on_death = lambda gone: self._lost(crew, gone)
        self._take_back(crew, worker)
        self._refill()

    def _give_up(self, crew: Crew, why: str) -> None:
        self._count -= 1
        crew.starting -= 1
        self._fail_waiting(crew, WorkerFault("crashed", why))
        self._feed_starved()

    def _refill(self) -> None:
        while not self._closed and len(self._spares) + self._spares_starting < self._size.spares:
            self._spares_starting += 1
            self._spawn(self._add_spare(), self._starts)

    async def _add_spare(self) -> None:
        try:
            with contextlib.suppress(PluginError, OSError):  # a hook that needs a worker will be told
                worker = await self._start(self._size.memory)
                worker.on_death = self._lost_spare
                self._spares.append(worker)
        finally:
            self._spares_starting -= 1

    def _dismiss(self, crew: Crew, worker: Worker) -> None:
        """End a worker of a crew, and let those who wait have another."""
        del crew.members[worker]
        if worker in crew.idle:
            crew.idle.remove(worker)
        self._idle.pop(worker, None)
        self._count -= 1
        self._end(worker)
        self._feed_starved()
        self._provide(crew)
        self._forget_if_empty(crew)

    def _feed_starved(self) -> None:
        for crew in list(self._starved):
            if crew in self._starved and self._has_room(crew):
                self._starved.remove(crew)
                self._provide(crew)

    def _lost(self, crew: Crew, worker: Worker) -> None:
        """A worker died; while it was busy its run ends with a fault, and gives it back then."""
        if worker in crew.members and not worker.load:
            self._dismiss(crew, worker)

    def _lost_spare(self, worker: Worker) -> None:
        if worker in self._spares:
            self._spares.remove(worker)
            self._end(worker)

    def _fail_waiting(self, crew: Crew, fault: WorkerFault) -> None:
        for place in list(crew.wanted()):
            place.future.set_exception(fault)
        crew.waiting.clear()
        self._forget_if_empty(crew)

    def _forget_if_empty(self, crew: Crew) -> None:
        if not (crew.members or crew.starting or any(crew.wanted())):
            if crew in self._starved:
                self._starved.remove(crew)
            if self._crews.get(crew.key) is crew:
                del self._crews[crew.key]

    def _end(self, worker: Worker) -> None:
        self._weakest.remove(worker)
        worker.on_free = worker.on_death = None
        worker.kill()
        self._spawn(worker.ended(), self._ends)

    def _spawn(self, work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
        task = self._loop.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
