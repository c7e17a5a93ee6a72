"""The action `emit`: make new events, which become real in the transaction that records the attempt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from hookrt.plugin import (
    AFTER_CRASH,
    Action,
    ActionCall,
    Emission,
    Event,
    EventError,
    Outcome,
    Settings,
    check_event,
    impl,
)

MAX_EVENTS = 1000
"""The most events of one attempt."""


class EmitSettings(Settings):
    """What to emit."""

    type: str = Field(description="The type of the new event.")
    data: Any = Field(default=None, description="Its data; by default the data of the event that the hook runs on.")
    subject: str | None = Field(default=None, description="Its subject.")
    id: str | None = Field(
        default=None, description="Its id, for receivers that know it; by default made from the delivery."
    )
    each: list[Any] | None = Field(
        default=None, description="One event for each element, which is its data unless `data` is."
    )


class Emit(Action[EmitSettings]):
    """Emit a new event, or one for each element of a list."""

    name = "emit"
    short = "type"
    only_http = True
    retry = AFTER_CRASH
    reasons: ClassVar[Mapping[str, str]] = {
        "bad-event": "the type, id or subject is none that an event may have",
        "too-many": "the list has more elements than one attempt may emit",
    }

    async def run(self, call: ActionCall[EmitSettings]) -> Outcome:
        """Hand the events to the engine; the output is their number."""
        settings = call.settings
        if settings.each is not None and len(settings.each) > MAX_EVENTS:
            return Outcome.reject("too-many", f"`each` has {len(settings.each)} elements, at most {MAX_EVENTS} may be")
        emissions = list(_emissions(settings, call.event))
        try:
            _check(emissions[0] if emissions else Emission(settings.type), call)
        except EventError as error:
            return Outcome.reject("bad-event", str(error))
        return Outcome.done({"count": len(emissions)}, events=emissions)


@impl
def hookrt_actions() -> Sequence[type[Action[Any]]]:
    """The action `emit`."""
    return [Emit]


def _emissions(settings: EmitSettings, event: Event) -> Iterator[Emission]:
    given = "data" in settings.model_fields_set
    if settings.each is None:
        data = settings.data if given else event.data
        yield Emission(settings.type, data, settings.subject, settings.id)
        return
    for number, element in enumerate(settings.each, 1):
        identity = f"{settings.id}.{number}" if settings.id is not None else None
        yield Emission(settings.type, settings.data if given else element, settings.subject, identity)


def _check(emission: Emission, call: ActionCall[EmitSettings]) -> None:
    """Raise EventError for names that no event may have; all emissions of a call differ only in numbers and data."""
    if emission.type == "hookrt" or emission.type.startswith("hookrt."):
        raise EventError(f"the type {emission.type!r} is reserved: only hookrt itself emits `hookrt.` events")
    check_event(
        Event(
            id=emission.id if emission.id is not None else "to-be-made",
            type=emission.type,
            source="emit",
            time=call.started,
            subject=emission.subject,
        )
    )
