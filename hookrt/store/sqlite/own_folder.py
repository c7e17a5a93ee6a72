"""The folder `.hookrt` beside hooks.yaml, which is made when the store in it is opened."""

from __future__ import annotations

import errno
from pathlib import Path

from hookrt.errors import StoreError, StoreFull

OWN_FOLDER = ".hookrt"
"""The folder of the default store, for its owner only, and ignored by git."""


def make_own_folder(database: Path) -> None:
    """Make the folder of this database where it is `.hookrt`; any other one is the operator's to make.

    Raises StoreError when that fails, StoreFull when the device has no space.
    """
    folder = database.parent
    if folder.name != OWN_FOLDER:
        return
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists() or not ignore.stat().st_size:  # made on a full disk, it stayed empty
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StoreFull(f"there is no space left for the store's folder {folder}: free some") from None
        raise StoreError(
            f"the store's folder {folder} cannot be made ({error.strerror}): make {folder.parent} writable, "
            "or name another place with --store sqlite:///PATH"
        ) from None
