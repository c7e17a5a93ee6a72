"""Whether a connection would commit our statement by itself, as far as its driver tells."""

from __future__ import annotations

from typing import Any

_IDLE = 0
"""libpq's PQTRANS_IDLE: no transaction is open."""

_LEGACY = -1
"""sqlite3.LEGACY_TRANSACTION_CONTROL, which Python 3.11 has no name for."""


def sqlite_autocommits(connection: Any) -> bool:
    """Whether sqlite3, or aiosqlite, neither is in a transaction nor would begin one."""
    if connection.in_transaction:
        return False
    mode = getattr(getattr(connection, "_conn", connection), "autocommit", _LEGACY)
    return connection.isolation_level is None if mode == _LEGACY else bool(mode)


def psycopg_autocommits(connection: Any) -> bool:
    """Likewise for psycopg 3 and 2, whose connections begin a transaction by themselves unless told not to."""
    return bool(connection.autocommit) and connection.info.transaction_status == _IDLE


def asyncpg_autocommits(connection: Any) -> bool:
    """Likewise for asyncpg, which never begins one by itself."""
    return not connection.is_in_transaction()


def autocommits(connection: Any) -> bool:
    """Likewise for the driver's connection below another library; False where nobody can tell."""
    library = type(connection).__module__.partition(".")[0]
    if library in {"sqlite3", "aiosqlite"}:
        return sqlite_autocommits(connection)
    if library in {"psycopg", "psycopg2"}:
        return psycopg_autocommits(connection)
    return library == "asyncpg" and asyncpg_autocommits(connection)
