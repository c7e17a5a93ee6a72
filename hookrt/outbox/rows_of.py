"""Which table an outbox reads."""

from __future__ import annotations

from hookrt.outbox.postgres_rows import PostgresRows
from hookrt.outbox.reading import Rows
from hookrt.outbox.settings import OutboxSettings, file_of
from hookrt.outbox.sqlite_rows import SqliteRows
from hookrt.plugin import SourceRun


def rows_of(source: SourceRun[OutboxSettings]) -> Rows:
    """The table that the URL names."""
    url = source.settings.url.get_secret_value()
    path = file_of(url, source.base_dir)
    return PostgresRows(url) if path is None else SqliteRows(path, source.clock)
