"""What SQLite's errors mean, each in one sentence with the way out."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from hookrt.errors import HookrtError, StoreError, StoreFull

_ROOM = 1024 * 1024
"""With less free space than this, a failed write means a full disk."""

_MEANINGS = {
    sqlite3.SQLITE_BUSY: "another process has been writing to {url} for too long: stop it, or try again",
    sqlite3.SQLITE_LOCKED: "another process has been writing to {url} for too long: stop it, or try again",
    sqlite3.SQLITE_READONLY: "{url} cannot be written: make the file and its folder writable for this user",
    sqlite3.SQLITE_PERM: "{url} cannot be opened: make the file and its folder writable for this user",
    sqlite3.SQLITE_CORRUPT: "{url} is damaged: restore it from a backup, or move it away to start with an empty one",
    sqlite3.SQLITE_NOTADB: "{url} is no database: name another file, or move it away to start with an empty one",
    sqlite3.SQLITE_TOOBIG: "something is too long for {url}: SQLite takes at most 1 GB in one value",
    sqlite3.SQLITE_CONSTRAINT: "{url} refused a row that contradicts what it holds ({error})",
}


def explain(error: BaseException, path: Path, url: str) -> HookrtError:
    """The error as hookrt's own; one that is hookrt's already stays as it is."""
    if isinstance(error, HookrtError):
        return error
    if isinstance(error, sqlite3.Error):
        return _explain_sqlite(error, path, url)
    if isinstance(error, UnicodeEncodeError):
        return StoreError("this cannot be stored: a text in it holds half a character (a lone surrogate)")
    return StoreError(f"this cannot be stored in {url}: {error}")


def _explain_sqlite(error: sqlite3.Error, path: Path, url: str) -> StoreError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
        return StoreFull(f"there is no space left for {url}: free some (a service that runs goes on by itself)")
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(f"the device of {url} failed ({error}): look at the system's log")
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreError(_explain_unopened(path, url))
    return StoreError(_MEANINGS.get(code, "{url} failed: {error}").format(url=url, error=error))


def _explain_unopened(path: Path, url: str) -> str:
    if path.is_dir():
        return f"{url} is a folder: name a file in it"
    if not path.parent.is_dir():
        return f"{url} cannot be opened: there is no folder {path.parent}; create it, or name another file"
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.R_OK | os.W_OK)):
        return f"{url} cannot be opened: make the file and its folder writable for this user"
    return f"{url} cannot be opened: look at the file and its folder"


def _is_full(path: Path) -> bool:
    try:
        usage = os.statvfs(path.parent)
    except OSError:
        return False
    return usage.f_bavail * usage.f_frsize < _ROOM
