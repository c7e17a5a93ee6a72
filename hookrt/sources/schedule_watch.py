"""A schedule at work: it watches the clock, emits what is due, and remembers the last tick.

The clock may jump: it is looked at every ten seconds, so that a machine that was asleep is late by that much at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hookrt.plugin import SourceRun
from hookrt.sources.schedule_settings import ScheduleSettings
from hookrt.sources.schedule_ticks import ticks_between

LOOK_EVERY = timedelta(seconds=10)
"""How long it sleeps at most."""

LATE = timedelta(minutes=1)
"""How late a tick may come and still count as one that was not missed, when hookrt was away or asleep."""

MOST_MISSED = 1000
"""So many missed ticks are made up for at most, the newest."""

MOST_BACK = timedelta(days=1)
"""How far the clock may go back, and the last tick still counts: events are known by their ids for as long."""

_KEY = "tick"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Tick:
    """A tick to emit; `late` where it was missed, `missed` how many it stands for."""

    moment: datetime
    late: timedelta | None = None
    missed: int | None = None


class Watch:
    """Keeps one schedule. Whatever it cannot do raises, and it begins anew where it was."""

    def __init__(self, source: SourceRun[ScheduleSettings]) -> None:
        self._source = source
        self._ticks = source.settings.ticks
        self._memory = _Memory(source)
        self._looked: datetime | None = None

    async def keep(self) -> None:
        """Emit an event at each tick, until cancelled or until there are no more."""
        last = await self._memory.recall(self._now())
        while True:
            last = await self._sane(last)
            last = await self._catch_up(last)
            now = self._now()
            next_tick = next(self._ticks.after(max(last, now)), None)
            if next_tick is None:
                return
            await self._source.clock.sleep(max(min(next_tick - now, LOOK_EVERY).total_seconds(), 0.001))

    def _now(self) -> datetime:
        return _EPOCH + self._source.clock.now_us() * _MICROSECOND

    async def _sane(self, last: datetime) -> datetime:
        """The last tick; or now, where that lies so far ahead that the clock must have been wrong."""
        now = self._now()
        if last - now <= MOST_BACK:
            return last
        self._source.log.warning("schedule-clock-went-back", source=self._source.name, last_tick=last.isoformat())
        await self._memory.keep(now)
        return now

    async def _catch_up(self, last: datetime) -> datetime:
        """Emit what is due since the last tick, and give the one that is the last now."""
        now = self._now()
        due, more = ticks_between(self._ticks, last, now, MOST_MISSED)
        away = more or self._looked is None or now - self._looked > LOOK_EVERY + LATE
        if due:
            made = self._made_up(due, now, more=more) if away else [_Tick(moment) for moment in due]
            for tick in made:
                await self._emit(tick)
                await self._memory.keep(tick.moment)
            if not made:
                await self._memory.keep(due[-1])
        self._looked = self._now()
        return due[-1] if due else last

    def _made_up(self, due: list[datetime], now: datetime, *, more: bool) -> list[_Tick]:
        """What becomes of ticks that passed while nobody looked."""
        latest, policy = due[-1], self._source.settings.misfire
        if policy == "all":
            made = [_Tick(moment, now - moment) for moment in due]
        elif policy == "once" or now - latest <= LATE:
            made = [_Tick(latest, now - latest, len(due) if policy == "once" else None)]
        else:
            made = []
        log = self._source.log
        log.info("schedule-missed", source=self._source.name, ticks=len(due), older_too=more, emitted=len(made))
        return made

    async def _emit(self, tick: _Tick) -> None:
        settings, name = self._source.settings, self._source.name
        data: dict[str, Any] = {**settings.data, "scheduled": tick.moment.astimezone(settings.zone).isoformat()}
        if tick.late is not None:
            data["late_s"] = round(tick.late.total_seconds(), 3)
        if tick.missed is not None:
            data["missed"] = tick.missed
        written = tick.moment.replace(tzinfo=None).isoformat()
        await self._source.emit(
            settings.type, data, id=f"{name}@{written}Z", subject=settings.subject, time=tick.moment
        )


class _Memory:
    """The last tick of a schedule, in the state of its source."""

    def __init__(self, source: SourceRun[ScheduleSettings]) -> None:
        self._state = source.state
        self._schedule = source.settings.fingerprint
        self._stored: Any = None

    async def recall(self, now: datetime) -> datetime:
        """The last tick; now, for a schedule that is new, or other than it was: it has missed nothing."""
        self._stored = await self._state.get(_KEY)
        last = self._read()
        if last is None:
            await self.keep(now)
        return last or now

    async def keep(self, last: datetime) -> None:
        """Remember the last tick; where another process did so meanwhile, the later one of both."""
        record = {"schedule": self._schedule, "last_us": (last - _EPOCH) // _MICROSECOND}
        while not await self._state.compare_and_set(_KEY, self._stored, record):
            self._stored = await self._state.get(_KEY)
            other = self._read()
            if other is not None and other >= last:
                return
        self._stored = record

    def _read(self) -> datetime | None:
        stored = self._stored
        if not isinstance(stored, dict) or stored.get("schedule") != self._schedule:
            return None
        last = stored.get("last_us")
        return _EPOCH + last * _MICROSECOND if isinstance(last, int) else None
