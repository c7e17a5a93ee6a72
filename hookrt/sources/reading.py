"""Reading a sender's words, and making of them types, ids, subjects and times that an event can have.

Whoever signs may write anything, and some senders pass on what their users wrote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hookrt.plugin import Refused

_LONGEST = 255  # characters of a type, an id or a subject
_UNFIT_IN_TYPE = re.compile(r"[\s*\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNFIT_IN_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_AGE = timedelta(days=366 * 200).total_seconds()


def type_of(*words: Any) -> str:
    """The event type of these words, joined by `.`; what is no text is left out, what a type cannot hold becomes `_`.

    Raises Refused where nothing is left.
    """
    text = ".".join(word for word in words if isinstance(word, str))
    segments = [part for part in _UNFIT_IN_TYPE.sub("_", text).split(".") if part]
    name = ".".join(segments)[:_LONGEST].rstrip(".")
    if not name:
        raise Refused("malformed", "the request does not say what kind of event it is")
    return name


def name_of(value: Any) -> str | None:
    """A text that can be an id or a subject; None for all else, as a text that is too long or has control characters.

    Of an id nothing is cut off, since two that begin alike are not the same.
    """
    if not isinstance(value, str) or not value or len(value) > _LONGEST or _UNFIT_IN_NAME.search(value):
        return None
    return value


def first_name(*values: Any) -> str | None:
    """The first of these that can be an id or a subject."""
    return next((name for value in values if (name := name_of(value)) is not None), None)


def at(value: Any, *path: str) -> Any:
    """What stands at this path of a JSON value; None where it leads nowhere."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def moment_of(value: Any) -> datetime | None:
    """A time given in Unix seconds, or as ISO 8601 with its zone; None when it is none that an event can have."""
    if isinstance(value, str):
        return _moment_in(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST_AGE:
        return None
    return _EPOCH + timedelta(seconds=value)


def _moment_in(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def as_sent(text: str) -> bytes:
    """The bytes of a header as they came; HTTP shows each of them as one character."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def require_object(value: Any) -> dict[str, Any]:
    """The JSON object that this sender's bodies are; raises Refused for another value."""
    if not isinstance(value, dict):
        raise Refused("malformed", "the body is no JSON object")
    return value
