"""Events for tests, complete and valid without a word about what does not matter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from hookrt.model.event import AttributeValue, Event, check_event, encode_data

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
"""When everything in the kit happens unless it is told otherwise."""


class EventFields(TypedDict, total=False):
    """What else an event may be given."""

    id: str
    source: str
    subject: str | None
    time: datetime
    attributes: Mapping[str, AttributeValue]


def event(type: str = "Test.Happened", data: Any = None, **fields: Unpack[EventFields]) -> Event:
    """An event with these data. It is `evt_test` of the source `test` at noon of 2025-01-01, unless `fields` differ.

    Raises EventError for one that hookrt would refuse.
    """
    given: EventFields = {"id": "evt_test", "source": "test", "time": NOON, **fields}
    made = Event(type=type, content=encode_data(data), **given)
    check_event(made)
    return made
