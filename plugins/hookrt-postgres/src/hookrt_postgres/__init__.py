"""A hookrt action that runs SQL in PostgreSQL, and a source for its notifications."""

from __future__ import annotations

from hookrt.plugin import impl
from hookrt_postgres.action import Postgres, PostgresSettings, ServiceSettings
from hookrt_postgres.listen import ListenSettings, PostgresListen

__all__ = [
    "ListenSettings",
    "Postgres",
    "PostgresListen",
    "PostgresSettings",
    "ServiceSettings",
    "hookrt_actions",
    "hookrt_sources",
]


@impl
def hookrt_actions() -> list[type[Postgres]]:
    """The actions that this plugin brings."""
    return [Postgres]


@impl
def hookrt_sources() -> list[type[PostgresListen]]:
    """The sources that this plugin brings."""
    return [PostgresListen]
