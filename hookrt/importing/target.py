"""Writing what was imported into files that are not there yet."""

from __future__ import annotations

import os
from pathlib import Path

from hookrt.errors import HookrtError


def write_new(path: Path, text: str, *, private: bool = False) -> None:
    """Write a file; a `private` one is for its owner alone. Raises HookrtError for one that is there already."""
    mode = 0o600 if private else 0o666
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise HookrtError(f"{path} is there already: nothing was written over it") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
