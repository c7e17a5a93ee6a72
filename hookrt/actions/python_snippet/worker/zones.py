"""Time zones, read before the walls go up, since no file can be opened behind them."""

from __future__ import annotations

import functools
import io
import os
import sys
import zoneinfo
from collections.abc import Iterator

_MAGIC = b"TZif"
_MAX_FILE = 64 * 1024


@functools.cache
def zone_data() -> dict[str, bytes]:
    """The data of every zone of the first database found: the system's, or the package tzdata."""
    packaged = [os.path.join(path, "tzdata", "zoneinfo") for path in sys.path]
    for root in (*zoneinfo.TZPATH, *packaged):
        found = dict(_read(root))
        if found:
            return found
    return {}


def _read(root: str) -> Iterator[tuple[str, bytes]]:
    shared: dict[bytes, bytes] = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in {"right", "posix"}]
        for name in files:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                data = file.read(_MAX_FILE) if file.read(len(_MAGIC)) == _MAGIC else b""
            if data:
                yield os.path.relpath(path, root), shared.setdefault(data, _MAGIC + data)


def zone(key: str, /) -> zoneinfo.ZoneInfo:
    """The `ZoneInfo` of snippets; a ZoneInfoNotFoundError for a name that the database does not have."""
    return _zone(key)


@functools.lru_cache(maxsize=64)
def _zone(key: str) -> zoneinfo.ZoneInfo:
    data = zone_data().get(key)
    if data is None:
        raise zoneinfo.ZoneInfoNotFoundError(f"no time zone found with key {key!r}")
    return zoneinfo.ZoneInfo.from_file(io.BytesIO(data), key=key)


def zone_names() -> set[str]:
    """The `available_timezones` of snippets."""
    return set(zone_data())
