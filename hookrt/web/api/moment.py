"""How filters write a time: as it is, with its zone, or as how long ago."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from hookrt.clock import to_us
from hookrt.plugin.settings import parse_duration

_HOW = "write a time with its zone, like 2027-01-31T00:00:00Z, or how long ago, like 24h"


def parse_moment(value: Any) -> int:
    """Microseconds since the epoch of a time with its zone, or of so long ago (`24h`); raises ValueError."""
    with suppress(ValueError):
        return to_us(datetime.now(UTC) - parse_duration(value))
    try:
        written = datetime.fromisoformat(value)
        if written.tzinfo is None:
            raise ValueError(_HOW)
        return to_us(written.astimezone(UTC))
    except (TypeError, ValueError):
        raise ValueError(_HOW) from None
    except OverflowError:  # its zone takes it out of the calendar, so that nobody could show it
        raise ValueError("the time is outside the years 1 to 9999 in UTC") from None


Moment = Annotated[
    int, BeforeValidator(parse_moment), WithJsonSchema({"type": "string", "examples": ["24h", "2027-01-31T00:00:00Z"]})
]
"""A time, or how long ago."""
