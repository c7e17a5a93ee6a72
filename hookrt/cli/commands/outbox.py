"""`hookrt outbox`: the table in which applications write events beside their data."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from hookrt.cli.render import Screen
from hookrt.outbox.table import schema as written_schema

app = typer.Typer(add_completion=False)


class Dialect(StrEnum):
    """The database that is to hold the table."""

    POSTGRESQL = "postgresql"
    SQLITE = "sqlite"


@app.callback()
def outbox() -> None:
    """Print the table in which applications write events beside their data.

    With `hookrt.outbox` an application writes an event in its own
    transaction; the source `outbox` of hooks.yaml picks it up.
    """


@app.command("schema")
def schema(
    *,
    dialect: Annotated[Dialect, typer.Option("--dialect", help="Of which database.")] = Dialect.POSTGRESQL,
) -> None:
    """Print the SQL that creates the table, for a migration of your own.

    It does nothing where the table exists. `outbox.create_table(connection)`
    does the same from Python.

    Examples:
      hookrt outbox schema | psql shop
      hookrt outbox schema --dialect sqlite | sqlite3 shop.db
    """
    Screen().raw(written_schema(dialect.value).rstrip())
