"""A schedule on a clock that stands still until it is told to go on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hookrt.plugin import SourceRun, State
from hookrt.sources.schedule import Schedule
from hookrt.sources.schedule_settings import ScheduleSettings
from hookrt.testing import FakeClock, MemoryState, RecordedLog


@dataclass
class Rig:
    """A store of events and a state that outlive the schedules that run on them."""

    clock: FakeClock
    state: State
    written: dict[str, Any] = field(default_factory=lambda: {"cron": "0 3 * * *", "type": "Nightly"})
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    log: RecordedLog = field(default_factory=RecordedLog)
    fault: Exception | None = None

    async def emit(self, type: str, data: Any = None, **names: Any) -> bool:
        if self.fault is not None:
            raise self.fault
        self.asked.append(names["id"])
        new = names["id"] not in self.events
        self.events.setdefault(names["id"], {"type": type, "data": data, **names})
        return new

    def source(self) -> SourceRun[ScheduleSettings]:
        settings = ScheduleSettings.model_validate(self.written)
        return SourceRun("nightly", settings, self.emit, self.log, self.clock, Path(), self.state)

    @contextmanager
    def running(self) -> Iterator[asyncio.Task[None]]:
        """The schedule at work; at the end it is killed."""
        task = asyncio.create_task(Schedule().run(self.source()))
        try:
            yield task
        finally:
            task.cancel()

    async def run_for(self, duration: timedelta) -> None:
        with self.running():
            await self.clock.run_for(duration)

    @property
    def scheduled(self) -> list[str]:
        return [event["data"]["scheduled"] for event in self.events.values()]


@pytest.fixture
def rig() -> Rig:
    """It is 2026-11-23, two in the morning."""
    clock = FakeClock(datetime(2026, 11, 23, 2, tzinfo=UTC))
    return Rig(clock, MemoryState(clock))
