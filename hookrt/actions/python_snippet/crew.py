"""The workers of one hook, who waits for one of them, and how many runs one of them takes at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from hookrt.actions.python_snippet.process import Worker

DEPTH = 16
"""Runs that one worker has under way at most: the one it is at, and those that lie ready in its socket."""

AHEAD = 0.002
"""Seconds of work that may lie ready for one worker; so runs of a millisecond or more hardly wait behind others."""

_SLOWLY = 1 / 8


@dataclass(frozen=True, slots=True)
class CrewKey:
    """What the workers of a crew have in common; none of them ever serves a run with another key."""

    hook: str
    memory: int
    grants: str
    brokered: bool
    fresh: bool


@dataclass(slots=True, eq=False)
class Place:
    """A run's wish for a worker. `number` orders runs by age; `alone` asks for one that has nothing else to do."""

    number: int
    future: asyncio.Future[Worker]
    alone: bool = False

    @property
    def given(self) -> Worker | None:
        """The worker that it was given, if it was."""
        future = self.future
        if not future.done() or future.cancelled() or future.exception() is not None:
            return None
        return future.result()

    def give(self, worker: Worker) -> None:
        """Have whoever waits go on with this worker, in which a place is reserved."""
        self.future.set_result(worker)


@dataclass(slots=True, eq=False)
class Crew:
    """The workers of one key, when each of them joined, and who waits for one of them."""

    key: CrewKey
    members: dict[Worker, float] = field(default_factory=dict)
    idle: list[Worker] = field(default_factory=list)
    waiting: deque[Place] = field(default_factory=deque)
    starting: int = 0
    watch: asyncio.TimerHandle | None = None
    relaxed: bool = False
    typical: float | None = None

    @property
    def depth(self) -> int:
        """How many runs a worker is given at a time.

        One, where a run may talk with the service or must not see another's event, and as long as nothing is known of
        how long runs take. Else as many as are done in AHEAD seconds.
        """
        if self.typical is None or self.key.brokered or self.key.fresh:
            return 1
        return max(1, min(DEPTH, int(AHEAD / max(self.typical, 1e-6))))

    @property
    def crowded(self) -> bool:
        """Whether a run has to wait for another one."""
        return bool(self.waiting) or any(worker.load > 1 for worker in self.members)

    def learn(self, took: float) -> None:
        """Take the seconds of a run into account: a longer one at once, a shorter one by and by."""
        typical = self.typical
        if typical is None or took > typical:
            self.typical = took
        else:
            self.typical = typical + (took - typical) * _SLOWLY

    def free_place(self) -> Worker | None:
        """The worker for a run that comes now: idle, or with short runs before this one; None when it must wait."""
        if self.waiting:
            return None
        if self.idle:
            return self.idle.pop()
        depth = self.depth
        if depth == 1 or not self.members:
            return None
        worker = min(self.members, key=_load)
        return worker if worker.load < depth and not _is_closed(worker) else None

    def wait(self, place: Place) -> None:
        """Queue up by age."""
        index = len(self.waiting)
        while index and self.waiting[index - 1].number > place.number:
            index -= 1
        self.waiting.insert(index, place)

    def next_for(self, worker: Worker) -> Place | None:
        """Whoever waits longest and still wants a worker, if this one has a place for it."""
        while self.waiting and self.waiting[0].future.done():
            self.waiting.popleft()
        if not self.waiting or _is_closed(worker):
            return None
        room = worker.load == 0 if self.waiting[0].alone else worker.load < self.depth
        return self.waiting.popleft() if room else None

    def wanted(self) -> Iterator[Place]:
        """All who still wait."""
        return (place for place in self.waiting if not place.future.done())


def _load(worker: Worker) -> tuple[bool, int]:
    return _is_closed(worker), worker.load


def _is_closed(worker: Worker) -> bool:
    """Whether it gets no run, for good or as long as it is at one that takes long."""
    return worker.retiring or worker.dead or worker.slow
