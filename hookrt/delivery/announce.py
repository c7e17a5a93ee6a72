"""What happens to hookrt itself, as events that hooks can act on: `hookrt.delivery.dead` and the like."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from hookrt.clock import from_us
from hookrt.delivery.intake import Intake
from hookrt.delivery.ports import Ports
from hookrt.errors import Overloaded, StoreError
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery
from hookrt.model.event import Event, EventDraft, encode_data, format_time
from hookrt.model.ids import emitted_event_id
from hookrt.model.own_events import DELIVERY_DEAD, OWN_EVENTS, OWN_SOURCE, is_own
from hookrt.store.contract import NewEvent

PATIENCE_S = 1.0
"""The pause before an event that could not be stored is offered again."""

TRIES = 60
"""How often it is offered; then the log says that it is lost."""


class Announcer:
    """Emits hookrt's own events, durably, without anybody waiting for it.

    Nothing is announced of what an announcement led to, so that a hook on `hookrt.delivery.dead` whose own delivery
    dies causes no further one. A frequent event that no hook listens to is not stored (see `OWN_EVENTS`).
    """

    def __init__(
        self,
        ports: Ports,
        intake: Intake,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        kick: Callable[[], None] = lambda: None,
    ) -> None:
        self._ports = ports
        self._intake = intake
        self._spawn = spawn
        self._kick = kick

    def announce(self, event_type: str, data: Mapping[str, Any], *, of: Event | None = None) -> None:
        """Emit an event of this type, one of OWN_EVENTS; `of` is the event whose delivery led to it."""
        if (of is None or not is_own(of.type)) and self._is_wanted(event_type):
            self._spawn(self._save(EventDraft(event_type, encode_data(dict(data)), source=OWN_SOURCE)))

    def prepare(self, event_type: str, data: Mapping[str, Any]) -> list[NewEvent]:
        """The event, to be saved in somebody's transaction; then call `count`."""
        return self._intake.emitted([EventDraft(event_type, encode_data(dict(data)))], OWN_SOURCE)

    async def prepare_death(self, delivery: Delivery, event: Event, attempt: Attempt | None) -> list[NewEvent]:
        """The event that says that this delivery (as it will be) is dead; none where no hook matches it, or where one
        of hookrt's own events led to the delivery, directly or by what steps emitted.
        """
        if not self._is_wanted(DELIVERY_DEAD) or await self._stems_from_own(event):
            return []
        draft = EventDraft(
            type=DELIVERY_DEAD,
            content=encode_data(_describe_death(delivery, event, attempt, self._ports.store.now_us())),
            id=emitted_event_id(delivery.id, DELIVERY_DEAD, 0),
            cause=delivery.id,
            depth=event.depth + 1,
        )
        return [new for new in self._intake.emitted([draft], OWN_SOURCE) if new.deliveries]

    def count(self, saved: Sequence[NewEvent]) -> None:
        """These have been saved, with deliveries that nobody handed over."""
        self._intake.open_deliveries += sum(len(new.deliveries) for new in saved)
        self._kick()

    def _is_wanted(self, event_type: str) -> bool:
        known = OWN_EVENTS.get(event_type)
        return known is None or not known.frequent or self._ports.router.listens_to(event_type)

    async def _stems_from_own(self, event: Event) -> bool:
        """Whether one of hookrt's own events is among those that led to this one; also when there are too many."""
        for _ in range(self._ports.limits.depth):
            if is_own(event.type):
                return True
            if event.cause is None:
                return False
            try:
                found = await self._ports.store.delivery(event.cause)
            except StoreError:
                return False
            if found is None:  # swept meanwhile
                return False
            event = found.event
        return True

    async def _save(self, draft: EventDraft) -> None:
        error: Exception | None = None
        for _ in range(TRIES):
            try:
                await self._intake.accept(draft, OWN_SOURCE)
            except (StoreError, Overloaded) as failed:
                error = failed
                await self._ports.clock.sleep(PATIENCE_S)
            else:
                return
        self._ports.log.error("announcement-lost", event_type=draft.type, error=str(error))


def _describe_death(delivery: Delivery, event: Event, attempt: Attempt | None, now_us: int) -> dict[str, Any]:
    """What an operator wants to know; the message is masked already."""
    return {
        "delivery": delivery.id,
        "hook": delivery.hook,
        "event": {
            "id": event.id,
            "type": event.type,
            "source": event.source,
            "subject": event.subject,
            "time": format_time(event.time),
        },
        "reason": delivery.reason,
        "message": attempt.message if attempt else None,
        "step": attempt.step if attempt else None,
        "attempts": delivery.attempts,
        "failed_steps": delivery.failed_steps,
        "created": format_time(from_us(delivery.created_us)),
        "died": format_time(from_us(now_us)),
        "replay_of": delivery.replay_of,
    }
