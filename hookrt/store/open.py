"""Which store a URL names."""

from __future__ import annotations

from pathlib import Path

from hookrt.clock import Clock
from hookrt.errors import StoreError
from hookrt.store.contract import Store
from hookrt.store.memory.store import MemoryStore
from hookrt.store.sqlite.store import SqliteStore

_KNOWN = "`sqlite:///PATH` (a file) or `memory:` (nothing survives the process)"
_SQLITE = "sqlite:///"


def open_store(url: str, clock: Clock) -> Store:
    """The store that a URL names, still to be opened with its `open()`.

    `sqlite:///hooks.db` is relative to the working directory, `sqlite:////var/lib/hooks.db` absolute; `memory:` is
    for tests and simulations. Raises StoreError for anything else.
    """
    if url == "memory:":
        return MemoryStore(clock)
    if not url.startswith(_SQLITE):
        raise StoreError(_explain_unknown(url))
    path = url.removeprefix(_SQLITE)
    if path in {"", ":memory:"}:
        raise StoreError(f"{url!r} names no file: a store is {_KNOWN}")
    return SqliteStore(Path(path).expanduser(), clock)


def default_store_url(base_dir: Path) -> str:
    """The URL of the store beside `hooks.yaml`: `.hookrt/hookrt.db`, in a folder for its owner that git ignores.

    Makes the folder; raises StoreError when that fails.
    """
    folder = base_dir.absolute() / ".hookrt"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"the store's folder {folder} cannot be made ({error.strerror}): make {base_dir} writable, "
            "or name another place with --store sqlite:///PATH"
        ) from None
    return f"{_SQLITE}{folder / 'hookrt.db'}"


def _explain_unknown(url: str) -> str:
    scheme, colon, _ = url.partition(":")
    if scheme == "sqlite":
        return f"{url!r} is no store: a file is written with three slashes, `sqlite:///PATH`"
    if not colon:
        return f"{url!r} is no store URL: a store is {_KNOWN}"
    return f"there is no store for {scheme!r} URLs: a store is {_KNOWN}"
