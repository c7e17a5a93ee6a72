"""Times on the command line: so long ago, or a date in the zone of this machine."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from hookrt.plugin.settings import parse_duration

SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="AGO|TIME", help="Not before: 24h ago, or 2026-01-31T12:00.")
]
"""`--since 24h`."""

UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="AGO|TIME", help="Before: 1h ago, or 2026-01-31T12:00.")
]
"""`--until 2026-01-31`."""


def read_time(text: str | None, option: str) -> str | None:
    """The moment as a time with its zone; raises BadParameter, which says how to write one."""
    if text is None:
        return None
    try:
        return (datetime.now().astimezone() - parse_duration(text)).isoformat()
    except ValueError:
        return _read_time(text, option)


def read_moment(text: str | None, option: str) -> str | None:
    """The moment as the service reads it; raises BadParameter, which says how to write one."""
    if text is None:
        return None
    try:
        parse_duration(text)
    except ValueError:
        return _read_time(text, option)
    return text


def _read_time(text: str, option: str) -> str:
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except (ValueError, OverflowError):
        hint = f"{text!r} is no time: write how long ago, like 24h, or a time like 2026-01-31T12:00"
        raise typer.BadParameter(hint, param_hint=option) from None
