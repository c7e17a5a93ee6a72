"""Small words of every view: times, counts, states and values as people read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hookrt.cli.render import Piece, shorten, to_json

_STYLES = {
    "succeeded": "green",
    "done": "green",
    "dead": "bold red",
    "reject": "bold red",
    "failed": "red",
    "waiting": "yellow",
    "retry": "yellow",
    "held": "yellow",
    "running": "cyan",
    "pending": "cyan",
    "cancelled": "dim",
    "skipped": "dim",
}
_WHY_NOT = {
    "type": "another type",
    "source": "another source",
    "condition": "its condition is false",
    "unanswerable": "its condition cannot be evaluated",
    "decide": "only decisions ask it",
}
_LONGEST_VALUE = 300
_SPLIT_SECONDS = re.compile(r"([0-9]+)s([0-9]{1,3})ms$")


def local_time(text: str | None) -> str:
    """A time of the API in the zone of this machine, to the second; `-` where there is none."""
    if text is None:
        return "-"
    try:
        return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):
        return text


def brief_time(text: str | None) -> str:
    """The same for a list: of today only the time of day."""
    shown = local_time(text)
    return shown.removeprefix(f"{datetime.now().astimezone():%Y-%m-%d} ")


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 hook`, `2 hooks`; `many` where an s is not enough."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def state(name: str, word: str | None = None) -> Piece:
    """A status or an outcome in its colour, by its name or another word."""
    return (word if word is not None else name, _STYLES.get(name, ""))


def milliseconds(value: float) -> str:
    """A duration for reading: `0.4 ms`, `12 ms`, `3.2 s`."""
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def brief_duration(text: str) -> str:
    """A duration of the API with its milliseconds as a fraction: `1.2s`, where it says `1s200ms`."""
    return _SPLIT_SECONDS.sub(lambda found: f"{found[1]}.{found[2]:0>3}".rstrip("0") + "s", text)


def value_text(value: Any, limit: int = _LONGEST_VALUE) -> str:
    """Any JSON value on one line, cut when it is long."""
    return shorten(to_json(value, indent=None), limit)


def adds(detail: str, expression: str, value: str, problem: str | None) -> bool:
    """Whether a part of a condition says more than the line `detail`, which explains the whole, has said already."""
    return bool(problem) or f"{expression} is {value}" not in detail


def why_not(reason: str, hook: str) -> str:
    """Why an event does not fire a hook, which is called `it` or `the hook`."""
    return f"{hook} is disabled" if reason == "disabled" else _WHY_NOT.get(reason, reason)


def why(shown: Mapping[str, Any]) -> str:
    """The reason and the message of an attempt or a delivery, whichever there are."""
    return ": ".join(str(shown[key]) for key in ("reason", "message") if shown.get(key))
