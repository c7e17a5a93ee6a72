"""One store, several processes: events go to the one that delivers, or straight to the store when there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hookrt.delivery.engine import Engine
from hookrt.delivery.intake import Accepted
from hookrt.delivery.relay import Gone, RelayClient, RelayServer
from hookrt.model.event import EventDraft
from hookrt.runtime.jobs.runner import JobRunner
from hookrt.runtime.source_runs import SourceRuns
from hookrt.runtime.wiring import Parts


class Processes:
    """This process among those that share the store."""

    def __init__(self, engine: Engine, parts: Parts, sources: SourceRuns, jobs: JobRunner) -> None:
        self._engine = engine
        self._parts = parts
        self._sources = sources
        self._jobs = jobs
        path = parts.store.meeting_point
        self._client = RelayClient(path, parts.clock) if path is not None else None
        self._server = RelayServer(path, self._accept_here, parts.log) if path is not None else None

    async def on_lead(self) -> None:
        """This process delivers from now on: it takes the others' events, runs the sources and works off the jobs."""
        if self._server is not None:
            await self._server.start()
        self._sources.start()
        self._jobs.start()

    async def accept(self, drafts: Sequence[EventDraft], default_source: str) -> list[Accepted]:
        """Store events, all or none, by way of the delivering process where that is another one."""
        batch = len(drafts) > 1
        if self._engine.leading or self._client is None or not drafts:
            return await self._accept_here(drafts, default_source, batch)
        # The ids are given here, so that events sent again after a broken connection are recognised.
        named = [draft if draft.id is not None else replace(draft, id=self._engine.new_event_id()) for draft in drafts]
        try:
            return await self._client.send(named, default_source, batch=batch)
        except Gone:
            return await self._accept_here(named, default_source, batch)

    async def stop(self) -> None:
        """Take no more events of others, and end the sources and jobs."""
        await self._jobs.stop()
        await self._sources.stop()
        if self._server is not None:
            await self._server.stop()
        if self._client is not None:
            await self._client.close()

    async def _accept_here(self, drafts: Sequence[EventDraft], default_source: str, batch: bool) -> list[Accepted]:
        if batch or not drafts:
            return await self._engine.intake.accept_all(drafts, default_source)
        return [await self._engine.intake.accept(drafts[0], default_source)]
