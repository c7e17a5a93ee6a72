"""How a store's file looks: its size explained, its rows, and how far a copy of it is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hookrt.cli.render import Screen
from hookrt.cli.store_place import StoreFile
from hookrt.cli.wording import local_time, state
from hookrt.clock import from_us
from hookrt.model.event import format_time
from hookrt.store.sqlite.upkeep import Facts

_TABLES = ("events", "deliveries", "attempts")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size_text(size: int) -> str:
    """Bytes for reading: `512 B`, `3.4 MiB`."""
    number, unit = float(size), _UNITS[0]
    for unit in _UNITS:
        if number < 1024 or unit == _UNITS[-1]:
            break
        number /= 1024
    return f"{size} B" if unit == "B" else f"{number:.1f} {unit}"


def facts_json(store: StoreFile, facts: Facts) -> dict[str, Any]:
    """What is known of a store, for programs."""
    return {
        "url": store.url,
        "path": str(store.path),
        "delivering": facts.delivering,
        "bytes": {
            "file": facts.file_bytes,
            "log": facts.log_bytes,
            "free": facts.free_bytes,
            "payloads": facts.payload_bytes,
            "exchanges": facts.exchange_bytes,
            "other": facts.other_bytes,
            "estimated": facts.estimated,
        },
        "rows": dict(facts.rows),
        "deliveries": dict(facts.statuses),
        "oldest_event": _time(facts.oldest_us),
        "newest_event": _time(facts.newest_us),
    }


def show_facts(screen: Screen, store: StoreFile, facts: Facts) -> None:
    """What is known of a store, for people."""
    about = "about " if facts.estimated else ""
    screen.line((str(store.path), "bold"), ("  used by " + facts.delivering if facts.delivering else "", "dim"))
    parts = [
        ("data of events", f"{about}{size_text(facts.payload_bytes)}"),
        ("requests, responses and logs of attempts", f"{about}{size_text(facts.exchange_bytes)}"),
        ("other columns, indexes, room in pages", f"{about}{size_text(facts.other_bytes)}"),
        ("free, to be used again", size_text(facts.free_bytes)),
    ]
    screen.line(("  file      ", "dim"), size_text(facts.file_bytes))
    for name, size in parts:
        screen.line("            ", f"{size:>16}  ", (name, "dim"))
    screen.line(
        ("  log       ", "dim"), size_text(facts.log_bytes), ("  beside the file, until it is copied into it", "dim")
    )
    screen.line(("  events    ", "dim"), f"from {_local(facts.oldest_us)} to {_local(facts.newest_us)}")
    others = sum(count for name, count in facts.rows.items() if name not in _TABLES)
    counted = ", ".join(f"{facts.rows.get(name, 0)} {name}" for name in _TABLES)
    screen.line(("  rows      ", "dim"), f"{counted}, {others} others")
    for status, count in sorted(facts.statuses.items()):
        if count:
            screen.line("            ", f"{count:>16}  ", state(status))


@contextmanager
def bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """Shows on a terminal, on stderr, how much of how much is done; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task(text, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _time(us: int | None) -> str | None:
    return None if us is None else format_time(from_us(us))


def _local(us: int | None) -> str:
    return local_time(_time(us))
