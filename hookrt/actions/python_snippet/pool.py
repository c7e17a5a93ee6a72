"""The workers of all hooks: each belongs to one hook, their number is bounded, and blank spares hide their start."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hookrt.actions.python_snippet.process import Worker, WorkerFault
from hookrt.actions.python_snippet.spawn import BOOT
from hookrt.actions.python_snippet.worker.wire import Answer, Request
from hookrt.plugin import PluginError

PATIENCE = 0.05
"""Seconds that a run waits for its hook's workers before the hook gets another one, if there is room."""

TENURE = 0.5
"""Seconds that a busy hook keeps a worker while other hooks have none."""


@dataclass(frozen=True, slots=True)
class PoolSize:
    """How many workers serve hooks at most, how many blank ones wait beside them, and how long one serves.

    `memory` is that of the blank ones, in bytes; a hook with another limit does not profit from them.
    """

    workers: int
    spares: int = 1
    runs_per_worker: int = 1000
    memory: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one run: seconds, and bytes."""

    timeout: float
    memory: int
    output: int
    result: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a snippet on an event."""

    code: str
    event: Mapping[str, Any]
    context: Mapping[str, Any]
    limits: Limits

    @property
    def code_hash(self) -> str:
        """The SHA-256 of the code, by which a worker knows it."""
        return hashlib.sha256(self.code.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(slots=True, eq=False)
class _Crew:
    """The workers of one hook (with one memory limit), and who waits for one of them."""

    hook: str
    memory: int
    members: dict[Worker, float] = field(default_factory=dict)
    idle: list[Worker] = field(default_factory=list)
    waiting: deque[tuple[float, asyncio.Future[Worker]]] = field(default_factory=deque)
    starting: int = 0
    watch: asyncio.TimerHandle | None = None

    def next_waiting(self) -> asyncio.Future[Worker] | None:
        """Whoever waits longest and still wants a worker."""
        while self.waiting:
            _, future = self.waiting.popleft()
            if not future.done():
                return future
        return None


class Pool:
    """Runs snippets in workers. Nothing is started before the first run.

    A hook has one worker, and gets more when its runs queue up and there is room. When there is none, the worker
    that has been idle longest is ended; when none is idle, busy hooks give theirs up in turn. So thousands of hooks
    share a bounded number of processes.
    """

    def __init__(self, size: PoolSize, boot: Path = BOOT) -> None:
        self._size = size
        self._boot = boot
        self._crews: dict[tuple[str, int], _Crew] = {}
        self._idle: dict[Worker, _Crew] = {}  # in the order in which they became idle
        self._starved: deque[_Crew] = deque()
        self._spares: list[Worker] = []
        self._spares_starting = 0
        self._count = 0
        self._starts: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._isolation: str | None = None
        self._closed = False
        self._loop = asyncio.get_running_loop()

    async def run(self, hook: str, run: Run) -> Answer:
        """Run it in a worker of the hook; raises WorkerFault when the worker gave no answer.

        Who waits while another run kills the worker moves on to the next one.
        """
        limits = run.limits
        crew = self._crews.setdefault((hook, limits.memory), _Crew(hook, limits.memory))
        worker = crew.idle.pop() if crew.idle else await self._wait_for_worker(crew)
        self._idle.pop(worker, None)
        request = Request(
            id=os.urandom(8).hex(),
            hash=run.code_hash,
            event=run.event,
            context=dict(run.context),
            timeout=limits.timeout,
            output=limits.output,
            result=limits.result,
        )
        try:
            return await worker.ask(request, run.code)
        finally:
            self._take_back(crew, worker)

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
        return [worker.pid for crew in self._crews.values() if crew.hook == hook for worker in crew.members]

    @property
    def isolation(self) -> str | None:
        """The isolation level of the workers, None before the first one."""
        return self._isolation

    @property
    def processes(self) -> int:
        """How many worker processes there are, spares included."""
        return self._count + len(self._spares) + self._spares_starting

    # Giving workers out

    async def _wait_for_worker(self, crew: _Crew) -> Worker:
        if self._closed:
            raise WorkerFault("crashed", "the service is stopping")
        future: asyncio.Future[Worker] = self._loop.create_future()
        crew.waiting.append((self._loop.time(), future))
        self._provide(crew)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._take_back(crew, future.result())
            self._forget_if_empty(crew)
            raise

    def _provide(self, crew: _Crew) -> None:
        """See to it that whoever waits gets a worker: the first one now, more of them after a while."""
        if not crew.waiting or self._closed:
            return
        if crew.members or crew.starting:
            if crew.watch is None:
                crew.watch = self._loop.call_later(PATIENCE, self._look_at_queue, crew)
        elif self._make_room():
            self._recruit(crew)
        elif crew not in self._starved:
            self._starved.append(crew)

    def _look_at_queue(self, crew: _Crew) -> None:
        crew.watch = None
        overdue = crew.waiting and self._loop.time() - crew.waiting[0][0] >= PATIENCE
        if overdue and not crew.starting and not self._starved and self._count < self._size.workers:
            self._recruit(crew)
        self._provide(crew)

    def _make_room(self) -> bool:
        if self._count >= self._size.workers and self._idle:
            worker, crew = next(iter(self._idle.items()))
            self._dismiss(crew, worker)
        return self._count < self._size.workers

    def _take_back(self, crew: _Crew, worker: Worker) -> None:
        """A worker is free again: it goes to whoever waits, or rests, or is ended."""
        if worker not in crew.members:
            self._provide(crew)
            self._forget_if_empty(crew)
        elif worker.dead or worker.runs >= self._size.runs_per_worker or worker.worn or self._must_yield(crew, worker):
            self._dismiss(crew, worker)
        else:
            self._hand_over(crew, worker)

    def _hand_over(self, crew: _Crew, worker: Worker) -> None:
        future = crew.next_waiting()
        if future is not None:
            future.set_result(worker)
        else:
            crew.idle.append(worker)
            self._idle[worker] = crew

    def _must_yield(self, crew: _Crew, worker: Worker) -> bool:
        if not self._starved:
            return False
        return not crew.waiting or self._loop.time() - crew.members[worker] >= TENURE

    # Starting and ending workers

    def _recruit(self, crew: _Crew) -> None:
        self._count += 1
        crew.starting += 1
        self._spawn(self._enlist(crew), self._starts)

    async def _enlist(self, crew: _Crew) -> None:
        """Get a blank worker, a spare if there is one, and put it into the crew."""
        try:
            blank = self._spares and crew.memory == self._size.memory
            worker = self._spares.pop() if blank else await Worker.start(crew.memory, self._boot)
        except asyncio.CancelledError:
            self._give_up(crew, "the service is stopping")
            raise
        except Exception as error:  # whatever keeps a worker from starting, those who wait must hear of it
            self._give_up(crew, str(error))
            return
        crew.starting -= 1
        crew.members[worker] = self._loop.time()
        self._isolation = worker.isolation
        worker.on_death = lambda gone: self._lost(crew, gone)
        self._take_back(crew, worker)
        self._refill()

    def _give_up(self, crew: _Crew, why: str) -> None:
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
                worker = await Worker.start(self._size.memory, self._boot)
                worker.on_death = self._lost_spare
                self._spares.append(worker)
        finally:
            self._spares_starting -= 1

    def _dismiss(self, crew: _Crew, worker: Worker) -> None:
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
        while self._starved and self._count < self._size.workers:
            crew = self._starved.popleft()
            self._provide(crew)

    def _lost(self, crew: _Crew, worker: Worker) -> None:
        """A worker died; while it was busy its run ends with a fault, and gives it back then."""
        if worker in self._idle:
            self._dismiss(crew, worker)

    def _lost_spare(self, worker: Worker) -> None:
        if worker in self._spares:
            self._spares.remove(worker)
            self._end(worker)

    def _fail_waiting(self, crew: _Crew, fault: WorkerFault) -> None:
        while (future := crew.next_waiting()) is not None:
            future.set_exception(fault)
        self._forget_if_empty(crew)

    def _forget_if_empty(self, crew: _Crew) -> None:
        key = (crew.hook, crew.memory)
        waits = any(not future.done() for _, future in crew.waiting)
        if not (crew.members or crew.starting or waits):
            if crew in self._starved:
                self._starved.remove(crew)
            if self._crews.get(key) is crew:
                del self._crews[key]

    def _end(self, worker: Worker) -> None:
        worker.on_death = None
        worker.kill()
        self._spawn(worker.ended(), self._ends)

    def _spawn(self, work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
        task = self._loop.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
