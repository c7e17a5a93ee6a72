"""CloudEvents 1.0 over HTTP: structured and binary events (the batch is a list of structured ones)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from hookrt.errors import EventError
from hookrt.model.event import EventDraft
from hookrt.web.malformed import find_fault
from hookrt.web.media_type import essence, is_json
from hookrt.web.plain_form import CORE_ATTRIBUTES, Moment, check_attributes, check_moment, check_printable

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PREFIX = b"ce-"
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder().decode


def read_structured(text: bytes) -> EventDraft:
    """The CloudEvent in this JSON text.

    Raises msgspec.DecodeError or UnicodeDecodeError where the text is no JSON (`malformed.find_fault` then tells the
    place), EventError where it is no CloudEvent of version 1.0.
    """
    try:
        fields = _decode_fields(text)
    except msgspec.ValidationError:
        raise EventError("a CloudEvent is a JSON object") from None
    data, encoded = fields.pop("data", None), fields.pop("data_base64", None)
    attributes = {name: _decode_any(raw) for name, raw in fields.items()}
    content, binary = _read_data(data, encoded)
    return _draft(attributes, content, binary=binary)


def read_binary(headers: Iterable[tuple[bytes, bytes]], content_type: str | None, body: bytes) -> EventDraft:
    """The CloudEvent whose attributes are `ce-` headers and whose data is the body.

    A body of a JSON type is the data's JSON text, an empty one null; any other is kept as bytes.
    """
    attributes = _read_headers(headers)
    if "datacontenttype" in attributes:
        raise EventError("send the data's type as Content-Type, not as ce-datacontenttype")
    if "data" in attributes or "data_base64" in attributes:
        raise EventError("send the data as the body, not as a header")
    attributes["datacontenttype"] = content_type
    if not body:
        return _draft(attributes, b"null", binary=False)
    if content_type is None or not is_json(content_type) or essence(content_type) == "application/x-ndjson":
        return _draft(attributes, body, binary=True)
    if fault := find_fault(body):
        raise fault
    return _draft(attributes, body.strip(), binary=False)


def _read_data(data: msgspec.Raw | None, encoded: msgspec.Raw | None) -> tuple[bytes, bool]:
    if encoded is None or bytes(encoded) == b"null":
        content = b"null" if data is None else bytes(data)
        _decode_any(content)  # Raw skips over what a full reading refuses
        return content, False
    if data is not None:
        raise EventError("a CloudEvent has 'data' or 'data_base64', not both")
    text = _decode_any(encoded)
    if not isinstance(text, str):
        raise EventError("'data_base64' must be a text")
    try:
        return base64.b64decode(text, validate=True), True
    except (binascii.Error, ValueError):
        raise EventError("'data_base64' is not base64") from None


def _draft(attributes: dict[str, Any], content: bytes, *, binary: bool) -> EventDraft:
    _check_version(attributes.get("specversion"))
    time = _text(attributes, "time")
    return EventDraft(
        type=_required(attributes, "type"),
        content=content,
        id=_required(attributes, "id"),
        source=_required(attributes, "source"),
        subject=_text(attributes, "subject"),
        time=None if time is None else _moment(time),
        content_type=_text(attributes, "datacontenttype"),
        binary=binary,
        attributes=check_attributes({name: value for name, value in attributes.items() if name not in CORE_ATTRIBUTES}),
    )


def _check_version(version: Any) -> None:
    if version is None:
        raise EventError("the CloudEvent has no 'specversion': it must be 1.0")
    if version != "1.0":
        raise EventError(f"'specversion' is {str(version)[:40]!r}: only CloudEvents 1.0 are understood")


def _required(attributes: Mapping[str, Any], name: str) -> str:
    text = _text(attributes, name)
    if text is None:
        raise EventError(f"the CloudEvent has no {name!r}")
    return text


def _text(attributes: Mapping[str, Any], name: str) -> str | None:
    value = attributes.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise EventError(f"{name!r} must be a text")
    return check_printable(repr(name), value)


def _moment(text: str) -> datetime:
    try:
        moment: datetime = msgspec.convert(text, Moment)
    except msgspec.ValidationError:
        raise EventError("'time' must be a time by RFC 3339 with its zone, like 2026-01-31T12:00:00Z") from None
    return check_moment(moment)


def _read_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for header, value in headers:
        if header.startswith(_PREFIX):
            name = header[len(_PREFIX) :].decode("latin-1")
            if name in attributes:
                raise EventError(f"the header 'ce-{name[:80]}' stands there twice")
            attributes[name] = _decode_value(name, value)
    return attributes


def _decode_value(name: str, value: bytes) -> str:
    """One round: first the quotes and backslashes of a quoted text, then percent-encoding."""
    text = value
    if len(value) >= 2 and value[:1] == value[-1:] == b'"':
        text = _ESCAPED.sub(r"\1", value[1:-1].decode("latin-1")).encode("latin-1")
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError as error:
        raise EventError(f"the header 'ce-{name[:80]}' is not UTF-8 once decoded: {error.reason}") from None
