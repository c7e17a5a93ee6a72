"""The source `schedule`: an event at every tick of a cron expression, or every so often.

A tick makes one event, whoever runs: the event's id is made from the source's name and the time of the tick, and the
last tick is remembered in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hookrt.plugin import Source, SourceRun, impl
from hookrt.sources.schedule_settings import ScheduleSettings
from hookrt.sources.schedule_ticks import next_ticks
from hookrt.sources.schedule_watch import Watch


class Schedule(Source[ScheduleSettings]):
    """Events by the clock: at the times of a cron expression in a time zone, or every so often.

    Each tick is one event, also after a restart or when another process takes over.
    """

    name = "schedule"

    def types(self, settings: ScheduleSettings) -> Sequence[str] | None:
        """The one type."""
        return [settings.type]

    def upcoming(self, settings: ScheduleSettings, after: datetime, most: int) -> Sequence[datetime]:
        """The ticks to come, in the schedule's zone."""
        return [tick.astimezone(settings.zone) for tick in next_ticks(settings.ticks, after, most)]

    async def run(self, source: SourceRun[ScheduleSettings]) -> None:
        """Emit an event at each tick."""
        await Watch(source).keep()


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `schedule`."""
    return [Schedule]
