"""The source `outbox`: the events that an application wrote beside its data, out of PostgreSQL or SQLite.

A row is deleted only after its event is durable here, and its id is the event's: what is read again after a crash is
known as the same event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hookrt.outbox.postgres_rows import PostgresRows
from hookrt.outbox.reading import Reader, Rows
from hookrt.outbox.settings import OutboxSettings, file_of
from hookrt.outbox.sqlite_rows import SqliteRows
from hookrt.plugin import Source, SourceRun, impl


class Outbox(Source[OutboxSettings]):
    """Events that an application wrote in the transactions of its own database, with `hookrt.outbox`.

    They come in the order in which they were written, each once.
    """

    name = "outbox"
    short = "url"

    async def run(self, source: SourceRun[OutboxSettings]) -> None:
        """Read rows until cancelled."""
        await Reader(source, rows_of(source)).keep()


def rows_of(source: SourceRun[OutboxSettings]) -> Rows:
    """The table that the URL names."""
    url = source.settings.url.get_secret_value()
    path = file_of(url, source.base_dir)
    return PostgresRows(url) if path is None else SqliteRows(path, source.clock)


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `outbox`."""
    return [Outbox]
