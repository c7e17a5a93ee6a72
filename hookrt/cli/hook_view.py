"""How hooks look, as the API describes them, with the policy that resolved and the times of the retries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from hookrt.cli.render import Piece, Screen
from hookrt.cli.wording import counted, local_time
from hookrt.plugin.settings import format_duration, parse_duration

Shown = Mapping[str, Any]


def show_hooks(screen: Screen, hooks: Sequence[Shown]) -> None:
    """A table of hooks with their last 24 hours."""
    columns = ["hook", "on", "steps", "state", "succeeded", "dead", "pending"]
    screen.table(columns, [_row(hook) for hook in hooks])


def show_hook(screen: Screen, hook: Shown) -> None:
    """One hook: what it waits for, each step with its policy, and when a failing step is tried again."""
    screen.line((hook["name"], "bold"), "  ", _state(hook), f"  {hook['description']}" if hook["description"] else "")
    for name, text in _facts(hook):
        screen.line("  ", (f"{name:9} ", "dim"), text)
    for number, step in enumerate(hook["steps"], start=1):
        screen.line()
        screen.line(f"  {number}. ", (step["id"], "bold"), f"  {step['action']}", ("  lane ", "dim"), step["lane"])
        for name, text in _step_facts(step):
            screen.line("     ", (f"{name:9} ", "dim"), text)


def retry_times(delays: Sequence[str]) -> list[str]:
    """For each retry how long after the first attempt it is made, jitter aside: 5s and 5m give `5s`, `5m5s`."""
    total, times = timedelta(0), []
    for delay in delays:
        total += parse_duration(delay)
        times.append(format_duration(total))
    return times


def _row(hook: Shown) -> list[Piece]:
    stats = hook["stats"]
    steps = " → ".join(step["id"] for step in hook["steps"])
    dead: Piece = (str(stats["dead"]), "bold red" if stats["dead"] else "")
    figures: list[Piece] = [str(stats["succeeded"]), dead, str(stats["pending"])]
    return [(hook["name"], "bold"), ", ".join(hook["on"]), steps, _state(hook), *figures]


def _state(hook: Shown) -> Piece:
    return ("enabled", "green") if hook["enabled"] else ("disabled", "yellow")


def _facts(hook: Shown) -> Iterator[tuple[str, str]]:
    yield "on", ", ".join(hook["on"])
    if hook.get("from"):
        yield "from", hook["from"]
    if hook.get("when"):
        yield "when", hook["when"]
    yield "expires", f"after {hook['expires']}"
    yield "defined", f"{hook['place'] or '-'} ({hook['origin']})"
    stats = hook["stats"]
    yield "last 24 h", f"{stats['succeeded']} succeeded, {stats['dead']} dead, {stats['pending']} pending"
    if stats.get("last_failure"):
        yield "", f"last failure {local_time(stats['last_failure'])}"


def _step_facts(step: Shown) -> Iterator[tuple[str, str]]:
    if step.get("when"):
        yield "when", step["when"]
    yield "timeout", step["timeout"]
    yield "retry", _retry(step["retry"])
    if any(parse_duration(delay) for delay in step["retry"]["delays"]):
        yield "", "tried again " + ", ".join(retry_times(step["retry"]["delays"])) + " after the first attempt"
    if step["continue_on_error"]:
        yield "on error", "the hook goes on with its next step"


def _retry(policy: Shown) -> str:
    only = f", but after {' or '.join(policy['only_after'])}" if policy.get("only_after") else ""
    return f"{policy['name']}{only}: {counted(policy['attempts'], 'attempt')} at most"
