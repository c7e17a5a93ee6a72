"""How an event is written into a request: the body, and the headers that belong to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from hookrt.actions.webhook.logto_body import USER_AGENT, logto_body
from hookrt.plugin import BodyFormat, Event, format_time

JSON = "application/json"
"""The content type of most bodies."""

_STRUCTURED = "application/cloudevents+json"
_BYTES = "application/octet-stream"
_PLAIN = re.compile(r"[\x21\x23\x24\x26-\x7e]*")
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Written:
    """A body, and the headers that say what it is, names in lower case."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": JSON})


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write an event, for a hook of this name; `write` raises ValueError for one that cannot be written.

    `has_id` says whether `webhook-id` and `webhook-timestamp` go along when no signature needs them. `user_agent` is
    the one that goes with it, None for hookrt's own. `reserved` are headers that cannot be set by hand then, since a
    receiver takes them for a signature.
    """

    write: Callable[[Event, str], Written]
    has_id: bool = True
    user_agent: str | None = None
    reserved: frozenset[str] = frozenset()


def standard_body(event: Event) -> bytes:
    """The Standard Webhooks' body; the event's data goes into it byte for byte as it came in."""
    begin = b'{"type":' + _encode(event.type) + b',"timestamp":"' + format_time(event.time).encode()
    if event.binary:
        return begin + b'","data_base64":"' + (event.data_base64 or "").encode() + b'"}'
    return begin + b'","data":' + event.content + b"}"


def _attributes(event: Event) -> dict[str, str | int | bool]:
    """The attributes of the CloudEvent that this is, its content type apart."""
    known: dict[str, str | int | bool] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": format_time(event.time),
    }
    if event.subject is not None:
        known["subject"] = event.subject
    return {**event.attributes, **known}


def _structured(event: Event, _: str) -> Written:
    attributes = _attributes(event)
    if event.content_type is not None:
        attributes["datacontenttype"] = event.content_type
    begin = _encode(attributes)[:-1]
    if event.binary:
        body = begin + b',"data_base64":"' + (event.data_base64 or "").encode() + b'"}'
    else:
        body = begin + b',"data":' + event.content + b"}"
    return Written(body, {"content-type": _STRUCTURED})


def _binary(event: Event, _: str) -> Written:
    headers = {f"ce-{name}": _header_text(value) for name, value in _attributes(event).items()}
    raw = _raw(event, _)
    return Written(raw.body, {**raw.headers, **headers})


def _raw(event: Event, _: str) -> Written:
    """The data as it came. In a CloudEvent a JSON text may carry what is no JSON: an XML document, say."""
    if event.binary:
        return Written(event.content, {"content-type": event.content_type or _BYTES})
    kind = event.content_type or JSON
    if not _is_json(kind) and isinstance(event.data, str):
        return Written(event.data.encode(), {"content-type": kind})
    return Written(event.content, {"content-type": kind if _is_json(kind) else JSON})


def _is_json(kind: str) -> bool:
    essence = kind.partition(";")[0].strip().lower()
    return essence in {JSON, "text/json"} or essence.endswith("+json")


def _header_text(value: str | float) -> str:
    """An attribute as the HTTP binding of CloudEvents writes it: percent-encoded where a header needs it."""
    text = value if isinstance(value, str) else _encode(value).decode()
    return text if _PLAIN.fullmatch(text) else "".join(map(_escape, text))


def _escape(character: str) -> str:
    if _PLAIN.fullmatch(character):
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _logto(event: Event, hook: str) -> Written:
    return Written(logto_body(event, hook))


FORMATS: Mapping[BodyFormat, Format] = {
    "cloudevents": Format(_structured),
    "cloudevents-binary": Format(_binary),
    "raw": Format(_raw),
    "logto": Format(_logto, has_id=False, user_agent=USER_AGENT, reserved=frozenset({"logto-signature-sha-256"})),
}
"""Every format but `standard`, which needs no such thing."""
