"""The action `log`: write a line to the service's log and to the attempt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from pydantic import Field, JsonValue

from hookrt.plugin import AFTER_CRASH, Action, ActionCall, Outcome, Settings, impl

MAX_TEXT = 16 * 1024
"""Characters of a message, or of one field, that are written."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_TAKEN = frozenset({"event", "level", "timestamp", "logger", "exception", "exc_info", "stack_info", "positional_args"})


class LogSettings(Settings):
    """What to write."""

    message: JsonValue = Field(description="The text; anything that is no text is written as JSON.")
    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="How important it is.")
    fields: dict[str, JsonValue] = Field(default_factory=dict, description="Named values beside the text.")


class Log(Action[LogSettings]):
    """Write a message to the service's log, and to the attempt's own."""

    name = "log"
    short = "message"
    only_http = True
    retry = AFTER_CRASH

    async def run(self, call: ActionCall[LogSettings]) -> Outcome:
        """Write it; there is no output."""
        settings = call.settings
        text = escape_control(_shown(settings.message))
        fields = {_free_name(name): _plain(value) for name, value in settings.fields.items()}
        getattr(call.log, settings.level)(text, **fields)
        return Outcome.done()


@impl
def hookrt_actions() -> Sequence[type[Action[Any]]]:
    """The action `log`."""
    return [Log]


def escape_control(text: str) -> str:
    """The text in one line that cannot move a terminal's cursor, forge another line or turn its direction around.

    Control characters, line separators, direction marks and halves of surrogate pairs are written as escapes.
    """
    return _CONTROL.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode("ascii")


def _shown(value: JsonValue) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode("utf-8")
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}... ({len(text)} characters)"


def _plain(value: JsonValue) -> JsonValue:
    """A field's value as it is logged: numbers and such as they are, text and all else as escaped text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return escape_control(_shown(value))


def _free_name(name: str) -> str:
    """A field's name that no log library takes for one of its own."""
    safe = escape_control(name)
    return f"{safe}_" if safe in _TAKEN or safe.startswith("_") else safe
