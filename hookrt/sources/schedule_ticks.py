"""When a schedule ticks: by a cron expression in a time zone, or every so often since 1970."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice, takewhile
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
"""Expressions that have a name."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS = 5
_LONGEST = 500
_FIRST_WINDOW = timedelta(minutes=1)
_SOME_YEAR = datetime(2024, 1, 1, tzinfo=UTC)  # to see whether an expression ever comes; which year does not matter


class Ticks(Protocol):
    """The moments of a schedule, all in UTC."""

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Those that are later than this moment, the earliest first."""
        ...


@dataclass(frozen=True, slots=True)
class CronTicks:
    """The moments of a cron expression in a zone, as Debian's cron has them where clocks change.

    A fixed time that does not exist comes at the first minute that does; one that exists twice comes the first time
    only. Expressions whose minute or hour begins with `*` follow the time that passes.
    """

    expression: str
    zone: tzinfo

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Those that are later than this moment."""
        for tick in CronSim(self.expression, moment.astimezone(self.zone)):
            found = tick.astimezone(UTC)
            if found > moment:  # from within an hour that exists twice, the first of both is behind
                yield found


@dataclass(frozen=True, slots=True)
class EvenTicks:
    """A moment in each period, counted from 1970, so that no start shifts them."""

    period: timedelta

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Those that are later than this moment."""
        number = (moment - _EPOCH) // self.period
        while True:
            number += 1
            yield _EPOCH + number * self.period


def read_cron(text: str) -> str:
    """A cron expression with its five fields; raises ValueError that says what is wrong with it."""
    written = text.strip()
    if written.startswith("@"):
        if written.lower() not in ALIASES:
            raise ValueError(f"{written!r} is no schedule: there are {', '.join(ALIASES)}")
        return ALIASES[written.lower()]
    fields = written.split()
    if len(written) > _LONGEST:
        raise ValueError(f"a cron expression has at most {_LONGEST} characters")
    if len(fields) != _FIELDS:
        seconds = "; for seconds write `every: 30s`" if len(fields) == _FIELDS + 1 else ""
        raise ValueError(
            "a cron expression has five fields: minute, hour, day of the month, month, day of the week, "
            f"like `0 3 * * *`; this one has {len(fields)}{seconds}"
        )
    try:
        found = next(CronSim(written, _SOME_YEAR), None)
    except CronSimError as error:
        raise ValueError(f"{str(error).replace('Bad', 'bad')} in the cron expression") from None
    except (AssertionError, TypeError, ValueError):
        raise ValueError("this is no cron expression: write five fields, like `0 3 * * MON-FRI`") from None
    if found is None:
        raise ValueError("this time never comes, not within fifty years")
    return written


def read_zone(name: str) -> tzinfo:
    """A time zone by its name; raises ValueError with what it could be."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name[:64]!r}{_hint(name)}") from None


def _hint(name: str) -> str:
    known = available_timezones()
    if not known:
        return ": this system has no time zones, `pip install tzdata` brings them"
    names = {one.lower(): one for one in known}
    names |= {one.rpartition("/")[2].lower(): one for one in sorted(known) if one.startswith(("Europe/", "America/"))}
    close = difflib.get_close_matches(name.lower().replace(" ", "_"), names, n=1, cutoff=0.7)
    return f", did you mean {names[close[0]]}?" if close else ", write one like Europe/Berlin or UTC"


def ticks_between(ticks: Ticks, after: datetime, until: datetime, most: int) -> tuple[list[datetime], bool]:
    """The ticks later than `after` up to `until`, the newest `most` of them, and whether there are older ones.

    It looks at no more of them than a few times `most`, however long ago `after` is.
    """
    window = _FIRST_WINDOW
    while True:
        start = until - window if until - after > window else after
        found = list(takewhile(lambda tick: tick <= until, ticks.after(start)))
        if len(found) > most or (start > after and len(found) == most):
            return found[-most:], True
        if start == after:
            return found, False
        window *= 2


def next_ticks(ticks: Ticks, after: datetime, most: int) -> list[datetime]:
    """The ticks to come."""
    return list(islice(ticks.after(after), most))
