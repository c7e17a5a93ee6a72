"""How a received request looks in the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from hookrt.cli.receiver_server import Received, Trust
from hookrt.cli.render import Piece, Screen, shorten, to_json

_MAX_LINES = 40
_MAX_WIDTH = 2000
_SHORT = 110
MARKS: Mapping[Trust, Piece] = {
    Trust.VERIFIED: ("✓ signature verified", "bold green"),
    Trust.REFUSED: ("✗ signature refused", "bold red"),
    Trust.UNSIGNED: ("no signature", "yellow"),
    Trust.UNCHECKED: ("signature not checked (no secret)", "dim"),
}
"""What each verdict on a signature looks like."""


def show_request(screen: Screen, received: Received, *, headers: bool = False) -> None:
    """One request: its first line with the verdict, the headers where asked for, the body with its JSON laid out."""
    why: Piece = (f": {received.why}" if received.why else "", "red")
    screen.line(
        (f"{received.method} {received.target}", "bold"), "  ", MARKS[received.trust], why, f"  → {received.answered}"
    )
    if headers:
        for name, value in received.headers.items():
            screen.line("    ", (f"{name}: ", "dim"), shorten(value, _MAX_WIDTH))
    for line in body_lines(received.body):
        screen.line("    ", line)


def body_lines(body: bytes) -> Iterator[str]:
    """The lines of a body for reading: JSON laid out, at most forty of them."""
    lines = _lay_out(body).splitlines()
    for line in lines[:_MAX_LINES]:
        yield shorten(line, _MAX_WIDTH)
    if len(lines) > _MAX_LINES:
        yield f"… {len(lines) - _MAX_LINES} more lines"


def _lay_out(body: bytes) -> str:
    """A short text as it came; longer JSON over several lines."""
    text = body.decode("utf-8", "backslashreplace")
    if len(text) <= _SHORT and "\n" not in text:
        return text
    try:
        return to_json(json.loads(text))
    except (ValueError, RecursionError):
        return text
