"""`service.retention`: how long events are kept with all that belongs to them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from hookrt.model.retention import SHORTEST, Retention
from hookrt.plugin.settings import Duration, Settings, format_duration

_DEFAULT = Retention()


def _check_window(age: timedelta) -> timedelta:
    if age < SHORTEST:
        raise ValueError(
            f"an event is kept for {format_duration(SHORTEST)} at least, since as long as it is kept a repeated one is "
            "recognised; what it carried can go sooner, see `payload`"
        )
    return age


KeptFor = Annotated[Duration, AfterValidator(_check_window)]
"""How long an event is kept: SHORTEST at least."""


class RetentionSettings(Settings):
    """How long an event is kept after the end of its deliveries; one with an open delivery stays.

    Of several deliveries the one that is kept longest counts.
    """

    succeeded: KeptFor = Field(default=_DEFAULT.succeeded, description="After a delivery that succeeded")
    cancelled: KeptFor = Field(default=_DEFAULT.cancelled, description="After one that was cancelled")
    dead: KeptFor = Field(default=_DEFAULT.dead, description="After one that is dead: how long it can be replayed")
    unmatched: KeptFor = Field(default=_DEFAULT.unmatched, description="An event that no hook matched")
    payload: Duration | None = Field(
        default=None,
        description="When data, requests, responses and outputs go before the record; it cannot be replayed then",
    )
    max_events: int = Field(default=_DEFAULT.max_events, ge=1, description="Above it the oldest go, after 24h at least")
    max_deliveries: int = Field(default=_DEFAULT.max_deliveries, ge=1, description="The same for deliveries")

    @property
    def ages(self) -> Retention:
        """The same for the engine."""
        return Retention(**{name: getattr(self, name) for name in type(self).model_fields})
