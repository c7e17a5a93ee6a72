"""The outbox in PostgreSQL: woken by NOTIFY, polled besides, read through psycopg."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from hookrt.outbox.portion import portion_query
from hookrt.outbox.reading import Unreachable
from hookrt.outbox.row import StoredRow
from hookrt.outbox.settings import conninfo_of
from hookrt.outbox.table import TABLE
from hookrt.plugin import PluginError

if TYPE_CHECKING:
    import psycopg

CONNECT_S = 10
"""How long a connection may take to be made."""

_OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "application_name": "hookrt outbox",
    "client_encoding": "UTF8",
    "connect_timeout": CONNECT_S,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "prepare_threshold": None,  # a pooler between us may hand each statement to another session
}
_SESSION = (  # a reader whose machine is gone keeps the lock until the server notices, by itself after two hours
    "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; "
    f"SET tcp_user_timeout = 30000; LISTEN {TABLE}"
)
_CLAIM = f"SELECT pg_try_advisory_lock((1752133483::bigint << 32) | '{TABLE}'::regclass::oid::bigint)"
_TAKE = portion_query("octet_length(data)")
_DELETE = f"DELETE FROM {TABLE} WHERE position = ANY(%s)"  # noqa: S608
_REFUSE = f"UPDATE {TABLE} SET refused = %s WHERE position = %s"  # noqa: S608
_HIDDEN = "***"


class PostgresRows:
    """The table in a database, on a connection that commits each statement by itself."""

    def __init__(self, url: str) -> None:
        self._conninfo = conninfo_of(url)
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def open(self) -> None:
        """Connect, and listen; raises PluginError where psycopg is not installed."""
        if self._connection is None:
            driver = _driver()
            async with self._telling():
                self._connection = await driver.AsyncConnection.connect(self._conninfo, **_OPTIONS)
                await self._connection.execute(_SESSION)

    async def claim(self) -> bool:
        """Take the table's advisory lock, which ends with the connection."""
        found = await self._rows(_CLAIM)
        return bool(found[0][0])

    async def take(self) -> Sequence[StoredRow]:
        """The first rows."""
        return [StoredRow(*found) for found in await self._rows(_TAKE)]

    async def delete(self, positions: Sequence[int]) -> None:
        """Delete them in one statement."""
        async with self._telling():
            await self._opened.execute(_DELETE, (list(positions),))

    async def refuse(self, position: int, reason: str) -> None:
        """Mark it."""
        async with self._telling():
            await self._opened.execute(_REFUSE, (reason, position))

    async def wait(self, seconds: float) -> bool:
        """Wait for a notification; also those that came while nobody waited count."""
        async with self._telling():
            async for _ in self._opened.notifies(timeout=seconds, stop_after=1):
                pass
        return True

    async def close(self) -> None:
        """Disconnect; the server gives up the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                await connection.close()

    @property
    def _opened(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None:
            raise Unreachable("it is closed")
        return self._connection

    async def _rows(self, query: str) -> list[Any]:
        async with self._telling():
            cursor = await self._opened.execute(query)
            return list(await cursor.fetchall())

    @contextlib.asynccontextmanager
    async def _telling(self) -> AsyncIterator[None]:
        """Whatever the driver raises, told without the password."""
        driver = _driver()
        try:
            yield
        except driver.errors.UndefinedTable:
            raise Unreachable(f"there is no table {TABLE}: create it as `hookrt outbox schema` says") from None
        except driver.Error as error:
            raise Unreachable(hide_password(" ".join(str(error).split()), self._conninfo)) from None


def hide_password(text: str, conninfo: str) -> str:
    """The text without what is secret in the URL: the password, as it is written and as it is meant, and the URL."""
    try:
        parts = urlsplit(conninfo)
        written = [
            parts.password or "",
            *[one.partition("=")[2] for one in parts.query.split("&") if "password" in one],
        ]
    except ValueError:
        return "its URL cannot be read"
    for one in (conninfo, conninfo.partition("://")[2], *written, *map(unquote, written)):
        text = text.replace(one, _HIDDEN) if one else text
    return text


def _driver() -> Any:
    try:
        import psycopg  # noqa: PLC0415 - an extra of its own
    except ImportError:
        raise PluginError("an outbox in PostgreSQL needs psycopg: pip install 'hookrt[postgres]'") from None
    return psycopg
