"""Which store a URL names."""

from __future__ import annotations

from pathlib import Path

from hookrt.clock import Clock
from hookrt.errors import StoreError
from hookrt.store.contract import Store
from hookrt.store.memory.store import MemoryStore
from hookrt.store.sqlite.own_folder import OWN_FOLDER
from hookrt.store.sqlite.store import SqliteStore

_KNOWN = "`sqlite:///PATH` (a file) or `memory:` (nothing survives the process)"
_SQLITE = "sqlite:///"


def open_store(url: str, clock: Clock) -> Store:
    """The store that a URL names, still to be opened with its `open()`.

    `sqlite:///hooks.db` is relative to the working directory, `sqlite:////var/lib/hooks.db` absolute; `memory:` is
    for tests and simulations. Raises StoreError for anything else.
    """
    path = file_of(url)
    return MemoryStore(clock) if path is None else SqliteStore(path, clock)


def file_of(url: str) -> Path | None:
    """The file that a URL names, there or not; None for `memory:`. Raises StoreError for anything else."""
    if url == "memory:":
        return None
    if not url.startswith(_SQLITE):
        raise StoreError(_explain_unknown(url))
    path = url.removeprefix(_SQLITE)
    if path in {"", ":memory:"}:
        raise StoreError(f"{url!r} names no file: a store is {_KNOWN}")
    return Path(path).expanduser().absolute()


def default_store_url(base_dir: Path) -> str:
    """The URL of the store beside `hooks.yaml`: `.hookrt/hookrt.db`. Opening it makes the folder."""
    return f"{_SQLITE}{base_dir.absolute() / OWN_FOLDER / 'hookrt.db'}"


def _explain_unknown(url: str) -> str:
    scheme, colon, _ = url.partition(":")
    if scheme == "sqlite":
        return f"{url!r} is no store: a file is written with three slashes, `sqlite:///PATH`"
    if not colon:
        return f"{url!r} is no store URL: a store is {_KNOWN}"
    return f"there is no store for {scheme!r} URLs: a store is {_KNOWN}"
