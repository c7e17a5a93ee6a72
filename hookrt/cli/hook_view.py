"""How hooks look, as the API describes them, with the policy that resolved and the times of the retries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hookrt.cli.columns import Column, Fit
from hookrt.cli.render import Piece, Screen
from hookrt.cli.wording import brief_duration, counted, local_time
from hookrt.plugin.settings import parse_duration

Shown = Mapping[str, Any]

_COLUMNS = (
    Column("hook", Fit.FOLD, least=12),
    Column("on", Fit.CUT, rank=1),
    Column("steps", Fit.CUT, rank=2),
    Column("state", Fit.FOLD),
    Column("succeeded"),
    Column("dead"),
    Column("rate"),
    Column("pending"),
)

MAX_ROWS = 20
"""Most attempts of a step that are told one by one."""

RIGHT = 3
"""How many columns of the attempts stand to the right."""


def show_hooks(screen: Screen, hooks: Sequence[Shown]) -> None:
    """A table of hooks with their last 24 hours."""
    screen.table(_COLUMNS, [_row(hook) for hook in hooks])
    screen.line(("succeeded, dead and rate are of the last 24 hours", "dim"))


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


def attempt_rows(retry: Shown) -> list[str]:
    """A heading, and for each attempt its wait, its time since the first one, and the range of jitter; aligned.

    Of many attempts the first ones and the last are told.
    """
    times = retry["times"]
    told = times if len(times) <= MAX_ROWS else [*times[: MAX_ROWS - 1], times[-1]]
    cells = [("attempt", "wait", "at", "with jitter", ""), *map(_attempt_cells, told)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = ["  ".join(_justified(row, widths)).rstrip() for row in cells]
    return rows if told is times else [*rows[:-1], "…", rows[-1]]


def _attempt_cells(time: Shown) -> tuple[str, ...]:
    wait, after, earliest, latest = (brief_duration(time[name]) for name in ("wait", "after", "earliest", "latest"))
    between = "" if earliest == latest else f"{earliest} - {latest}"
    note = "not made: the delivery has expired" if time["expired"] else ""
    return str(time["attempt"]), wait, after, between, note


def _justified(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Numbers and times to the right, texts to the left."""
    for column, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        yield cell.rjust(width) if column < RIGHT else cell.ljust(width)


def _row(hook: Shown) -> list[Piece]:
    stats = hook["stats"]
    steps = " → ".join(step["id"] for step in hook["steps"])
    dead: Piece = (str(stats["dead"]), "bold red" if stats["dead"] else "")
    figures: list[Piece] = [str(stats["succeeded"]), dead, success_rate(stats), str(stats["pending"])]
    return [(hook["name"], "bold"), ", ".join(hook["on"]), steps, _state(hook), *figures]


def state_text(hook: Shown) -> str:
    """`enabled`, `decides` for a hook that only decisions ask, or `disabled (by-hand, 3 held)`."""
    if hook["enabled"]:
        return "decides" if hook.get("mode") == "decide" else "enabled"
    disabled, held = hook["disabled"], hook["stats"]["held"]
    return f"disabled ({disabled['reason']}{f', {held} held' if held else ''})"


def success_rate(stats: Shown) -> str:
    """The share of what ended that succeeded: `98.5%`, or `-` where nothing ended. Only all of it is `100%`."""
    share = stats["success_rate"]
    if share is None:
        return "-"
    exact = share * 100 if stats["dead"] == 0 else min(share * 100, 99.9)
    return f"{exact:.1f}".removesuffix(".0") + "%"


def _state(hook: Shown) -> Piece:
    return (state_text(hook), "green" if hook["enabled"] else "yellow")


def _facts(hook: Shown) -> Iterator[tuple[str, str]]:
    if hook["disabled"]:
        yield "disabled", _why_disabled(hook["disabled"])
        yield "", f"{counted(hook['stats']['held'], 'delivery', 'deliveries')} held"
    yield "on", ", ".join(hook["on"])
    if hook.get("from"):
        yield "from", hook["from"]
    if hook.get("when"):
        yield "when", hook["when"]
    if hook.get("mode") == "decide":
        yield "mode", f"decide: only decisions ask it; without an answer it says {hook['on_error']}"
    else:
        yield "expires", f"after {brief_duration(hook['expires'])}"
    for name in ("order", "dedupe", "debounce", "throttle"):
        if hook.get(name):
            yield name, ", ".join(_rule(hook[name]))
    yield "defined", f"{hook['place'] or '-'} ({hook['origin']})"
    stats = hook["stats"]
    yield "last 24 h", f"{stats['succeeded']} succeeded, {stats['dead']} dead, {stats['pending']} pending"
    if stats["count"]:
        yield "", f"{success_rate(stats)} of {counted(stats['count'], 'delivery', 'deliveries')} succeeded"
    if stats.get("last_failure"):
        yield "", f"last failure {local_time(stats['last_failure'])}"


def _rule(rule: Mapping[str, str]) -> Iterator[str]:
    """The parts of a rule about keys: all but the key itself (and how order blocks) are durations."""
    for key, value in rule.items():
        yield f"{key} {value if key == 'by' else brief_duration(value)}"


def _why_disabled(disabled: Shown) -> str:
    since = f" since {local_time(disabled['since'])}" if disabled["since"] else ""
    return f"{disabled['reason']}{since}" + (f": {disabled['message']}" if disabled["message"] else "")


def _step_facts(step: Shown) -> Iterator[tuple[str, str]]:
    if step.get("when"):
        yield "when", step["when"]
    yield "timeout", f"{brief_duration(step['timeout'])} for each attempt"
    retry = step["retry"]
    yield "retry", _retry(retry)
    if retry["attempts"] > 1:
        for row in attempt_rows(retry):
            yield "", row
        yield "", _ceiling(retry)
    for name, value in step["settings"].items():
        yield name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if step["continue_on_error"]:
        yield "on error", "the hook goes on with its next step"


def _retry(policy: Shown) -> str:
    only = f", but after {' or '.join(policy['only_after'])}" if policy.get("only_after") else ""
    jitter = f", each wait ±{policy['jitter']:.0%}" if policy["jitter"] and policy["attempts"] > 1 else ""
    return f"{policy['name']}{only}: {counted(policy['attempts'], 'attempt')} at most{jitter}"


def _ceiling(policy: Shown) -> str:
    if parse_duration(policy["max_retry_after"]):
        return (
            f"longer where the endpoint asks for it (Retry-After), {brief_duration(policy['max_retry_after'])} at most"
        )
    return "a Retry-After of the endpoint is not listened to"
