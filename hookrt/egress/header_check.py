"""Which headers cannot be sent, and why."""

from __future__ import annotations

from collections.abc import Mapping

from hookrt.plugin.protocols import BAD_IN_HEADER, FRAMING_HEADERS, HEADER_NAME, HttpError


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise HttpError `bad-request` for a header that frames the message; its bytes the client itself checks."""
    if not FRAMING_HEADERS.isdisjoint(map(str.lower, headers)):
        name = next(name for name in headers if name.lower() in FRAMING_HEADERS)
        raise HttpError("bad-request", f"the header {name} is set by the client and cannot be set by hand")


def check_authorization(headers: Mapping[str, str]) -> None:
    """Raise HttpError `bad-request` where an authorization was set by hand beside the destination's own."""
    if any(name.lower() == "authorization" for name in headers):
        raise HttpError("bad-request", "the header authorization is made by the destination's `auth`")


def explain_headers(method: str, headers: Mapping[str, str]) -> str:
    """Why the client refused this method and these headers, without showing a value, which may be a secret."""
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            return f"{name!r} is no header name"
        if found := BAD_IN_HEADER.search(value):
            return f"the header {name} has a character that headers cannot hold ({found.group()!r})"
    return f"{method!r} is no HTTP method"
