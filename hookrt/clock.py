"""Where time comes from, so that a test or a simulation can bring its own."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Wall time for what is stored and shown, monotonic time for what is measured, and waiting."""

    def now_us(self) -> int:
        """Wall time in integer microseconds since the Unix epoch, as the store keeps times."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps; only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait at least this long."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        """Wall time in integer microseconds since the Unix epoch."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds on the machine's monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait at least this long, letting other tasks run."""
        import asyncio  # noqa: PLC0415 - whoever waits has it already; reading hooks.yaml takes 30 ms less without it

        await asyncio.sleep(seconds)


async def wait_at_most(seconds: float, event: asyncio.Event) -> None:
    """Wait until the event is set, or for so long."""
    import asyncio  # noqa: PLC0415 - as above

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def from_us(microseconds: int) -> datetime:
    """The aware UTC time of a stored number of microseconds; exact, unlike floats."""
    return _EPOCH + timedelta(microseconds=microseconds)


def to_us(moment: datetime) -> int:
    """Integer microseconds since the epoch of an aware time.

    Raises ValueError for a naive time, since its zone would be a guess.
    """
    if moment.tzinfo is None:
        raise ValueError("the time has no zone: use an aware datetime")
    return (moment - _EPOCH) // _MICROSECOND


def duration_us(duration: timedelta) -> int:
    """A duration in integer microseconds."""
    return duration // _MICROSECOND
