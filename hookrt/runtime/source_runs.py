"""The sources of the configuration at work, in the process that delivers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hookrt.config.sources import SourceEntry
from hookrt.delivery.stored_state import StoredState
from hookrt.errors import EventConflict
from hookrt.model.event import AttributeValue, EventDraft
from hookrt.plugin.at_work import AT_WORK
from hookrt.plugin.blame import FAULTS
from hookrt.plugin.protocols import Log
from hookrt.plugin.refusal import REFUSALS
from hookrt.plugin.source import Source, SourceRun
from hookrt.runtime.drafts import content_of, refuse_reserved
from hookrt.runtime.inbound_accounts import Accounts
from hookrt.runtime.receipt import Receipt
from hookrt.runtime.wiring import Parts

RESTART_S = (1.0, 5.0, 30.0, 60.0)
"""Waits before a source that failed is started again; the last one repeats."""

Accept = Callable[[Sequence[EventDraft], str], Awaitable[list[Receipt]]]
"""Stores the events of a source, all or none."""


class SourceRuns:
    """Runs each source in a task of its own, and starts it again when it fails."""

    def __init__(self, parts: Parts, log: Log, accept: Accept, accounts: Accounts) -> None:
        self._parts = parts
        self._log = log
        self._accounts = accounts
        self._accept = accept
        self._running: dict[str, tuple[SourceEntry, asyncio.Task[None]]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._started = False

    def start(self) -> None:
        """Begin with all sources of the configuration."""
        self._started = True
        self.follow()

    def follow(self) -> None:
        """Begin with those that are new in the configuration, end those that are gone, and restart those that are
        other than before; nothing happens before `start`.
        """
        sources = [entry for entry in self._parts.sources if entry.plugin.run is not Source.run]
        wanted = {entry.name: entry for entry in sources} if self._started else {}
        for name in [name for name, (entry, _) in self._running.items() if not same_source(entry, wanted.get(name))]:
            self._end(name)
        for name, entry in wanted.items():
            if name not in self._running:
                before = frozenset(self._ending)
                task = asyncio.create_task(self._begin(entry, before), name=f"source {name}")
                self._running[name] = (entry, task)

    async def stop(self) -> None:
        """End them all."""
        self._started = False
        for name in list(self._running):
            self._end(name)
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _end(self, name: str) -> None:
        _, task = self._running.pop(name)
        self._accounts.away(name, None)
        task.cancel()
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _begin(self, entry: SourceEntry, before: frozenset[asyncio.Task[None]]) -> None:
        """Run it when those that end have ended: it may need what one of them holds, a port, say."""
        if before:
            await asyncio.wait(before)
        await self._keep_running(entry)

    async def _keep_running(self, entry: SourceEntry) -> None:
        failures = 0
        while True:
            try:
                run = self._run_of(entry)
                AT_WORK.set(run)  # in a task of its own, to its end
                await entry.plugin().run(run)
                self._log.info("source-ended", source=entry.name)
                return
            except FAULTS as error:
                pause = RESTART_S[min(failures, len(RESTART_S) - 1)]
                failures += 1
                self._log.error("source-failed", source=entry.name, error=repr(error), again_in_s=pause)
                self._accounts.away(entry.name, f"it failed, and is started again soon: {error!r}")
                await self._parts.clock.sleep(pause)
                self._accounts.away(entry.name, None)

    def _run_of(self, entry: SourceEntry) -> SourceRun[Any]:
        async def emit(  # noqa: PLR0913 - one for each field of an event
            type: str,
            data: Any = None,
            *,
            id: str | None = None,
            subject: str | None = None,
            time: datetime | None = None,
            attributes: Mapping[str, AttributeValue] | None = None,
            content_type: str | None = None,
            binary: bool = False,
        ) -> bool:
            draft = EventDraft(
                type,
                content_of(data, binary=binary),
                id=id,
                source=entry.name,
                subject=subject,
                time=time,
                content_type=content_type,
                binary=binary,
                attributes=attributes or {},
            )
            refuse_reserved(draft)
            mark = AT_WORK.set(None)  # what the engine begins now is not the source's work
            try:
                [receipt] = await self._accept([draft], entry.name)
            except EventConflict:
                return False
            finally:
                AT_WORK.reset(mark)
            return not receipt.duplicate

        parts = self._parts
        state = StoredState(parts.store, f"source/{entry.name}")
        report = _Report(self._accounts, entry.name)
        return SourceRun(entry.name, entry.settings, emit, self._log, parts.clock, parts.base_dir, state, report)


@dataclass(frozen=True, slots=True)
class _Report:
    """Writes what a source says of itself into its account."""

    accounts: Accounts
    name: str

    def refused(self, reason: str) -> None:
        self.accounts.unfit(self.name, reason if reason in REFUSALS else "failed")

    def away(self, why: str) -> None:
        self.accounts.away(self.name, why)

    def connected(self) -> None:
        self.accounts.away(self.name, None)


def same_source(one: SourceEntry, other: SourceEntry | None) -> bool:
    """Whether two entries mean the same source, wherever they stand."""
    return other is not None and replace(one, place=None) == replace(other, place=None)
