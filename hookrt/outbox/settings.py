"""The settings of the source `outbox`: which database, and how often it is looked at."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from pydantic import Field, field_validator

from hookrt.plugin import Duration, Secret, Settings

_POSTGRES = re.compile(r"(?:postgresql|postgres)(?:\+\w+)?://(.*)", re.DOTALL)
_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(.+)", re.DOTALL)
_SHORTEST = timedelta(milliseconds=10)
_LONGEST = timedelta(hours=1)


class OutboxSettings(Settings):
    """Which database holds the table, and how often it is looked at."""

    url: Secret = Field(
        description="postgresql://USER:PASSWORD@HOST/DATABASE, or sqlite:///FILE, relative to the folder of hooks.yaml"
    )
    poll: Duration = Field(
        timedelta(milliseconds=250),
        description="How often the table is looked at; PostgreSQL tells of new rows at once, besides",
    )

    @field_validator("url")
    @classmethod
    def _known(cls, url: Secret) -> Secret:
        written = url.get_secret_value()
        if not _POSTGRES.fullmatch(written) and not _SQLITE.fullmatch(written):
            raise ValueError("an outbox is postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:///FILE")  # without it
        return url

    @field_validator("poll")
    @classmethod
    def _sane(cls, poll: timedelta) -> timedelta:
        if not _SHORTEST <= poll <= _LONGEST:
            raise ValueError("poll at least every hour, and at most every 10ms")
        return poll


def file_of(url: str, base_dir: Path) -> Path | None:
    """The SQLite file that a URL names, None for one of PostgreSQL. What a library of the application adds to
    the scheme (`sqlite+aiosqlite`) is passed over.
    """
    found = _SQLITE.fullmatch(url)
    return base_dir / Path(found[1]).expanduser() if found else None


def conninfo_of(url: str) -> str:
    """A URL of PostgreSQL as libpq reads it."""
    found = _POSTGRES.fullmatch(url)
    return f"postgresql://{found[1]}" if found else url
