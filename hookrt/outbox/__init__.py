"""The transactional outbox: events that exist if and only if the business data do.

An application writes an event as a row of the table `hookrt_outbox`, on its own connection and in its own transaction;
the source `outbox` of a runtime picks the rows up. Nothing here commits, rolls back or opens a transaction.
"""

from __future__ import annotations

from hookrt.outbox.emitting import create_table, create_table_sync, emit, emit_sync
from hookrt.outbox.table import DIALECTS, TABLE, schema

__all__ = ["DIALECTS", "TABLE", "create_table", "create_table_sync", "emit", "emit_sync", "schema"]
