"""The log that an action is handed: its lines go to the attempt's record and to the service's log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hookrt.plugin.protocols import Log

MAX_LINES = 200
"""Lines that one attempt may add to its record."""

MAX_LINE = 2_000
"""Characters of one recorded line."""

_MAX_HELD = 64 * 1024
"""Characters of one line that are held until the attempt is over."""


class AttemptLog:
    """Collects what an action logs in one attempt; past MAX_LINES it only counts."""

    __slots__ = ("_fields", "_log", "dropped", "lines")

    def __init__(self, log: Log, fields: Mapping[str, Any]) -> None:
        self._log = log
        self._fields = fields
        self.lines: list[str] = []
        self.dropped = 0

    def debug(self, event: str, **fields: Any) -> None:
        """For those who look closely."""
        self._keep("debug", event, fields)
        self._log.debug(event, **{**self._fields, **fields})

    def info(self, event: str, **fields: Any) -> None:
        """What happened."""
        self._keep("info", event, fields)
        self._log.info(event, **{**self._fields, **fields})

    def warning(self, event: str, **fields: Any) -> None:
        """What somebody should look at."""
        self._keep("warning", event, fields)
        self._log.warning(event, **{**self._fields, **fields})

    def error(self, event: str, **fields: Any) -> None:
        """What somebody must look at."""
        self._keep("error", event, fields)
        self._log.error(event, **{**self._fields, **fields})

    def _keep(self, level: str, event: str, fields: Mapping[str, Any]) -> None:
        if len(self.lines) >= MAX_LINES:
            self.dropped += 1
            return
        shown = "".join(f" {key}={value}" for key, value in fields.items())
        self.lines.append(f"{level}: {event}{shown}"[:_MAX_HELD])


def bounded_lines(lines: Sequence[str], dropped: int = 0, shown: Callable[[str], str] = str) -> tuple[str, ...]:
    """Lines as they are recorded: at most MAX_LINES, each at most MAX_LINE characters of what is `shown` of it; what
    was cut is said.
    """
    kept = [shown(line) for line in lines[:MAX_LINES]]
    kept = [line if len(line) <= MAX_LINE else line[:MAX_LINE] + "…" for line in kept]
    missing = dropped + max(len(lines) - MAX_LINES, 0)
    if missing:
        kept.append(f"… and {missing} more lines")
    return tuple(kept)
