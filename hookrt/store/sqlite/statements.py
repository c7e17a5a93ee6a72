"""The named statements of `queries.sql` and the other files beside it, loaded once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

_START = re.compile(r"^-- (name|part): (\w+)$", re.MULTILINE)
_ROWS = re.compile(r"\{rows:(\d+)\}")
_PART = re.compile(r"\{(\w+)\}")
_MOST = 64
_BATCH = 256
# In the order in which one may use the parts of another.
_FILES = ("queries.sql", "jobs.sql", "keyed.sql", "hook_states.sql", "retention.sql")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `width` is the number of values in a row where it takes many rows at once, else 0.

    Many rows go in one call, since each call gives up the interpreter lock and has to win it back from a busy event
    loop. `pieces` are the texts before and after the rows.
    """

    sql: str
    width: int = 0
    pieces: tuple[str, str] = ("", "")
    _sized: dict[int, str] = field(default_factory=dict, repr=False)

    def for_rows(self, rows: int) -> str:
        """The statement for that many rows: the same text each time, so that it stays prepared."""
        sql = self._sized.get(rows)
        if sql is None:
            row = f"({', '.join('?' * self.width)})"
            sql = self._sized[rows] = ", ".join([row] * rows).join(self.pieces)
        return sql


def split_rows(rows: int) -> list[int]:
    """How many rows each call takes, so that together they take `rows`: few calls, of few different sizes."""
    sizes = [_BATCH] * (rows // _BATCH)
    rest = rows % _BATCH
    sizes += [_MOST] * (rest // _MOST)
    if rest % _MOST:
        sizes.append(rest % _MOST)
    return sizes


def load_statements() -> Mapping[str, Statement]:
    """All statements by name."""
    files = [resources.files(__package__).joinpath(name) for name in _FILES]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
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
    before, after = sql.split(found[0])
    return Statement(sql, width, (before, after))
