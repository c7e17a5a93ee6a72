"""Paths such as `event.data.user.name`: how they are written, and what stands at them in a scope."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from hookrt.errors import ExpressionError, SecretMissing
from hookrt.model.event import Event, format_time
from hookrt.model.hook import Scope

Path = tuple[str | int, ...]
"""The root name, then field names and list indices."""

MAX_SHOWN = 80
"""Characters of a value that are shown to people; the rest is cut."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_INDEX = re.compile(r"[0-9]{1,9}")

EVENT_READERS: Mapping[str, Callable[[Event], Any]] = {
    "id": lambda event: event.id,
    "type": lambda event: event.type,
    "source": lambda event: event.source,
    "subject": lambda event: event.subject,
    "time": lambda event: format_time(event.time),
    "data": lambda event: event.data,
    "attributes": lambda event: dict(event.attributes),
}
"""How each field of an event is read; the same values as `Event.as_dict`, without making all of them."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A path that leads nowhere: `path[:depth]` exists and is `value`, `path[depth]` is not in it."""

    depth: int
    value: Any


def format_path(path: Path) -> str:
    """The path as it is written in an expression."""
    written = str(path[0])
    for segment in path[1:]:
        if isinstance(segment, str) and _WORD.fullmatch(segment):
            written += f".{segment}"
        else:
            written += f"[{msgspec.json.encode(segment).decode()}]"
    return written


def follow(scope: Scope, path: Path) -> Any:
    """What stands at the path, not copied; a Miss where it leads nowhere.

    Raises ExpressionError for a secret that is not there.
    """
    value, taken = _begin(scope, path)
    for depth in range(taken, len(path)):
        found = step_into(value, path[depth])
        if isinstance(found, Miss):
            return Miss(depth, value)
        value = found
    return value


def step_into(value: Any, segment: str | int) -> Any:
    """The field or element of a value; a Miss (without a depth) when it has none such. Digits count elements too."""
    if isinstance(value, Mapping):
        return value[segment] if segment in value else Miss(0, value)
    if isinstance(value, list):
        index = int(segment) if isinstance(segment, str) and _INDEX.fullmatch(segment) else segment
        if isinstance(index, int) and index < len(value):
            return value[index]
    return Miss(0, value)


def follow_dotted(value: Any, dotted: str) -> Any:
    """What stands at `a.b.0.c` below a value; a Miss when nothing does."""
    for segment in dotted.split("."):
        value = step_into(value, segment)
        if isinstance(value, Miss):
            break
    return value


def _begin(scope: Scope, path: Path) -> tuple[Any, int]:
    """The value at the beginning of the path, and how many segments that took."""
    root = path[0]
    if root == "event" and len(path) > 1 and path[1] in EVENT_READERS:
        return EVENT_READERS[str(path[1])](scope.event), 2
    if root == "steps" and len(path) > 1 and path[1] in scope.steps:
        return scope.steps[str(path[1])].as_dict(), 2
    if root == "secrets" and len(path) > 1:
        return read_secret(scope, str(path[1])), 2
    return read_root(scope, str(root)), 1


def read_root(scope: Scope, root: str) -> Any:
    """The whole of `event`, `steps`, `hook` or `env`; in a source, of `body`, `headers` or `query`."""
    if root == "event":
        return scope.event.as_dict()
    if scope.request is not None and root in scope.request:
        return scope.request[root]
    if root == "steps":
        return {name: result.as_dict() for name, result in scope.steps.items()}
    return scope.env if root == "env" else scope.hook


def read_secret(scope: Scope, name: str) -> str:
    """The secret's value; raises ExpressionError, naming it, when it is not provided."""
    if scope.secrets is None:
        raise ExpressionError(f"secrets.{name} cannot be used here")
    try:
        return scope.secrets(name)
    except SecretMissing as missing:
        raise ExpressionError(str(missing)) from None


def show(value: Any) -> str:
    """A value as JSON for people, cut at MAX_SHOWN characters."""
    if isinstance(value, str) and len(value) > MAX_SHOWN:
        return f'{_json(value[: MAX_SHOWN - 3])[:-1]}..." ({len(value):,} characters)'
    if isinstance(value, list | Mapping) and len(value) > MAX_SHOWN:
        return f"{_kind_of(value)} of {len(value):,}"
    text = _json(value)
    return text if len(text) <= MAX_SHOWN + 2 else text[: MAX_SHOWN - 3] + "..."


def _json(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        return f"a value of the type {type(value).__name__}"


def _kind_of(value: Any) -> str:
    return "a list" if isinstance(value, list) else "an object"
