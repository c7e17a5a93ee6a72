"""A copy of a SQLite file as it is at one moment, while others write to it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from hookrt.errors import StoreError
from hookrt.store.sqlite.upkeep import Progress, connected

_PAGES = 1_000
_BESIDE = ("", "-wal", "-shm", "-journal", ".lock", ".sock")


def back_up(path: Path, url: str, target: Path, progress: Progress, *, force: bool = False) -> int:
    """Copy a store to a file that its owner alone can read, check the copy, and only then give it its name; returns its
    bytes. Services go on writing meanwhile: what they commit after the start is not in it.

    Raises StoreError; also when the target exists and not `force`, or is a file of the store itself.
    """
    _check_target(path, target, force=force)
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with connected(path, url, "ro") as source:
            source.execute("BEGIN")  # holds this moment, so that no commit makes the copy start anew
            source.execute("SELECT 1 FROM sqlite_schema").fetchone()
            _copy(source, part, target, progress)
        _check_copy(part, target)
        _name(part, target, force=force)
        return target.stat().st_size
    finally:
        for suffix in ("", "-journal"):
            part.with_name(part.name + suffix).unlink(missing_ok=True)


def _check_target(path: Path, target: Path, *, force: bool) -> None:
    own = {os.path.realpath(path.with_name(path.name + suffix)) for suffix in _BESIDE}
    if os.path.realpath(target) in own:
        raise StoreError(f"{target} belongs to the store itself: name another file")
    if target.is_dir():
        raise StoreError(f"{target} is a folder: name a file in it")
    if target.exists() and not force:
        raise StoreError(f"{target} exists already: name another file, or overwrite it with --force")


def _copy(source: sqlite3.Connection, part: Path, target: Path, progress: Progress) -> None:
    try:
        copy = sqlite3.connect(part, isolation_level=None)
        try:
            source.backup(copy, pages=_PAGES, progress=lambda _, left, total: progress(total - left, total), sleep=0.0)
        finally:
            copy.close()
    except sqlite3.Error as error:
        raise StoreError(f"the backup {target} cannot be written: {error}") from None


def _check_copy(part: Path, target: Path) -> None:
    address = f"file:{quote(str(part))}?mode=ro&immutable=1"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True)) as copy:
            found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise StoreError(f"the backup {target} is damaged, and so may be the store ({found}): it was not kept")


def _name(part: Path, target: Path, *, force: bool) -> None:
    """Give the copy its name once it is on disk."""
    _sync(part)
    if force:
        part.replace(target)
    else:
        try:
            target.hardlink_to(part)  # unlike a renaming, this overwrites nothing
        except FileExistsError:
            raise StoreError(f"{target} exists already: name another file, or overwrite it with --force") from None
        except OSError:  # a file system without hard links
            part.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
