"""What of a URL can be told from its text alone: whether anybody could send to it."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BEGIN = re.compile(r"https?://([^/?#\\]*)", re.IGNORECASE)
_PORT = re.compile(r":(\d*)\Z", re.ASCII)
_HOST = re.compile(r"[^\s<>^`{|}\"%\[\]:]+|\[[0-9A-Fa-f:.]+\]")


def check_url(url: str) -> str:
    """The URL as it is; raises ValueError when it is no http(s) URL, or has credentials or control characters.

    This is what can be told from the text; where it leads is judged when it is sent.
    """
    if _CONTROL.search(url):
        raise ValueError("a URL cannot have control characters or line breaks in it")
    found = _BEGIN.match(url)
    if not found:
        raise ValueError("a webhook's URL begins with http:// or https://; a destination is named by {to: NAME}")
    place = found[1]
    if "@" in place:
        raise ValueError(
            "a URL with a user name or password in it is not sent: "
            "set the header `authorization`, with the value in a secret, or `auth` at a destination"
        )
    if not place or place.startswith(":"):
        raise ValueError("the URL has no host")
    _check_place(place, url[found.end() :])
    return url


def _check_place(place: str, rest: str) -> None:
    if rest.startswith("\\"):
        raise ValueError("the URL has a backslash behind its host: write /")
    port = _PORT.search(place) if not place.endswith("]") else None
    host = place[: port.start()] if port else place
    if not _HOST.fullmatch(host):
        raise ValueError("the URL's host has a character that no host has")
    if port and port[1] and not 0 < int(port[1][:6]) < 65536:
        raise ValueError("the URL's port must be from 1 to 65535")
