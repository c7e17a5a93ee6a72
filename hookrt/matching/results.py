"""What an expression came to, as plain JSON values."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import Any

from hookrt.errors import ExpressionError
from hookrt.model.event import format_time

_LARGE_INTEGER = re.compile(rb"-?[0-9]{19,}")
_JSON_TYPES = {
    "BOOL": "boolean",
    "INT": "integer",
    "UINT": "integer",
    "DOUBLE": "number",
    "STRING": "string",
    "TIMESTAMP": "string",
    "DURATION": "string",
    "NULL": "null",
    "LIST": "array",
    "MAP": "object",
}


def json_type(library_type: str) -> str | None:
    """The JSON type of a library type's name (`MAP<STRING, INT>`); None where it is only known at run time.

    Raises ExpressionError for a type that no JSON value has.
    """
    name = library_type.partition("<")[0]
    if name == "DYN":
        return None
    if name not in _JSON_TYPES:
        raise ExpressionError(f"the value is of the type {name.lower()}, which JSON does not have")
    return _JSON_TYPES[name]


def as_text(value: str | float) -> str:
    """A text, a number or a bool as text: 7, 7.0 and "7" are one, and so are true and "true"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def plain(value: Any) -> Any:
    """The library's plain value as JSON values; raises ExpressionError for what JSON does not have.

    Times become RFC 3339 text, spans of time seconds (`90s`), large integers what they were before they went in.
    Keys are sorted: the library's own order differs from run to run, and a retry has to send the same bytes.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ExpressionError(f"the value is {value}, which JSON does not have")
        return value
    if isinstance(value, list):
        return [plain(element) for element in value]
    if isinstance(value, dict):
        return {_key(key): plain(value[key]) for key in sorted(value, key=str)}
    return _from_other(value)


def _from_other(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, timedelta):
        return format_span(value)
    if isinstance(value, bytes | bytearray):
        if _LARGE_INTEGER.fullmatch(value):
            return int(value)
        raise ExpressionError("the value holds bytes, which JSON does not have")
    raise ExpressionError("the value holds a type, which JSON does not have")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    raise ExpressionError(f"the value has the key {key}: the keys of a JSON object are text")


def format_span(span: timedelta) -> str:
    """A span of time as CEL writes it: `90s`, `-1.5s`."""
    sign = "-" if span < timedelta(0) else ""
    span = abs(span)
    seconds = span.days * 86400 + span.seconds
    fraction = f".{span.microseconds:06}".rstrip("0") if span.microseconds else ""
    return f"{sign}{seconds}{fraction}s"
