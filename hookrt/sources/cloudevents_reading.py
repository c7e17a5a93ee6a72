"""Reading CloudEvents 1.0 out of HTTP requests, in each of the three modes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from hookrt.plugin import Inbound, Refused, read_json
from hookrt.sources.reading import as_sent

_CORE = frozenset({"id", "source", "type", "specversion", "subject", "time", "datacontenttype"})
_ATTRIBUTE = re.compile(r"[a-z0-9]{1,64}", re.ASCII)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST_SOURCE = 2048
_INTEGERS = range(-(2**31), 2**31)  # what the specification calls an Integer
_PREFIX = "ce-"
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_decode_any = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One CloudEvent; `content` is JSON, or with `binary` anything else."""

    id: str
    source: str
    type: str
    content: bytes = field(repr=False)
    binary: bool
    subject: str | None
    time: str | None
    content_type: str | None
    extensions: Mapping[str, str | int | bool]


def read_structured(request: Inbound) -> CloudEvent:
    """The event whose attributes and data are one JSON object; raises Refused."""
    if not isinstance(request.json(), dict):
        raise Refused("malformed", "a CloudEvent is a JSON object")
    return _of_fields(_decode_object(request.body))


def read_batch(request: Inbound) -> list[CloudEvent]:
    """The events of a JSON array, in order; raises Refused, naming the event that is none."""
    items = request.json()
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Refused("malformed", "a batch of CloudEvents is a JSON array of objects")
    events = []
    for number, fields in enumerate(_decode_objects(request.body), start=1):
        try:
            events.append(_of_fields(fields))
        except Refused as refused:
            raise Refused(refused.reason, f"event {number} of the batch: {refused.message}") from None
    return events


def read_binary(request: Inbound, media: str) -> CloudEvent:
    """The event whose attributes are `ce-` headers and whose data is the body; raises Refused."""
    if "ce-specversion" not in request.headers:
        raise Refused("malformed", "the request is no CloudEvent: it has neither its content type nor ce- headers")
    attributes: dict[str, Any] = {
        name[len(_PREFIX) :]: _decode_header(name, value)
        for name, value in request.headers.items()
        if name.startswith(_PREFIX)
    }
    attributes["datacontenttype"] = request.headers.get("content-type")
    if not request.body:
        return _of_attributes(attributes, b"null", binary=False)
    if not media.endswith(("/json", "+json")):
        return _of_attributes(attributes, request.body, binary=True)
    read_json(request.body)
    return _of_attributes(attributes, request.body.strip(), binary=False)


def _of_fields(fields: dict[str, msgspec.Raw]) -> CloudEvent:
    data, encoded = fields.pop("data", None), fields.pop("data_base64", None)
    attributes = {name: _decode_any(raw) for name, raw in fields.items()}
    if encoded is None or bytes(encoded) == b"null":
        return _of_attributes(attributes, b"null" if data is None else bytes(data), binary=False)
    if data is not None:
        raise Refused("malformed", "a CloudEvent has data or data_base64, not both")
    return _of_attributes(attributes, _decode_data(_decode_any(encoded)), binary=True)


def _decode_data(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Refused("malformed", "data_base64 is not base64") from None


def _of_attributes(attributes: dict[str, Any], content: bytes, *, binary: bool) -> CloudEvent:
    if attributes.get("specversion") != "1.0":
        raise Refused("malformed", "only CloudEvents of specversion 1.0 are understood")
    return CloudEvent(
        id=_required(attributes, "id"),
        source=_required(attributes, "source"),
        type=_required(attributes, "type"),
        content=content,
        binary=binary,
        subject=_text(attributes, "subject"),
        time=_text(attributes, "time"),
        content_type=_text(attributes, "datacontenttype"),
        extensions=dict(_extension(name, value) for name, value in attributes.items() if _is_extension(name, value)),
    )


def _required(attributes: Mapping[str, Any], name: str) -> str:
    text = _text(attributes, name)
    if not text:
        raise Refused("malformed", f"the CloudEvent has no {name}")
    return text


def _text(attributes: Mapping[str, Any], name: str) -> str | None:
    value = attributes.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_SOURCE or _CONTROL.search(value):
        raise Refused("malformed", f"{name} must be a text without control characters")
    return value


def _is_extension(name: str, value: Any) -> bool:
    return name not in _CORE and value is not None


def _extension(name: str, value: Any) -> tuple[str, str | int | bool]:
    if not _ATTRIBUTE.fullmatch(name):
        raise Refused("malformed", "an attribute's name has other characters than a-z and 0-9, or is too long")
    if isinstance(value, bool) or (isinstance(value, int) and value in _INTEGERS):
        return name, value
    if isinstance(value, str) and not _CONTROL.search(value):
        return name, value
    raise Refused("malformed", f"the attribute {name} must be a text, a boolean or an integer of 32 bits")


def _decode_header(name: str, value: str) -> str:
    """One round: the quotes and backslashes of a quoted text first, then percent-encoding."""
    text = value
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = _ESCAPED.sub(r"\1", text[1:-1])
    try:
        return unquote_to_bytes(as_sent(text)).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("malformed", f"the header {name[:80]} is not UTF-8 once it is decoded") from None
