"""The table `hookrt_outbox`: how it is created, and how a row gets into it, in each dialect of SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from hookrt.outbox.row import Row
from hookrt.plugin import UsageError

TABLE = "hookrt_outbox"
"""The name of the table, and on PostgreSQL that of the channel of its notifications."""

_POSTGRESQL = (
    f"""\
CREATE TABLE IF NOT EXISTS {TABLE} (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL,
    type text NOT NULL,
    data text NOT NULL,
    subject text,
    time text,
    refused text
)""",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_waiting ON {TABLE} (position) WHERE refused IS NULL",
)
_SQLITE = (
    f"""\
CREATE TABLE IF NOT EXISTS {TABLE} (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    subject TEXT,
    time TEXT,
    refused TEXT
)""",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_waiting ON {TABLE} (position) WHERE refused IS NULL",
)
_SCHEMAS: Mapping[str, tuple[str, ...]] = MappingProxyType({"postgresql": _POSTGRESQL, "sqlite": _SQLITE})
_LOCK_FOR_CREATION = 0x686F6F6B_7274_6F78
"""Workers that start together create the table one after the other; else PostgreSQL fails all but the first."""

DIALECTS = tuple(_SCHEMAS)
"""The databases that can hold the table."""

_INSERT = f"INSERT INTO {TABLE} (id, type, data, subject, time) VALUES ({{}}, {{}}, {{}}, {{}}, {{}})"  # noqa: S608
_NOTIFYING = f"WITH written AS ({_INSERT}) SELECT pg_notify('{TABLE}', '')"  # one round trip; told at the commit


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with its values, `{}` where each of them goes."""

    text: str
    values: tuple[str | None, ...] = ()

    def written(self, mark: Callable[[int], str]) -> str:
        """The text with a driver's own marks, which count from 0."""
        return self.text.format(*[mark(number) for number in range(len(self.values))]) if self.values else self.text


def schema(dialect: str = "postgresql") -> str:
    """The SQL that creates the table, for a migration of the application's own: `postgresql` or `sqlite`.

    It does nothing where the table exists already. Raises UsageError for another dialect.
    """
    return "".join(f"{statement};\n" for statement in _statements(dialect))


def creation(dialect: str) -> Sequence[Statement]:
    """The statements that create the table where it does not exist."""
    found = _statements(dialect)
    if dialect != "postgresql":
        return [Statement(one) for one in found]
    body = "; ".join((f"PERFORM pg_advisory_xact_lock({_LOCK_FOR_CREATION})", *found))
    return [Statement(f"DO $hookrt$ BEGIN {body}; END $hookrt$")]


def insertion(dialect: str, row: Row) -> Sequence[Statement]:
    """The statement that writes one event; on PostgreSQL its commit wakes the reader."""
    _statements(dialect)
    values = (row.id, row.type, row.data, row.subject, row.time)
    return [Statement(_NOTIFYING if dialect == "postgresql" else _INSERT, values)]


def _statements(dialect: str) -> tuple[str, ...]:
    found = _SCHEMAS.get(dialect)
    if found is None:
        raise UsageError(f"the outbox is a table of PostgreSQL or of SQLite, and not of {dialect!r}")
    return found
