"""From a message of NATS to an event: CloudEvents by their own names, anything else by its subject."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import msgspec

from hookrt.plugin import Refused, read_json
from hookrt_nats.server import subject_matches

MAX_NAME = 255
"""Characters of the longest name that an event can have."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_CORE = frozenset({"id", "source", "type", "specversion", "subject", "time", "datacontenttype", "data", "data_base64"})
_read_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_read_bytes = msgspec.json.Decoder(bytes).decode  # base64, as JSON has bytes
_read_any = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Message:
    """What came: `identity` is by what the server knows it, where it carries no id of its own."""

    subject: str
    payload: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    identity: str
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The event that a message stands for."""

    type: str
    data: Any = field(repr=False)
    id: str
    subject: str | None
    time: datetime | None
    attributes: Mapping[str, str | int | bool] = field(default_factory=dict)
    content_type: str | None = None
    binary: bool = False


def read_message(message: Message, types: Mapping[str, str]) -> Reading:
    """The event of a message; raises Refused for what says that it is a CloudEvent or JSON, and is not.

    `types` are event types by patterns of subjects, of which the first that matches counts.
    """
    headers = {name.lower(): value for name, value in message.headers.items()}
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == "application/cloudevents+json" or (not media and _looks_like_one(message.payload)):
        return _structured(message)
    if "ce-specversion" in headers:
        return _binary(message, headers, media)
    data, binary = _content(message.payload, media)
    found = next((one for pattern, one in types.items() if subject_matches(pattern, message.subject)), message.subject)
    identity = short(headers.get("nats-msg-id") or message.identity)
    kept = headers.get("content-type") if binary else None
    return Reading(found, data, identity, short(message.subject), message.time, content_type=kept, binary=binary)


def short(name: str) -> str:
    """The name itself, or what stands for one that is too long."""
    return name if len(name) <= MAX_NAME else f"sha256:{_hash(name)}"


def _content(payload: bytes, media: str) -> tuple[Any, bool]:
    """The payload as data of an event, and whether it is neither JSON nor text."""
    if not payload:
        return None, False
    if media.endswith(("/json", "+json")):
        read_json(payload)
        return payload, False
    if not media:
        try:
            read_json(payload)
        except Refused:
            pass
        else:
            return payload, False
    try:
        return payload.decode(), False
    except UnicodeDecodeError:
        return payload, True


def _looks_like_one(payload: bytes) -> bool:
    if b'"specversion"' not in payload[:65536]:
        return False
    try:
        found = read_json(payload)
    except Refused:
        return False
    return isinstance(found, dict) and all(isinstance(found.get(key), str) for key in ("specversion", "id", "source"))


def _structured(message: Message) -> Reading:
    if not isinstance(read_json(message.payload), dict):
        raise Refused("malformed", "a CloudEvent is a JSON object")
    fields = _read_fields(message.payload)
    encoded = fields.get("data_base64")
    values = {name: _read_any(raw) for name, raw in fields.items() if name not in {"data", "data_base64"}}
    if encoded is None:
        return _event(message, values, bytes(fields.get("data", b"null")), binary=False)
    try:
        return _event(message, values, _read_bytes(encoded), binary=True)
    except msgspec.MsgspecError:
        raise Refused("malformed", "data_base64 is not base64") from None


def _binary(message: Message, headers: Mapping[str, str], media: str) -> Reading:
    values: dict[str, Any] = {name[3:]: unquote(text) for name, text in headers.items() if name.startswith("ce-")}
    values["datacontenttype"] = headers.get("content-type")
    data, binary = _content(message.payload, media or "application/json")
    return _event(message, values, data, binary=binary)


def _event(message: Message, values: Mapping[str, Any], data: Any, *, binary: bool) -> Reading:
    if values.get("specversion") != "1.0":
        raise Refused("malformed", "only CloudEvents of specversion 1.0 are understood")
    identity, source = _required(values, "id"), _required(values, "source")
    return Reading(
        type=_required(values, "type"),
        data=data,
        id=_identity(identity, source),
        subject=_text(values, "subject"),
        time=_moment(_text(values, "time")) or message.time,
        attributes={**_extensions(values), "cesource": source},
        content_type=_text(values, "datacontenttype"),
        binary=binary,
    )


def _identity(identity: str, source: str) -> str:
    """Of CloudEvents that is source and id together, unless the id is unique by itself."""
    return identity if _UUID.fullmatch(identity) else short(f"{identity}~{_hash(source)[:16]}")


def _extensions(values: Mapping[str, Any]) -> dict[str, str | int | bool]:
    found = {name: value for name, value in values.items() if name not in _CORE and value is not None}
    for name, value in found.items():
        if not isinstance(value, str | int | bool):
            raise Refused("malformed", f"the attribute {name[:64]} is neither text nor number nor boolean")
    return found


def _required(values: Mapping[str, Any], name: str) -> str:
    text = _text(values, name)
    if not text:
        raise Refused("malformed", f"the CloudEvent has no {name}")
    return text


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise Refused("malformed", f"{name} of a CloudEvent must be a text")
    return value


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise Refused("malformed", "time of a CloudEvent must be a timestamp with a zone") from None
    return moment if moment is not None and moment.tzinfo is not None else None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
