"""Migrations: numbered SQL files that bring a database from any older schema to the present one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from hookrt.errors import StoreError

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: `number` counts from 1, `name` says what it does."""

    number: int
    name: str
    sql: str


def load_migrations(package: str) -> tuple[Migration, ...]:
    """The migrations in the folder `migrations` of a package, in order.

    Raises StoreError when their numbers are not 1, 2, 3, ..., which means a damaged installation.
    """
    found = []
    for file in resources.files(package).joinpath("migrations").iterdir():
        if matched := _NAME.fullmatch(file.name):
            found.append(Migration(int(matched[1]), matched[2], file.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.number)
    if not found or [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise StoreError(f"the migrations of {package} are not complete: install hookrt again")
    return tuple(found)


def missing_migrations(migrations: Sequence[Migration], version: int, url: str) -> Sequence[Migration]:
    """What a database at schema `version` (0: empty) still lacks.

    Raises StoreError when the database is newer than this program.
    """
    if version > len(migrations):
        raise StoreError(
            f"{url} was written by a newer hookrt (its schema is {version}, this one knows {len(migrations)}): "
            "upgrade hookrt, or use another store"
        )
    return migrations[version:]
