"""What the service answered, on standard output: as it is for programs, laid out for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hookrt.cli.render import Format, Piece, Screen, to_json

Show = Callable[[Screen, Any], object]
"""Lays out an answer, or the items of a page, for people."""


def show_answer(output: Format, answer: Any, show: Show) -> None:
    """An answer in the format that was asked for."""
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json(answer))
    else:
        show(screen, answer)


def show_page(output: Format, page: Any, called: str, show: Show) -> None:
    """A page of a list and where that goes on; `called` is what its items are, for when there are none."""
    show_answer(output, page, lambda screen, page: _lay_out(screen, page, called, show))


def tell(output: Format, answer: Any, *pieces: Piece) -> None:
    """An answer to which people get a sentence."""
    show_answer(output, answer, lambda screen, _: screen.line(*pieces))


def _lay_out(screen: Screen, page: Any, called: str, show: Show) -> None:
    if not page["items"]:
        screen.line(f"no {called}")
        return
    show(screen, page["items"])
    if page.get("next"):
        screen.line(("more with --cursor ", "dim"), page["next"])
