"""hookrt's own form of an event: `{"type", "data", ...}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated, Any

import msgspec

from hookrt.errors import EventError
from hookrt.model.event import AttributeValue, EventDraft

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time by RFC 3339; one without a zone is refused, since its zone would be a guess."""

CORE_ATTRIBUTES = frozenset(
    {"id", "source", "type", "specversion", "subject", "time", "datacontenttype", "data", "data_base64"}
)
"""The names that CloudEvents gives a meaning of its own, so that no extension may take them."""

ALLOWED_KEYS = ("type", "data", "id", "source", "subject", "time", "attributes")
"""What an event in the plain form may say."""

_MEANT = {
    "payload": "data",
    "body": "data",
    "content": "data",
    "event": "type",
    "name": "type",
    "kind": "type",
    "event_type": "type",
    "timestamp": "time",
    "created_at": "time",
    "extensions": "attributes",
}
_ATTRIBUTE_NAME = re.compile(r"[a-z0-9]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TYPE_WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}
_TYPE_NAME = re.compile(rf"\b(?:{'|'.join(_TYPE_WORDS)})\b")
_JSON_WORDS = {"str": "text", "int": "number", "float": "number", "bool": "boolean"}
_NULL = msgspec.Raw(b"null")
_INT32 = range(-(2**31), 2**31)


class PlainEvent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An event as posted; `data` stays the bytes that came."""

    type: str
    data: msgspec.Raw = _NULL
    id: str | None = None
    source: str | None = None
    subject: str | None = None
    time: Moment | None = None
    attributes: dict[str, str | int | bool] | None = None


_decode = msgspec.json.Decoder(PlainEvent).decode
_decode_any = msgspec.json.Decoder().decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read_plain(text: bytes) -> EventDraft:
    """The event in this JSON text.

    Raises msgspec.DecodeError or UnicodeDecodeError where the text is no JSON (`malformed.find_fault` then tells the
    place), EventError where it is not an event.
    """
    try:
        event = _decode(text)
    except msgspec.ValidationError as error:
        raise _explain(text, error) from None
    content = bytes(event.data)
    _decode_any(content)  # Raw skips over what a full reading refuses: other encodings, numbers beyond measure
    return EventDraft(
        event.type,
        content,
        event.id,
        event.source,
        event.subject,
        check_moment(event.time) if event.time else None,
        attributes=check_attributes(event.attributes) if event.attributes else {},
    )


def check_moment(moment: datetime) -> datetime:
    """The time in UTC; raises EventError for the few that lie outside the calendar there."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise EventError("'time' lies outside the years 1 to 9999 in UTC") from None


def check_attributes(given: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """CloudEvents extension attributes, checked: names of lower-case letters and digits, plain values.

    A null counts as not given. Raises EventError naming the attribute.
    """
    kept: dict[str, AttributeValue] = {}
    for name, value in given.items():
        if not _ATTRIBUTE_NAME.fullmatch(name):
            raise EventError(f"the attribute {name[:80]!r} must be named with 1 to 64 lower-case letters and digits")
        if name in CORE_ATTRIBUTES:
            raise EventError(f"the attribute {name!r} is one of CloudEvents' own: it cannot be an extension")
        if value is not None:
            kept[name] = _check_value(name, value)
    return kept


def check_printable(what: str, text: str) -> str:
    """The text itself; raises EventError where it holds a control character, since it may become a header."""
    if found := _CONTROL.search(text):
        shown = found.group().encode("unicode_escape").decode()
        raise EventError(f"{what} has a control character ({shown}) at position {found.start() + 1}")
    return text


def _check_value(name: str, value: Any) -> AttributeValue:
    if isinstance(value, str):
        return check_printable(f"the attribute {name!r}", value)
    if isinstance(value, bool):
        return value
    if not isinstance(value, int):
        raise EventError(f"the attribute {name!r} must be a text, a whole number or a boolean")
    if value not in _INT32:
        raise EventError(f"the attribute {name!r} is a number outside 32 bits: send it as text")
    return value


def _explain(text: bytes, error: msgspec.ValidationError) -> EventError:
    """What is wrong with a well-formed JSON text that is no event; names all unknown keys at once."""
    try:
        fields = _decode_fields(text)
    except msgspec.ValidationError:
        return EventError(f'an event is a JSON object like {{"type": "User.Created", "data": {{}}}}, {_got(error)}')
    if "specversion" in fields:
        return EventError("this looks like a CloudEvent: send it with Content-Type: application/cloudevents+json")
    if unknown := [name for name in fields if name not in ALLOWED_KEYS]:
        return EventError(
            "; ".join(_unknown_key(name) for name in unknown[:5]) + f". Keys are {', '.join(ALLOWED_KEYS)}"
        )
    if "type" not in fields:
        return EventError("the event has no 'type'")
    return EventError(_wrong_value(str(error)))


def _unknown_key(name: str) -> str:
    meant = _MEANT.get(name.lower()) or next(iter(get_close_matches(name.lower(), ALLOWED_KEYS, 1)), None)
    return f"unknown key {name[:80]!r}" + (f" (did you mean {meant!r}?)" if meant else "")


def _wrong_value(text: str) -> str:
    if "timezone component" in text:
        return "'time' has no zone: write 2026-01-31T12:00:00Z or an offset such as +01:00"
    if "RFC3339" in text or "`datetime" in text:
        return "'time' must be a text by RFC 3339, like 2026-01-31T12:00:00Z"
    what, _, where = text.partition(" - at ")
    key = where.strip("`").removeprefix("$.").replace("[...]", "")
    said = _TYPE_NAME.sub(lambda found: _TYPE_WORDS[found[0]], what.replace("`", "").replace(" | ", " or "))
    return f"{key!r} is wrong: {said[:1].lower()}{said[1:]}" if key else said


def _got(error: msgspec.ValidationError) -> str:
    got = str(error).partition(", got ")[2].strip("`")
    return f"this is a JSON {_JSON_WORDS.get(got, got)}" if got else "not this"
