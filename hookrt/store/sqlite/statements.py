"""The named statements of `queries.sql`, loaded once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

_START = re.compile(r"^-- (name|part): (\w+)$", re.MULTILINE)
_ROWS = re.compile(r"\{rows:(\d+)\}")
_PART = re.compile(r"\{(\w+)\}")
_SIZES = (256, 64, 16, 4, 1)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `width` is the number of values in a row where it takes many rows at once, else 0.

    Many rows go in one call, since each call gives up the interpreter lock and has to win it back from a busy event
    loop. `sized` has the statement for a few numbers of rows only, so that all of them stay prepared.
    """

    sql: str
    width: int = 0
    sized: Mapping[int, str] = field(default_factory=dict)


def split_rows(rows: int) -> list[int]:
    """How many rows each call takes, of the sizes there are, so that together they take `rows`."""
    sizes: list[int] = []
    for size in _SIZES:
        times, rows = divmod(rows, size)
        sizes += [size] * times
    return sizes


def load_statements() -> Mapping[str, Statement]:
    """All statements by name."""
    text = resources.files(__package__).joinpath("queries.sql").read_text(encoding="utf-8")
    _, *pieces = _START.split(text)
    parts: dict[str, str] = {}
    statements: dict[str, Statement] = {}
    for kind, name, body in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        sql = "\n".join(line for line in body.splitlines() if line and not line.startswith("--"))
        if kind == "part":
            parts[name] = sql
        else:
            statements[name] = _parse_statement(_PART.sub(lambda found: parts[found[1]], sql))
    return statements


def _parse_statement(sql: str) -> Statement:
    found = _ROWS.search(sql)
    if not found:
        return Statement(sql)
    width = int(found[1])
    row = f"({', '.join('?' * width)})"
    return Statement(sql, width, {size: sql.replace(found[0], ", ".join([row] * size)) for size in _SIZES})
