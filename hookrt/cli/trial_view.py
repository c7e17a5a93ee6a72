"""How the test of a hook looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookrt.cli.delivery_view import show_attempt
from hookrt.cli.render import Screen
from hookrt.cli.wording import state

Shown = Mapping[str, Any]


def show_trial(screen: Screen, trial: Shown) -> None:
    """The test of a hook step by step, with what was sent and answered."""
    event = trial["event"]
    verdict = state("succeeded") if trial["succeeded"] else state("failed")
    screen.line((trial["hook"], "bold"), "  test with ", (event["type"], "bold"), _made_of(trial), "  ", verdict)
    for step in trial["steps"]:
        screen.line("  ", f"{step['id']:12} ", state(step["status"]), (_why(step), "red"))
        if step["attempt"]:
            show_attempt(screen, step["attempt"])
        if step["emitted"]:
            screen.line("       ", (f"would have emitted {', '.join(step['emitted'])}", "dim"))
    if not trial["fires"]:
        screen.line((f"such an event would not fire it by itself: {trial['why_not']}", "yellow"))
    screen.line(("a test: nothing of it is stored, counted or tried again", "dim"))


def _made_of(trial: Shown) -> str:
    if trial["sample"] is None:
        return ""
    return " (generic data)" if trial["sample"] == "generic" else f" (a sample of {trial['sample']})"


def _why(step: Shown) -> str:
    return f"  {step['error']}" if step["error"] else ""
