"""How a file looks from outside: enough to tell one state of it from another without reading it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

Stamp = tuple[str, str, int, int, int, int, int]
"""A path, where it really leads, and what tells one state of that file from another; zeros for one that is absent."""


def stamp_of(path: Path) -> Stamp:
    """How this file looks now; of a directory only which one it is, since nobody cares what comes and goes in it."""
    try:
        real, status = os.path.realpath(path), os.stat(path)
    except (OSError, ValueError):
        return (str(path), "", 0, 0, 0, 0, 0)
    if stat.S_ISDIR(status.st_mode):
        return (str(path), real, status.st_dev, status.st_ino, 0, 0, status.st_mode)
    return (str(path), real, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)
