"""The action `postgres`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import psycopg
from psycopg.rows import dict_row
from pydantic import Field

from hookrt.plugin import STANDARD, Action, ActionCall, ActionSetup, Outcome, Patience, Settings, SettingsProblem
from hookrt_postgres.database import Database, DatabaseUrl, connect, read_url
from hookrt_postgres.placeholders import check_placeholders
from hookrt_postgres.values import bound, plain

MOST_ROWS = 10_000
"""The most rows that a step may give."""

_SHARE = 0.95  # of the time that is left, so that the server's answer comes before the attempt is cut off
_SET_TIMEOUT = "SELECT set_config('statement_timeout', %s, true)"
_SYNTAX = "42601"
_MANY = "exec_parse_message"  # where PostgreSQL notices; its words may be those of any language
_AGAIN = {
    "40001": "serialization",
    "40P01": "serialization",
    "55P03": "busy",
    "57014": "timeout",
    "08": "connect",
    "28": "connect",
    "53": "busy",
    "57P": "connect",
}


class ServiceSettings(Settings):
    """What stands under `service.actions.postgres`."""

    url: DatabaseUrl | None = Field(
        default=None, description="The database: postgresql://USER:PASSWORD@HOST/DATABASE, best as ${{ secrets.NAME }}"
    )
    connections: int = Field(
        default=10, ge=1, le=1000, description="How many connections to it are open at once; what is more waits"
    )


class PostgresSettings(Settings):
    """What a step says."""

    sql: str = Field(min_length=1, description="One statement, without ${{ }}; values stand in it as %(name)s")
    params: dict[str, Any] | list[Any] | None = Field(
        default=None,
        description="The values by name for %(name)s, or a list for %s; mappings and lists among them become jsonb",
    )
    rows: int = Field(default=100, ge=0, le=MOST_ROWS, description="How many rows the output holds at most")
    url: DatabaseUrl | None = Field(default=None, description="Another database than the service's")


class Postgres(Action[PostgresSettings]):
    """Run one SQL statement in PostgreSQL, with bound parameters, in a transaction of its own."""

    name = "postgres"
    short = "sql"
    service_settings = ServiceSettings
    static = frozenset({"sql"})
    retry = STANDARD
    reasons: ClassVar[Mapping[str, str]] = {
        "connect": "there is no connection, or it broke, or the server does not let us in",
        "serialization": "other transactions were in the way: a serialization failure or a deadlock",
        "busy": "a lock is taken, or the server is out of connections, memory or disk",
        "timeout": "the statement did not end in time; the server has ended it",
        "sql": "PostgreSQL refuses the statement; the message has its SQLSTATE",
        "bad-value": "a value that PostgreSQL cannot hold, or one of the result that cannot be read",
        "several-statements": "`sql` is more than one statement",
        "no-database": "neither the step nor the service has a `url`",
    }

    def __init__(self) -> None:
        self._service: Database | None = None
        self._places = asyncio.Semaphore()

    async def open(self, setup: ActionSetup) -> None:
        """Remember the service's database; nothing connects before the first attempt."""
        if isinstance(setup.settings, ServiceSettings) and setup.settings.url is not None:
            self._service = read_url(setup.settings.url.get_secret_value())
            self._places = asyncio.Semaphore(setup.settings.connections)

    def check(self, settings: PostgresSettings) -> Iterable[SettingsProblem]:
        """Whether placeholders and parameters fit."""
        return check_placeholders(settings.sql, settings.params)

    def lane(self, written: Mapping[str, Any]) -> str | None:
        """All statements for the service's database share a lane."""
        return None if "url" in written else "postgres"

    async def run(self, call: ActionCall[PostgresSettings]) -> Outcome:
        """Run it, by a connection of its own, and commit."""
        own = call.settings.url
        if own is not None:
            return await _attempt(call, read_url(own.get_secret_value()), written="url" not in call.rendered)
        if self._service is None:
            return Outcome.reject("no-database", "write `url` in the step or below `service.actions.postgres`")
        async with self._place(call.patience):
            return await _attempt(call, self._service, written=True)

    @asynccontextmanager
    async def _place(self, patience: Patience | None) -> AsyncIterator[None]:
        """A place for a connection; the time of an attempt does not run while it waits for one."""
        waiting = patience if self._places.locked() else None
        if waiting is not None:
            waiting.hold()
        async with self._places:
            if waiting is not None:
                waiting.begin()
            yield


async def _attempt(call: ActionCall[PostgresSettings], database: Database, *, written: bool) -> Outcome:
    """What comes of the statement; `written` says that somebody wrote the URL out, where no expression made it."""
    until = asyncio.get_running_loop().time() + call.timeout.total_seconds()
    if database.is_socket and not written:
        return Outcome.reject("blocked-address", "a URL that an expression makes cannot name a socket")
    addresses = (
        [] if database.is_socket else await call.http.addresses_of(database.host, database.port, written=written)
    )
    try:
        return Outcome.done(await _run(call.settings, database, addresses, until))
    except UnicodeError:
        return Outcome.reject("bad-value", "there is half a character in a text, which PostgreSQL cannot hold")
    except psycopg.Error as error:
        return _failure(error, database)


async def _run(settings: PostgresSettings, database: Database, addresses: Iterable[str], until: float) -> Any:
    """The output; the transaction is committed when it returns, and rolled back when it raises."""
    clock = asyncio.get_running_loop().time
    async with await connect(database, list(addresses), within=until - clock()) as connection:
        left_ms = max(1, int((until - clock()) * 1000 * _SHARE))
        await connection.execute(_SET_TIMEOUT, (f"{left_ms}ms",))
        async with connection.cursor(row_factory=dict_row) as cursor:
            async with connection.pipeline():  # in which PostgreSQL takes one statement, and not `INSERT ...; COMMIT`
                await cursor.execute(settings.sql.encode(), _values(settings.params))
            found = await cursor.fetchmany(settings.rows) if cursor.description and settings.rows else []
            return {"rows": plain(found), "row_count": max(0, cursor.rowcount)}


def _values(params: Mapping[str, Any] | list[Any] | None) -> dict[str, Any] | list[Any] | None:
    if params is None:
        return None
    if isinstance(params, list):
        return [bound(one) for one in params]
    return {name: bound(one) for name, one in params.items()}


def _failure(error: psycopg.Error, database: Database) -> Outcome:
    state = error.sqlstate
    told = database.hide(error.diag.message_primary or str(error))
    if state is None:
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return Outcome.retry("connect", told)
        return Outcome.reject("bad-value", told)
    if state == _SYNTAX and error.diag.source_function == _MANY:
        return Outcome.reject("several-statements", "`sql` is one statement; more are steps, a WITH or a function")
    reason = next((reason for prefix, reason in _AGAIN.items() if state.startswith(prefix)), None)
    message = f"PostgreSQL answered {state}: {told}"
    return Outcome.reject("sql", message) if reason is None else Outcome.retry(reason, message)
