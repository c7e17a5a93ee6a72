"""The event: a fact that happened, immutable, one to one with a CloudEvent."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from hookrt.errors import EventError
from hookrt.model.json_depth import check_depth

MAX_NAME = 255
"""Longest event type, id, source or subject, in characters (the rules' limit for types, used for all)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and lone surrogates (undecodable bytes of a command line), which no store could write."""

_SEGMENT = r"[^\s.\x00-\x1f\x7f-\x9f\ud800-\udfff*]+"
_TYPE = re.compile(rf"{_SEGMENT}(\.{_SEGMENT})*")
_ATTRIBUTE = re.compile(r"[a-z0-9]{1,64}")
_UNREAD = msgspec.UNSET  # one object in every process and after every copy
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

AttributeValue = str | int | bool


@dataclass(frozen=True, slots=True)
class Event:
    """A fact: its names, its time, and its data as the bytes that came in.

    `content` is the JSON text of `data`, kept byte for byte; with `binary` it is anything else, and `data` is
    None. `content_type` is the CloudEvents `datacontenttype` where one was given. `attributes` are CloudEvents
    extensions. `cause` is the id of the delivery whose step emitted this event, `depth` how many such steps
    lie between it and an event from outside. Of a stored event whose payload retention has dropped, `content` is empty.
    """

    id: str
    type: str
    source: str
    time: datetime
    subject: str | None = None
    content: bytes = b"null"
    content_type: str | None = None
    binary: bool = False
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    cause: str | None = None
    depth: int = 0
    _data: Any = field(default=_UNREAD, init=False, repr=False, compare=False)

    @property
    def data(self) -> Any:
        """The decoded data, decoded once and shared: do not change it (`fresh()` gives one to change)."""
        if self._data is _UNREAD:
            object.__setattr__(self, "_data", None if self.binary or not self.content else _decode(self.content))
        return self._data

    @property
    def payload_dropped(self) -> bool:
        """Whether its data is gone, since retention keeps the record longer; JSON is never empty."""
        return not self.content and not self.binary

    @property
    def data_base64(self) -> str | None:
        """Binary content in base64, None for JSON."""
        return base64.b64encode(self.content).decode("ascii") if self.binary else None

    def fresh(self) -> Event:
        """The same event whose decoded data nobody else holds."""
        return Event(
            self.id,
            self.type,
            self.source,
            self.time,
            self.subject,
            self.content,
            self.content_type,
            self.binary,
            self.attributes,
            self.cause,
            self.depth,
        )

    def as_dict(self) -> dict[str, Any]:
        """The event as plain JSON values: what expressions see as `event` and snippets get."""
        shown: dict[str, Any] = {
            "id": self.id,
            "type": self.type,
            "source": self.source,
            "subject": self.subject,
            "time": format_time(self.time),
            "data": self.data,
            "attributes": dict(self.attributes),
        }
        if self.binary:
            shown["data_base64"] = self.data_base64
        return shown


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event on its way in: what its sender said of it; the rest is filled in when it is accepted.

    `only` is the one hook that it is meant for; None for all that match.
    """

    type: str
    content: bytes = b"null"
    id: str | None = None
    source: str | None = None
    subject: str | None = None
    time: datetime | None = None
    content_type: str | None = None
    binary: bool = False
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    cause: str | None = None
    depth: int = 0
    only: str | None = None

    def complete(self, id: str, source: str, time: datetime) -> Event:
        """The event, with these where its sender said nothing; raises EventError where it breaks the rules."""
        event = Event(
            id=self.id if self.id is not None else id,
            type=self.type,
            source=self.source if self.source is not None else source,
            time=self.time or time,
            subject=self.subject,
            content=self.content,
            content_type=self.content_type,
            binary=self.binary,
            attributes=self.attributes,
            cause=self.cause,
            depth=self.depth,
        )
        check_event(event)
        return event


def check_event(event: Event) -> None:
    """Raise EventError, naming the field, when a name, the type or the data breaks the rules.

    Types are 1-255 characters in segments joined by `.`, without `*`, white space or control characters. Ids,
    sources and subjects carry no control characters. Names of attributes are lower case letters and digits. JSON is
    at most 64 levels deep (`json_depth`); that it is JSON is for the reader of the bytes to see.
    """
    check_type(event.type)
    _check_name("id", event.id)
    _check_name("source", event.source)
    if event.subject is not None:
        _check_name("subject", event.subject)
    _check_time(event.time)
    if event.content_type is not None:
        _check_name("datacontenttype", event.content_type)
    for name, value in event.attributes.items():
        _check_attribute(name, value)
    if not event.binary:
        if not event.content:
            raise EventError("'data' is empty, which is no JSON: for no data write null")
        check_depth(event.content)


def check_type(name: str) -> None:
    """Raise EventError when this is no event type."""
    if not name or len(name) > MAX_NAME:
        raise EventError(f"'type' must have 1 to {MAX_NAME} characters, this one has {len(name)}")
    if not _TYPE.fullmatch(name):
        raise EventError(
            f"'type' is {name!r}: it must be segments joined by '.', like User.Data.Updated, "
            "without '*', spaces or control characters"
        )


def encode_data(data: Any) -> bytes:
    """The JSON text of plain values; raises EventError for what JSON cannot carry, NaN and infinity included."""
    try:
        text = _encode(data)
        if b"null" in text and _has_non_finite(data):  # the encoder writes null for them
            raise ValueError("it holds NaN or an infinity")
    except RecursionError:
        raise EventError("'data' is not JSON: it is nested too deep, or holds itself") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise EventError(f"'data' is not JSON: {error}") from None
    return text


def format_time(moment: datetime) -> str:
    """An aware time as ISO 8601 in UTC with `Z`, microseconds only when there are any."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _has_non_finite(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, Mapping):
        return any(_has_non_finite(part) for part in value.values())
    return isinstance(value, (list, tuple, set, frozenset)) and any(_has_non_finite(part) for part in value)


def _check_time(time: datetime) -> None:
    if not isinstance(time, datetime):
        raise EventError(f"'time' must be a datetime, this is {type(time).__name__}")
    if time.tzinfo is None:
        raise EventError("'time' has no zone: use an aware datetime")
    try:
        time.astimezone(UTC)
    except OverflowError:
        raise EventError("'time' is outside the years 1 to 9999 in UTC") from None


def _check_attribute(name: str, value: AttributeValue) -> None:
    if not _ATTRIBUTE.fullmatch(name):
        raise EventError(f"the attribute {name!r} must be named with 1 to 64 lower case letters and digits")
    if isinstance(value, str) and _CONTROL.search(value):
        raise EventError(f"the attribute {name!r} has a control character")


def _check_name(which: str, text: str) -> None:
    if not isinstance(text, str):
        raise EventError(f"'{which}' must be text, this is {type(text).__name__}")
    if not text or len(text) > MAX_NAME:
        raise EventError(f"'{which}' must have 1 to {MAX_NAME} characters, this one has {len(text)}")
    if found := _CONTROL.search(text):
        raise EventError(
            f"'{which}' has a control character ({ascii(found.group())[1:-1]}) at position {found.start() + 1}"
        )
