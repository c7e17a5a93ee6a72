"""A log for the hot path: many lines of the same event in a second become one, with their number and a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hookrt.clock import Clock
from hookrt.plugin.protocols import Log

_MAX_KINDS = 1000
"""Events that are told apart; beyond it the account is settled and begun anew, so that it cannot grow."""


@dataclass(slots=True)
class _Second:
    """What happened of one event in the present second. `crowded`: so many in the last one that none passes now."""

    ends: float
    crowded: bool = False
    seen: int = 0
    held: int = 0
    sample: dict[str, Any] | None = None


class RateLog:
    """A Log that lets the first `per_second` lines of an event pass in each second and counts the others.

    What was held back follows as one line with `count` and the fields of the last of them, as soon as the second is
    over and the same event comes again or `flush` is called; call that about once a second, and `close` at the end.
    While an event stays above the rate, that one line a second is all there is of it. A quiet event costs a look
    into a dict.
    """

    def __init__(self, log: Log, clock: Clock, per_second: int = 10) -> None:
        self._log = log
        self._clock = clock
        self._per_second = per_second
        self._seconds: dict[tuple[str, str], _Second] = {}

    def debug(self, event: str, **fields: Any) -> None:
        """For those who look closely."""
        self._count("debug", event, fields)

    def info(self, event: str, **fields: Any) -> None:
        """What happened."""
        self._count("info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """What somebody should look at."""
        self._count("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        """What somebody must look at."""
        self._count("error", event, fields)

    def flush(self) -> None:
        """Write what was held back in seconds that are over."""
        now = self._clock.monotonic()
        for kind, second in list(self._seconds.items()):
            if now >= second.ends:
                self._settle(kind, second)
                if second.seen <= self._per_second or now >= second.ends + 1:
                    del self._seconds[kind]

    def close(self) -> None:
        """Write all that was held back."""
        for kind, second in self._seconds.items():
            self._settle(kind, second)
        self._seconds.clear()

    def _count(self, level: str, event: str, fields: dict[str, Any]) -> None:
        now = self._clock.monotonic()
        kind = (level, event)
        second = self._seconds.get(kind)
        if second is None or now >= second.ends:
            second = self._begin(kind, second, now)
        second.seen += 1
        if second.crowded or second.seen > self._per_second:
            second.held += 1
            second.sample = fields
        else:
            getattr(self._log, level)(event, **fields)

    def _begin(self, kind: tuple[str, str], last: _Second | None, now: float) -> _Second:
        crowded = False
        if last is not None:
            self._settle(kind, last)
            crowded = last.seen > self._per_second and now < last.ends + 1
        elif len(self._seconds) >= _MAX_KINDS:
            self.close()
        second = self._seconds[kind] = _Second(now + 1, crowded)
        return second

    def _settle(self, kind: tuple[str, str], second: _Second) -> None:
        if second.held:
            level, event = kind
            getattr(self._log, level)(event, **{**(second.sample or {}), "count": second.held})
        second.held, second.sample = 0, None
