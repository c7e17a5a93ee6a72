"""States of hooks in SQLite: every transaction that adds deliveries holds those of hooks that are disabled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from hookrt.model.hook_state import HookState
from hookrt.store.contract import NewEvent
from hookrt.store.sqlite import sweeps
from hookrt.store.sqlite.connection import Row, Run, Session
from hookrt.store.sqlite.saving import save_events
from hookrt.store.sqlite.tally import Tally
from hookrt.store.sqlite.work import EventRows, Save

_Sweep = Callable[[sweeps.Sweep], Awaitable[int]]


class SqliteHookStates:
    """The states of one file; see `hookrt.store.hook_contract` for what they promise."""

    def __init__(self, read: Run, change: Run, sweep: _Sweep, now_us: Callable[[], int]) -> None:
        self._read = read
        self._write = change
        self._sweep = sweep
        self._now_us = now_us

    async def change(self, state: HookState, events: Sequence[NewEvent] = ()) -> HookState | None:
        """Disable a hook, or enable it."""
        now_us = self._now_us()
        rows = [EventRows(new, now_us) for new in events]
        changed: HookState | None = await self._write(partial(_change, state=state, events=rows))
        return changed

    async def changed(self, after_version: int = 0) -> Sequence[HookState]:
        """The states changed after a version."""
        rows: Sequence[Row] = await self._read(lambda session: session.all("hook_states_changed", (after_version,)))
        return tuple(HookState(row[0], *row[2:], disabled=bool(row[1])) for row in rows)

    async def hold(self, hook: str, origin: str, reason: str) -> int:
        """Hold what this hook has."""
        return await self._sweep(sweeps.hold(sweeps.Hook(origin, hook), reason, self._now_us()))

    async def cancel_held(self, hook: str, origin: str, reason: str, keep: int = 0) -> int:
        """Cancel what is held of this hook, from the first one that is too much."""
        first: Row | None = await self._read(lambda session: session.one("nth_held", (hook, origin, keep)))
        if first is None:
            return 0
        return await self._sweep(sweeps.cancel_from(sweeps.Hook(origin, hook), first[0], reason, self._now_us()))

    async def failing_since_us(self, hook: str, after_us: int = 0) -> int | None:
        """When it began to fail, to the hour."""
        row: Row = await self._read(lambda session: session.all("failing_since", (hook, after_us))[0])
        since_us: int | None = row[0]
        return since_us


def _change(session: Session, tally: Tally, state: HookState, events: Sequence[EventRows]) -> HookState | None:
    found = session.one("hook_state", (state.hook,))
    if (found is not None and bool(found[0])) is state.disabled:
        return None
    values = (state.hook, int(state.disabled), state.since_us, state.reason, state.message, state.definition)
    [(version,)] = session.all("write_hook_state", values)
    if events:
        save_events(session, tally, [Save(events)])
    return replace(state, version=version)
