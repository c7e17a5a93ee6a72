"""What happens to hookrt itself, as events that hooks can act on: `hookrt.delivery.dead` and the like."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from hookrt.delivery.intake import Intake
from hookrt.delivery.ports import Ports
from hookrt.errors import Overloaded, StoreError
from hookrt.model.event import Event, EventDraft, encode_data

OWN_SOURCE = "hookrt"
"""The source of hookrt's own events."""

RESERVED = "hookrt."
"""What the types of hookrt's own events begin with; nobody else may emit them."""

PATIENCE_S = 1.0
"""The pause before an event that could not be stored is offered again."""

TRIES = 60
"""How often it is offered; then the log says that it is lost."""


class Announcer:
    """Emits hookrt's own events, durably, without anybody waiting for it.

    Nothing is announced of what an announcement led to, so that a hook on `hookrt.delivery.dead` whose own delivery
    dies causes no further one.
    """

    def __init__(self, ports: Ports, intake: Intake, spawn: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self._ports = ports
        self._intake = intake
        self._spawn = spawn

    def announce(self, event_type: str, data: Mapping[str, Any], *, of: Event | None = None) -> None:
        """Emit an event of this type, which begins with RESERVED; `of` is the event whose delivery led to it."""
        if of is None or not of.type.startswith(RESERVED):
            self._spawn(self._save(EventDraft(event_type, encode_data(dict(data)), source=OWN_SOURCE)))

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
