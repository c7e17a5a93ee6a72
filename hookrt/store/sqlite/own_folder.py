"""The folder `.hookrt` beside hooks.yaml, which is made when the store in it is opened."""

from __future__ import annotations

from pathlib import Path

from hookrt.errors import StoreError

OWN_FOLDER = ".hookrt"
"""The folder of the default store, for its owner only, and ignored by git."""


def make_own_folder(database: Path) -> None:
    """Make the folder of this database where it is `.hookrt`; any other one is the operator's to make.

    Raises StoreError when that fails.
    """
    folder = database.parent
    if folder.name != OWN_FOLDER:
        return
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"the store's folder {folder} cannot be made ({error.strerror}): make {folder.parent} writable, "
            "or name another place with --store sqlite:///PATH"
        ) from None
