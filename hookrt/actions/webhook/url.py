"""The URL of a webhook: what cannot be one, and how a destination's URL, a path and a query are joined."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import urlencode

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BEGIN = re.compile(r"https?://([^/?#\\]*)", re.IGNORECASE)
_DOTS = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)


def check_url(url: str) -> str:
    """The URL as it is; raises ValueError when it is no http(s) URL, or has credentials or control characters.

    This is what can be told from the text; where it leads is judged when it is sent.
    """
    if _CONTROL.search(url):
        raise ValueError("a URL cannot have control characters or line breaks in it")
    found = _BEGIN.match(url)
    if not found:
        raise ValueError("a webhook's URL begins with http:// or https://; a destination is named by {to: NAME}")
    if "@" in found[1]:
        raise ValueError(
            "a URL with a user name or password in it is not sent: "
            "set the header `authorization`, with the value in a secret"
        )
    if not found[1] or found[1].startswith(":"):
        raise ValueError("the URL has no host")
    return url


def check_path(path: str) -> str:
    """The path as it is; raises ValueError for one that could leave the destination's own URL."""
    if _CONTROL.search(path):
        raise ValueError("a path cannot have control characters or line breaks in it")
    for character, meaning in (("?", "write parameters under `query`"), ("#", "write %23"), ("\\", "write / or %5C")):
        if character in path:
            raise ValueError(f"a path cannot have {character!r} in it: {meaning}")
    if any(_DOTS.fullmatch(segment) for segment in path.split("/")):
        raise ValueError("a path cannot have the segments '.' and '..' in it")
    return path


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
