"""How the service writes a log record: a console line or a JSON line, masked, without control characters."""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from hookrt.observability.let_go import let_go
from hookrt.observability.line import LogLine, hide_unprintable, show_value, show_words
from hookrt.plugin.blame import describe_error

Render = Callable[[dict[str, Any]], str]

_OWN_KEYS = ("timestamp", "level", "logger", "event", "frames", "stack", "exception", "exc_info")
"""Keys that mean something here or to structlog's renderers (which print some as they are); `_` goes behind them."""

_MAX_STACK = 50


class ServiceHandler(logging.StreamHandler[Any]):
    """Writes lines to a stream. A line that cannot be written is given up in silence: nobody could be told."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Print no traceback, as the library would; a pipe that nobody reads any more is not tried again."""
        if isinstance(sys.exception(), BrokenPipeError):
            with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor
                let_go(self.stream)


class ServiceFormatter(logging.Formatter):
    """Renders records of hookrt and of everybody else alike; the last thing done to a line is to mask it.

    An exception becomes one field, `error`, and with `stacks` another, `frames`, never a traceback.
    """

    def __init__(self, render: Render, mask: Callable[[str], str], *, stacks: bool) -> None:
        super().__init__()
        self._render = render
        self._mask = mask
        self._stacks = stacks

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        try:
            line = self._render(self._entry(record))
        except Exception as error:  # a field that cannot be rendered must not cost the line
            line = (
                f"{record.levelname.lower()} {record.name}: a log line could not be rendered: {describe_error(error)}"
            )
        return hide_unprintable(self._mask(line))

    def _entry(self, record: logging.LogRecord) -> dict[str, Any]:
        line = record.msg if isinstance(record.msg, LogLine) else LogLine(record.getMessage())
        moment = datetime.fromtimestamp(record.created, UTC)
        entry: dict[str, Any] = {
            "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": self._mask(line.event.strip()),
            "logger": record.name,
        }
        for key, value in line.fields.items():  # masked here too, since a colour's code ends in a letter
            own = f"{key}_" if key in _OWN_KEYS else str(key)
            entry[own] = self._mask(value) if isinstance(value, str) else value
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            entry.setdefault("error", self._mask(describe_error(error)))
            if self._stacks:
                entry["frames"] = _stack_of(error)
        return entry


def render_json() -> Render:
    """One JSON object a line, in ASCII."""
    from structlog.processors import JSONRenderer  # noqa: PLC0415 - structlog costs 0.1 s

    renderer = JSONRenderer(default=str)

    def render(entry: dict[str, Any]) -> str:
        try:
            return _as_text(renderer(None, "", entry))
        except Exception:  # a field that is no JSON: odd keys, circles, objects without a text
            return _as_text(renderer(None, "", {key: _flat(entry[key]) for key in entry}))

    return render


def render_console(colours: bool) -> Render:
    """One line for people: local time, level, event, fields, logger."""
    from structlog.dev import Column, ConsoleRenderer, KeyValueColumnFormatter, LogLevelColumnFormatter  # noqa: PLC0415

    style = ConsoleRenderer.get_default_column_styles(colours)
    levels = ConsoleRenderer.get_default_level_styles(colours)

    def column(text_style: str, show: Callable[[object], str], width: int = 0) -> KeyValueColumnFormatter:
        return KeyValueColumnFormatter(None, text_style, style.reset, show, width)

    fields = KeyValueColumnFormatter(style.kv_key, style.kv_value, style.reset, show_value)
    columns = [
        Column("timestamp", column(style.timestamp, _local_time)),
        Column("level", LogLevelColumnFormatter(levels, style.reset)),
        Column("event", column(style.bright, show_words, 24)),
        Column("", fields),
        Column("logger", column(style.logger_name, lambda name: f"({show_words(name)})")),
    ]
    renderer = ConsoleRenderer(columns=columns, sort_keys=False)
    return lambda entry: _as_text(renderer(None, "", {show_words(key): entry[key] for key in entry}))


def _flat(value: object) -> object:
    return value if value is None or isinstance(value, (str, int, float)) else show_value(value)


def _local_time(timestamp: object) -> str:
    return datetime.fromisoformat(str(timestamp)).astimezone().strftime("%H:%M:%S.%f")[:-3]


def _stack_of(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-_MAX_STACK:]
    return [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def _as_text(rendered: str | bytes) -> str:
    return rendered if isinstance(rendered, str) else rendered.decode()
