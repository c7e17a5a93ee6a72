"""The way in for decisions: of the embedding program, and of those who ask by HTTP."""

from __future__ import annotations

from datetime import timedelta

from hookrt.delivery.decisions import Decisions
from hookrt.delivery.engine import Engine
from hookrt.delivery.ports import Ports
from hookrt.errors import UsageError
from hookrt.model.decision import LONGEST_TIMEOUT, Decision
from hookrt.model.event import EventDraft
from hookrt.runtime.drafts import check_foreign, refuse_reserved
from hookrt.runtime.wiring import Parts

MOST_BYTES = 1024 * 1024
"""Bytes of an event's data, where no service settings say otherwise."""

_LONGEST_S = LONGEST_TIMEOUT.total_seconds()


class DecisionDoor:
    """Takes questions while a runtime runs; `owner` names this process in leases."""

    def __init__(self, parts: Parts, ports: Ports, engine: Engine, owner: str) -> None:
        service = parts.configuration.service if parts.configuration is not None else None
        most = int(service.limits.event) if service is not None else MOST_BYTES
        self._parts = parts
        self._decisions = Decisions(ports, engine, owner, most)

    async def decide(self, draft: EventDraft, timeout_s: float, default_source: str) -> Decision:
        """Ask the hooks for what the embedding program is about to do.

        Raises EventError, Overloaded, and UsageError for a timeout that is none.
        """
        refuse_reserved(draft)
        return await self._decisions.decide(draft, default_source, read_timeout(timeout_s))

    async def decide_foreign(self, draft: EventDraft, timeout_s: float, default_source: str) -> Decision:
        """The same for somebody outside, who may not claim to be a declared source; raises alike."""
        check_foreign([draft], self._parts.sources)
        return await self._decisions.decide(draft, default_source, read_timeout(timeout_s))

    def fall_back(self, draft: EventDraft, timeout_s: float, default_source: str) -> Decision:
        """What `on_error` says where the event loop does not come round to ask; from any thread. Raises EventError."""
        refuse_reserved(draft)
        return self._decisions.fall_back(draft, default_source, read_timeout(timeout_s))

    async def stop(self, drain: timedelta) -> None:
        """Answer all who wait, within `drain`."""
        await self._decisions.stop(drain)


def read_timeout(seconds: object) -> timedelta:
    """The time of a decision; raises UsageError for what is none. What is no number (a timedelta, say) is not guessed
    at.
    """
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds <= _LONGEST_S:
        return timedelta(seconds=seconds)
    raise UsageError(f"the timeout of a decision is a number of seconds, more than 0 and at most {_LONGEST_S:g}")
