"""What happened to one event, gathered from the store and from the receiver."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hookrt.cli.receiver_server import Received, Trust
from hookrt.matching.router import HookExplanation
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery, Status
from hookrt.model.event import Event
from hookrt.model.ids import message_id
from hookrt.runtime import Runtime

_RESTING = frozenset({Status.SUCCEEDED, Status.DEAD, Status.CANCELLED, Status.WAITING, Status.HELD})
_POLL_S = 0.03


@dataclass(frozen=True, slots=True)
class Chapter:
    """One delivery of the event, its attempts, and the requests that arrived from it, by step."""

    delivery: Delivery
    attempts: Sequence[Attempt]
    received: Mapping[str, Sequence[Received]]


@dataclass(frozen=True, slots=True)
class Story:
    """An event, why each hook fired or did not, and what became of its deliveries."""

    event: Event
    explanations: Sequence[HookExplanation]
    chapters: Mapping[str, Chapter]

    @property
    def happy(self) -> bool:
        """Whether every delivery succeeded and no signature was refused."""
        return all(
            chapter.delivery.status is Status.SUCCEEDED
            and not any(one.trust is Trust.REFUSED for requests in chapter.received.values() for one in requests)
            for chapter in self.chapters.values()
        )


@dataclass(slots=True)
class Mailbox:
    """The requests that the receiver got, by message id; the oldest ids are forgotten beyond a thousand."""

    kept: dict[str, list[Received]] = field(default_factory=dict)

    def put(self, received: Received) -> None:
        """Keep a request."""
        self.kept.setdefault(received.message_id, []).append(received)
        while len(self.kept) > 1000:
            del self.kept[next(iter(self.kept))]

    def of(self, event: Event, delivery: Delivery, step: str) -> Sequence[Received]:
        """The requests that this step of this delivery sent."""
        return self.kept.get(message_id(event.source, event.id, delivery.hook, step, delivery.salt), ())


async def wait_until_settled(runtime: Runtime, source: str, event_id: str, limit_s: float) -> None:
    """Return when nothing of the event moves any more, or waits for a retry, or the time is up."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit_s
    while loop.time() < deadline:
        stored = await runtime.store.event(source, event_id)
        if stored is None or all(delivery.status in _RESTING for delivery in stored.deliveries):
            return
        await asyncio.sleep(_POLL_S)


async def wait_until_idle(runtime: Runtime, limit_s: float) -> None:
    """Return when no delivery may start or is under way, or the time is up."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit_s
    while loop.time() < deadline:
        counts = await runtime.store.counts()
        if not counts.get(Status.PENDING) and not counts.get(Status.RUNNING):
            return
        await asyncio.sleep(_POLL_S)


async def gather_story(runtime: Runtime, mailbox: Mailbox, source: str, event_id: str) -> Story | None:
    """The story of a stored event as far as it has come; None when there is no such event."""
    stored = await runtime.store.event(source, event_id)
    if stored is None:
        return None
    chapters = {}
    for delivery in stored.deliveries:
        attempts = await runtime.store.attempts(delivery.id)
        steps = dict.fromkeys(attempt.step for attempt in attempts)
        received = {step: mailbox.of(stored.event, delivery, step) for step in steps}
        chapters[delivery.hook] = Chapter(delivery, attempts, received)
    return Story(stored.event, runtime.explain(stored.event), chapters)
