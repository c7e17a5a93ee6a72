"""What happens to deliveries, for those who follow it live: nothing is kept, and nothing costs, while nobody does."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count, islice

from hookrt.clock import Clock, wait_at_most
from hookrt.delivery.waiters import Waiters
from hookrt.errors import UsageError
from hookrt.model.delivery import Delivery, Status
from hookrt.model.outcome import OutcomeKind
from hookrt.plugin.observer import AttemptRecorded, Observer

KEPT = 5_000
"""How many happenings are kept for those who ask again a moment later."""

LINGER_S = 60.0
"""How long the feed goes on after the last one asked, so that a follower who reconnects misses nothing."""

_PLACE = re.compile(r"[^-]+-[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Happening:
    """An attempt, or the end of a delivery without one. `status` is where the delivery stands after it."""

    at_us: int
    delivery: str
    hook: str
    status: Status
    step: str | None = None
    attempt: int | None = None
    outcome: str | None = None
    reason: str | None = None
    message: str | None = None
    duration_us: int | None = None

    @property
    def failed(self) -> bool:
        """Whether something went wrong."""
        return self.status is Status.DEAD or self.outcome not in {None, OutcomeKind.DONE.value}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which happenings somebody follows; empty fields match all."""

    hook: str | None = None
    failed: bool = False

    def takes(self, one: Happening) -> bool:
        """Whether this one is followed."""
        return self.hook in {None, one.hook} and (one.failed or not self.failed)


@dataclass(frozen=True, slots=True)
class News:
    """What happened since a place; `next` is the place to ask from next, `missed` how many are not kept any more."""

    items: Sequence[Happening]
    next: str
    missed: int = 0


class Feed(Observer):
    """Collects what happens from the first follower on, until LINGER_S after the last.

    `run` names this run of the program: a place of another run means the beginning of this one.
    """

    def __init__(self, run: str, clock: Clock, observers: list[Observer], waiters: Waiters) -> None:
        self._run = run
        self._clock = clock
        self._observers = observers
        self._waiters = waiters
        self._kept: deque[tuple[int, Happening]] = deque(maxlen=KEPT)
        self._numbers = count(1)
        self._last = 0
        self._asked = 0.0
        self._waiting: set[asyncio.Event] = set()
        self._closed = False

    async def follow(self, wanted: Wanted, after: str | None, wait_s: float, most: int = 500) -> News:
        """What happened after a place (None: from now on), as soon as there is something, or when the time is over.

        Raises UsageError for what is no place.
        """
        place, missed = self._read_place(after)
        self._attach()
        until = self._clock.monotonic() + wait_s
        woken = asyncio.Event()
        self._waiting.add(woken)
        try:
            while True:
                woken.clear()
                news = self._since(wanted, place, missed, most)
                left = until - self._clock.monotonic()
                if news.items or after is None or left <= 0 or self._closed:
                    return news
                await wait_at_most(left, woken)
        finally:
            self._waiting.discard(woken)
            self._asked = self._clock.monotonic()

    def close(self) -> None:
        """Answer all who wait, and whoever asks from now on, at once: the program is about to stop."""
        self._closed = True
        for woken in self._waiting:
            woken.set()

    def attempt_recorded(self, recorded: AttemptRecorded) -> None:
        """An attempt."""
        attempt = recorded.attempt
        self._take(
            Happening(
                at_us=attempt.started_us + attempt.duration_us,
                delivery=recorded.delivery,
                hook=recorded.hook,
                status=recorded.status,
                step=attempt.step,
                attempt=attempt.number,
                outcome=attempt.outcome,
                reason=attempt.reason,
                message=attempt.message,
                duration_us=attempt.duration_us,
            )
        )

    def _delivery_finished(self, delivery: Delivery) -> None:
        if self._kept and (last := self._kept[-1][1]).delivery == delivery.id and last.status is delivery.status:
            return  # its last attempt has said so
        self._take(Happening(self._clock.now_us(), delivery.id, delivery.hook, delivery.status, reason=delivery.reason))

    def _take(self, one: Happening) -> None:
        self._last = next(self._numbers)
        self._kept.append((self._last, one))
        for woken in self._waiting:
            woken.set()
        if not self._waiting and self._clock.monotonic() - self._asked > LINGER_S:
            asyncio.get_running_loop().call_soon(self._detach)  # not now, while all observers are told

    def _since(self, wanted: Wanted, place: int, missed: int, most: int) -> News:
        items: list[Happening] = []
        for number, one in self._after(place):
            if len(items) == most:
                break
            place = number
            if wanted.takes(one):
                items.append(one)
        return News(items, f"{self._run}-{place}", missed)

    def _after(self, place: int) -> Iterable[tuple[int, Happening]]:
        newer = min(self._last - place, len(self._kept))
        return list(islice(self._kept, len(self._kept) - newer, None))

    def _read_place(self, after: str | None) -> tuple[int, int]:
        """The number after which to go on, and how many between that and the oldest one kept are lost."""
        if after is None:
            return self._last, 0
        if not _PLACE.fullmatch(after):
            raise UsageError(f"{after[:40]!r} is no place to go on from: take the `next` of the answer before")
        run, _, number = after.partition("-")
        oldest = self._kept[0][0] - 1 if self._kept else self._last
        if run != self._run:
            return oldest, 0
        place = min(int(number), self._last)
        return max(place, oldest), max(oldest - place, 0)

    def _attach(self) -> None:
        self._asked = self._clock.monotonic()
        if self not in self._observers:
            self._observers.append(self)
            self._waiters.on_finish = self._delivery_finished

    def _detach(self) -> None:
        if self in self._observers:
            self._observers.remove(self)
        self._waiters.on_finish = None
        self._kept.clear()
