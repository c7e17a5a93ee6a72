"""What waits to be written: each piece of work with the future that its caller awaits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from hookrt.model.delivery import Status
from hookrt.model.outcome import OutcomeKind
from hookrt.store.contract import NewDelivery, NewEvent, Recorded, Recording, Saved
from hookrt.store.keys import Keys
from hookrt.store.sqlite.connection import Row, Session
from hookrt.store.sqlite.rows import attempt_values, delivery_values, event_values, recording_values
from hookrt.store.sqlite.tally import Tally


class Work:
    """Something to write. The writer fills `result` or `error`; then the future gets it in the event loop."""

    __slots__ = ("error", "future", "result")

    def __init__(self) -> None:
        self.future: asyncio.Future[Any] | None = None
        self.result: Any = None
        self.error: BaseException | None = None


class EventRows:
    """A new event and its deliveries as values, without the numbers that they get when they are written.

    `keyed` are those with keys, each with its place among them.
    """

    __slots__ = ("deliveries", "digest", "fresh", "key", "keyed", "now_us", "saved", "values")

    def __init__(self, new: NewEvent, now_us: int) -> None:
        self.values: Row = event_values(new)
        self.key: tuple[str, str] = (new.event.source, new.event.id)
        self.digest = new.digest
        self.fresh = new.fresh
        self.deliveries = [delivery_values(delivery, now_us) for delivery in new.deliveries]
        self.saved = Saved(tuple([delivery.id for delivery in new.deliveries]))
        self.now_us = now_us
        self.keyed: Sequence[tuple[int, NewDelivery, Keys]] = ()
        for delivery in new.deliveries:
            if delivery.keys is not None:
                self.keyed = _keyed_of(new.deliveries)
                break


def _keyed_of(deliveries: Sequence[NewDelivery]) -> list[tuple[int, NewDelivery, Keys]]:
    return [(place, one, one.keys) for place, one in enumerate(deliveries) if one.keys is not None]


class Save(Work):
    """Events to save as one. With `whole`, one conflict among them refuses them all."""

    __slots__ = ("events", "whole")

    def __init__(self, events: Sequence[EventRows], *, whole: bool = False) -> None:
        super().__init__()
        self.events = events
        self.whole = whole
        self.result: Sequence[Saved] = ()


class Record(Work):
    """A recording to write, if its token is still the present one."""

    __slots__ = ("at_us", "attempt", "delivery", "emitted", "failed", "status", "token", "values")

    def __init__(self, recording: Recording, now_us: int) -> None:
        super().__init__()
        attempt = recording.attempt
        self.delivery = recording.delivery
        self.token = recording.token
        self.status = recording.status.value
        self.at_us = recording.at_us
        self.values: Row = recording_values(recording)
        self.attempt: Row | None = attempt_values(attempt) if attempt is not None else None
        failed = attempt is not None and attempt.outcome != OutcomeKind.DONE.value
        self.failed = failed or recording.status is Status.DEAD
        emitted = recording.emitted
        self.emitted = Save([EventRows(new, now_us) for new in emitted]) if emitted else None
        self.result = Recorded.STALE


class Change(Work):
    """Any other change, as a function of the session and the tally of its transaction."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Session, Tally], Any]) -> None:
        super().__init__()
        self.function = function
