"""What the body of a request that came in says: JSON, a form, or text."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec

from hookrt.errors import EventError
from hookrt.model.json_depth import check_depth
from hookrt.plugin.refusal import Refused

MAX_FIELDS = 1_000
"""Most fields of a form."""

FORM = "application/x-www-form-urlencoded"
"""The media type of a form."""

_decode = msgspec.json.Decoder().decode


def read_json(text: bytes) -> Any:
    """A JSON text as values; raises Refused when it is none, or deeper than events may be."""
    if not text.strip():
        raise Refused("malformed", "the body is empty, and should be JSON")
    try:
        check_depth(text)
        return _decode(text)
    except EventError as error:
        raise Refused("malformed", str(error)) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("malformed", f"the body is no JSON: {error}") from None


def read_form(text: bytes) -> list[tuple[str, str]]:
    """The fields of an urlencoded form, in order and each time they occur; raises Refused when it is none."""
    try:
        return parse_qsl(text.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise Refused("malformed", f"the body is no urlencoded form of at most {MAX_FIELDS} fields") from None


def form_object(fields: list[tuple[str, str]]) -> dict[str, Any]:
    """A form as an object: a field that occurs several times is a list."""
    found: dict[str, Any] = {}
    for name, value in fields:
        known = found.get(name)
        if known is None:
            found[name] = value
        elif isinstance(known, list):
            known.append(value)
        else:
            found[name] = [known, value]
    return found


def read_text(body: bytes) -> str:
    """The body as text; raises Refused when it is not UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refused("malformed", "the body is neither JSON, nor a form, nor text in UTF-8") from None
