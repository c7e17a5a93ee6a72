"""The sources of the configuration at work, in the process that delivers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from hookrt.config.sources import SourceEntry
from hookrt.model.event import EventDraft, encode_data
from hookrt.plugin.source import SourceRun
from hookrt.runtime.wiring import Parts

RESTART_S = (1.0, 5.0, 30.0, 60.0)
"""Waits before a source that failed is started again; the last one repeats."""

EmitDraft = Callable[[EventDraft, str], Awaitable[bool]]
"""Stores a draft as an event of a source, and says whether it was new."""


class SourceRuns:
    """Runs each source in a task of its own, and starts it again when it fails."""

    def __init__(self, parts: Parts, emit: EmitDraft) -> None:
        self._parts = parts
        self._emit = emit
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin with all sources of the configuration."""
        entries = self._parts.configuration.sources if self._parts.configuration else ()
        for entry in entries:
            self._tasks.append(asyncio.create_task(self._keep_running(entry), name=f"source {entry.name}"))

    async def stop(self) -> None:
        """End them all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _keep_running(self, entry: SourceEntry) -> None:
        failures = 0
        while True:
            try:
                await entry.plugin().run(self._run_of(entry))
                self._parts.log.info("source-ended", source=entry.name)
                return
            except Exception as error:
                pause = RESTART_S[min(failures, len(RESTART_S) - 1)]
                failures += 1
                self._parts.log.error("source-failed", source=entry.name, error=repr(error), again_in_s=pause)
                await self._parts.clock.sleep(pause)

    def _run_of(self, entry: SourceEntry) -> SourceRun[Any]:
        async def emit(
            type: str,
            data: Any = None,
            *,
            id: str | None = None,
            subject: str | None = None,
            time: datetime | None = None,
        ) -> bool:
            draft = EventDraft(type, encode_data(data), id=id, source=entry.name, subject=subject, time=time)
            return await self._emit(draft, entry.name)

        parts = self._parts
        return SourceRun(entry.name, entry.settings, emit, parts.log, parts.clock, parts.base_dir)
