"""How sources look, as the API describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from hookrt.cli.columns import Column, Fit
from hookrt.cli.render import Screen, to_json
from hookrt.cli.wording import local_time

Shown = Mapping[str, Any]

_COLUMNS = (
    Column("source", Fit.FOLD),
    Column("plugin", Fit.FOLD),
    Column("path", Fit.FOLD),
    Column("types", Fit.CUT, rank=1),
    Column("defined", Fit.FOLD, least=20),
)
_MOST_TYPES = 3
_WIDTH = 13
_ASIDE = ("max_body",)  # it is told with what holds where nothing is set


def show_sources(screen: Screen, sources: Sequence[Shown]) -> None:
    """A table of sources with the first of their types."""
    rows = [
        [(one["name"], "bold"), one["plugin"], one["path"] or "-", _types(one["types"]), one["place"] or "-"]
        for one in sources
    ]
    screen.table(_COLUMNS, rows)


def _types(types: Sequence[str] | None) -> str:
    if types is None:
        return "any"
    more = len(types) - _MOST_TYPES
    return ", ".join(types[:_MOST_TYPES]) + (f" and {more} more" if more > 0 else "")


def show_source(screen: Screen, source: Shown) -> None:
    """One source: where it is reached, what it sends, its settings, and what came in."""
    screen.line((source["name"], "bold"), f"  {source['plugin']}", f"  {source['description']}")
    for name, text in _facts(source):
        screen.line("  ", (f"{name:{_WIDTH}} ", "dim"), text)
    settings = {name: value for name, value in source["settings"].items() if value is not None and name not in _ASIDE}
    for number, (name, value) in enumerate(settings.items()):
        text = value if isinstance(value, str) else to_json(value, indent=None)
        screen.line("  ", (f"{'' if number else 'settings':{_WIDTH}} ", "dim"), f"{name}: {text}")


def _facts(source: Shown) -> Iterator[tuple[str, str]]:
    if source["path"]:
        yield "reached at", f"{' or '.join(source['methods'])} {source['path']}, {source['max_body']:,} bytes at most"
    yield "sends", ", ".join(source["types"]) if source["types"] is not None else "any type"
    for number, text in enumerate(source["upcoming"]):
        yield "" if number else "next", _both_times(text)
    if source["place"]:
        yield "defined", source["place"]
    if source["away"]:
        yield "away", source["away"]
    if (source["path"] or source["requests"]) and source["requests"] is not None:
        told = ", ".join(f"{count} {outcome}" for outcome, count in source["requests"].items())
        yield "came in", told or "nothing since the service started"
    if source["last_accepted"]:
        yield "last event", local_time(source["last_accepted"])
    if source["last_refused"]:
        yield "last refusal", f"{local_time(source['last_refused'])}, {source['last_refusal']}"


def _both_times(text: str) -> str:
    """A time as the source means it and, where that is another, in the zone of this machine."""
    meant, here = f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}", local_time(text)
    offset = "+00:00" if text.endswith("Z") else text[-6:]
    return f"{meant} {offset}" + ("" if here == meant else f", here {here}")
