"""The source `outbox`: the events that an application wrote beside its data, out of PostgreSQL or SQLite.

A row is deleted only after its event is durable here, and its id is the event's: what is read again after a crash is
known as the same event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hookrt.outbox.settings import OutboxSettings
from hookrt.plugin import Source, SourceRun, impl


class Outbox(Source[OutboxSettings]):
    """Events that an application wrote in the transactions of its own database, with `hookrt.outbox`.

    They come in the order in which they were written, each once.
    """

    name = "outbox"
    short = "url"

    async def run(self, source: SourceRun[OutboxSettings]) -> None:
        """Read rows until cancelled."""
        from hookrt.outbox.reading import Reader  # noqa: PLC0415 - not before there is an outbox to read
        from hookrt.outbox.rows_of import rows_of  # noqa: PLC0415 - the same

        await Reader(source, rows_of(source)).keep()


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `outbox`."""
    return [Outbox]
