"""A row of the outbox: made of an event on its way in, and read back with suspicion, since anybody may write rows."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from hookrt.plugin import Event, EventError, check_event, encode_data, format_time, is_reserved

MAX_DATA = 16 * 1024**2
"""Bytes of the largest data of a row; the service's own limit of an event is usually far lower."""

_SOURCE = "outbox"  # a name that fits; the event's real source is the name under `sources:`
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Row:
    """An event as it is written: all of it text, `data` JSON, `time` ISO 8601."""

    id: str
    type: str
    data: str
    subject: str | None
    time: str


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as it was found. `data` is None where it has more than MAX_DATA bytes: `size` says how many."""

    position: int
    id: Any
    type: Any
    data: Any
    subject: Any
    time: Any
    size: int


@dataclass(frozen=True, slots=True)
class Found:
    """The event of a stored row; `data` carries its JSON byte for byte."""

    id: str
    type: str
    data: msgspec.Raw
    subject: str | None
    time: datetime | None


def make_row(type: str, data: Any, id: str | None, subject: str | None, time: datetime | None) -> Row:
    """The row of an event; raises EventError, naming the field, for one that no runtime would accept."""
    moment = datetime.now(UTC) if time is None else time
    if not isinstance(moment, datetime):
        raise EventError("'time' must be an aware datetime")
    identity = f"evt_{secrets.token_hex(16)}" if id is None else id
    content = encode_data(data)
    _check(identity, type, content, subject, moment)
    return Row(identity, type, content.decode(), subject, format_time(moment))


def read_row(stored: StoredRow) -> Found:
    """The event of a row; raises EventError when there is none in it."""
    if stored.size > MAX_DATA:
        raise EventError(_too_large(stored.size))
    content = _bytes_of(stored.data)
    time = _time_of(stored.time)
    _check(stored.id, stored.type, content, stored.subject, time or datetime.now(UTC))
    try:
        _decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise EventError(f"'data' is not JSON: {error}") from None
    return Found(stored.id, stored.type, msgspec.Raw(content), stored.subject, time)


def _check(id: Any, type: Any, content: bytes, subject: Any, time: datetime) -> None:
    for name, value in (("id", id), ("type", type), ("subject", subject)):
        if not isinstance(value, str) and not (name == "subject" and value is None):
            raise EventError(f"'{name}' must be text")
    if len(content) > MAX_DATA:
        raise EventError(_too_large(len(content)))
    check_event(Event(id, type, _SOURCE, time, subject, content))
    if is_reserved(type):
        raise EventError(f"'type' is {type!r}: types that begin with 'hookrt.' are for hookrt itself")


def _bytes_of(data: Any) -> bytes:
    if not isinstance(data, str):
        raise EventError("'data' must be text")
    try:
        return data.encode()
    except UnicodeEncodeError:
        raise EventError("'data' is not UTF-8") from None


def _time_of(written: Any) -> datetime | None:
    if written is None:
        return None
    try:
        return datetime.fromisoformat(written)
    except (TypeError, ValueError):
        raise EventError("'time' must be ISO 8601 with a zone, like 2026-11-23T12:00:00Z") from None


def _too_large(size: int) -> str:
    return f"'data' has {size:,} bytes, and a row of the outbox {MAX_DATA:,} at most"
