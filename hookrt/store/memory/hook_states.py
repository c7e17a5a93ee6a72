"""States of hooks in memory, for tests and simulations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hookrt.model.delivery import Status
from hookrt.model.hook_state import HookState
from hookrt.store.contract import NewEvent
from hookrt.store.memory.memory import Memory
from hookrt.store.memory.rows import DeliveryRow

_OPEN = frozenset({Status.PENDING, Status.WAITING})


class MemoryHookStates:
    """The states of one memory; see `hookrt.store.hook_contract` for what they promise."""

    def __init__(self, ready: Callable[[], Memory], now_us: Callable[[], int]) -> None:
        self._ready = ready
        self._now_us = now_us

    async def change(self, state: HookState, events: Sequence[NewEvent] = ()) -> HookState | None:
        """Disable a hook, or enable it."""
        memory = self._ready()
        if (state.hook in memory.disabled) is state.disabled:
            return None
        version = 1 + max((one.version for one in memory.states.values()), default=0)
        memory.states[state.hook] = stored = replace(state, version=version)
        memory.save(events, self._now_us(), whole=False)
        return stored

    async def changed(self, after_version: int = 0) -> Sequence[HookState]:
        """The states changed after a version."""
        states = sorted(self._ready().states.values(), key=lambda state: state.version)
        return tuple(state for state in states if state.version > after_version)

    async def hold(self, hook: str, origin: str, reason: str) -> int:
        """Hold what this hook has."""
        rows = [
            row
            for row in self._rows(hook, origin)
            if row.delivery.status in _OPEN or (row.delivery.status is Status.HELD and row.delivery.reason != reason)
        ]
        return self._become(rows, Status.HELD, reason)

    async def cancel_held(self, hook: str, origin: str, reason: str, keep: int = 0) -> int:
        """Cancel what is held of this hook."""
        rows = [row for row in self._rows(hook, origin) if row.delivery.status is Status.HELD]
        return self._become(rows[keep:], Status.CANCELLED, reason)

    async def failing_since_us(self, hook: str, after_us: int = 0) -> int | None:
        """When it began to fail, to the hour."""
        hours = [hour for (name, _), hour in self._ready().hours.items() if name == hook]
        last_us = max((hour.last_success_us or 0 for hour in hours), default=0)
        failures = [hour.last_failure_us or 0 for hour in hours]
        return min((us for us in failures if us > max(last_us, after_us)), default=None)

    def _rows(self, hook: str, origin: str) -> list[DeliveryRow]:
        rows = self._ready().in_order
        return [row for row in rows if row.delivery.hook == hook and row.delivery.origin == origin]

    def _become(self, rows: Sequence[DeliveryRow], status: Status, reason: str) -> int:
        for row in rows:
            self._ready().change(row, status=status, reason=reason, updated_us=self._now_us())
        return len(rows)
