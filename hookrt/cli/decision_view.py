"""How a decision looks, as the API describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookrt.cli.render import Piece, Screen
from hookrt.cli.wording import milliseconds, value_text

_STYLES = {"allow": "green", "deny": "bold red"}


def show_decision(screen: Screen, decision: Mapping[str, Any]) -> None:
    """The decision, what each hook said and how long that took, and the data as they left it."""
    reason = f"  {decision['reason']}" if decision["reason"] else ""
    screen.line(_choice(decision["decision"]), "  ", (decision["id"], "cyan"), reason)
    for said in decision["hooks"]:
        screen.line("  ", f"{said['hook']:16} ", _choice(said["decision"]), f"  {milliseconds(said['duration_ms'])}")
        why = said["message"] if said["by"] == "on_error" else said["reason"]
        if why:
            screen.line("    ", ("by its on_error: " if said["by"] == "on_error" else "", "yellow"), why)
    if not decision["hooks"]:
        screen.line(("  no hook of `mode: decide` took part", "dim"))
    screen.line("  ", ("data ", "dim"), value_text(decision["data"]))


def _choice(word: str) -> Piece:
    return (word, _STYLES.get(word, ""))
