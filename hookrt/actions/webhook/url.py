"""The URL of a webhook: how a destination's URL, a path and a query are joined."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import unquote, urlencode

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DECODINGS = 8
_SEPARATORS = re.compile(r"[/\\]")
_DOTS = re.compile(r"\.{1,2}(?:;.*|[\x00-\x20\x7f]+)?", re.DOTALL)


def check_path(path: str) -> str:
    """The path as it is; raises ValueError for one that could leave the destination's own URL."""
    if _CONTROL.search(path):
        raise ValueError("a path cannot have control characters or line breaks in it")
    for character, meaning in (("?", "write parameters under `query`"), ("#", "write %23"), ("\\", "write / or %5C")):
        if character in path:
            raise ValueError(f"a path cannot have {character!r} in it: {meaning}")
    if _climbs(path):
        raise ValueError("a path cannot have the segments '.' and '..' in it")
    return path


def _climbs(path: str) -> bool:
    """Whether a server might read `.` or `..` in this path, however it is encoded."""
    for _ in range(_DECODINGS):
        if any(_DOTS.fullmatch(segment) for segment in _SEPARATORS.split(path)):
            return True
        decoded = unquote(path, "latin-1")
        if decoded == path:
            return False
        path = decoded
    return True  # nobody encodes a path that often who means well


def join_url(url: str, path: str | None, query: Mapping[str, str | int | float | bool]) -> str:
    """The URL with the path behind its own path, and the parameters behind its own; a fragment is left out."""
    place, _, parameters = url.partition("#")[0].partition("?")
    if path:
        place = f"{place.rstrip('/')}/{path.lstrip('/')}"
    added = urlencode({name: _as_text(value) for name, value in query.items()})
    together = "&".join(part for part in (parameters, added) if part)
    return f"{place}?{together}" if together else place


def _as_text(value: str | float) -> str:
    return value if isinstance(value, str) else json.dumps(value)
