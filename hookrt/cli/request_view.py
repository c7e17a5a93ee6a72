"""How a received request looks in the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from hookrt.cli.receiver_server import Received, Trust
from hookrt.cli.render import Piece, Screen, shorten, to_json
from hookrt.model.event import EventDraft

_MAX_LINES = 40
_MAX_WIDTH = 2000
_MAX_NAME = 200
_MAX_EVENTS = 20
_SHORT = 110
MARKS: Mapping[Trust, Piece] = {
    Trust.VERIFIED: ("✓ signature verified", "bold green"),
    Trust.REFUSED: ("✗ signature refused", "bold red"),
    Trust.UNSIGNED: ("no signature", "yellow"),
    Trust.UNCHECKED: ("signature not checked (no secret)", "dim"),
}
"""What each verdict on a signature looks like."""

Mask = Callable[[str], str]
"""Hides secrets in a text."""

_OTHER_REFUSALS: Mapping[str, Piece] = {
    "malformed": ("✗ malformed", "bold red"),
    "too-large": ("✗ too large", "bold red"),
    "source-failed": ("✗ not judged", "bold red"),
}


def show_request(screen: Screen, received: Received, mask: Mask = str, *, headers: bool = False) -> None:
    """One request: its first line with the verdict, what it stands for, the headers where asked for, the body with its
    JSON laid out. `mask` hides secrets that the sender showed.
    """
    why: Piece = (f": {received.why}" if received.why else "", "red")
    mark = _OTHER_REFUSALS.get(received.judgement.reason, MARKS[received.trust])
    screen.line((f"{received.method} {mask(received.target)}", "bold"), "  ", mark, why, f"  → {received.answered}")
    facts = list(_facts(received))
    if facts:
        screen.line("    ", ("  ".join(facts), "cyan"))
    for event in received.judgement.events[:_MAX_EVENTS]:
        screen.line("    ", *_event(event))
    if headers:
        for name, value in received.headers.items():
            screen.line("    ", (f"{name}: ", "dim"), shorten(mask(value), _MAX_WIDTH))
    for line in body_lines(received.body):
        screen.line("    ", mask(line))


def _facts(received: Received) -> Iterator[str]:
    """The scheme, the age of the signature, and how often it came."""
    if received.judgement.scheme:
        yield received.judgement.scheme
    if received.age is not None:
        yield _age(received.age)
    if received.judgement.reply is not None:
        yield "no event: a question, answered as the sender expects"
    if received.seen > 1:
        yield f"the same for the {_ordinal(received.seen)} time"


def _age(age: timedelta) -> str:
    seconds = round(age.total_seconds())
    return f"sent {-seconds:,} s ahead" if seconds < 0 else f"sent {seconds:,} s ago"


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def _event(event: EventDraft) -> Iterator[Piece | str]:
    yield (shorten(event.type, _MAX_NAME), "bold")
    if event.id:
        yield f"  id {shorten(event.id, _MAX_NAME)}"
    if event.subject:
        yield f"  subject {shorten(event.subject, _MAX_NAME)}"


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
