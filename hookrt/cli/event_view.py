"""How events and explanations look, as the API describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hookrt.cli.columns import Column, Fit
from hookrt.cli.render import Piece, Screen, to_json
from hookrt.cli.wording import adds, brief_time, counted, local_time, value_text, why_not

Shown = Mapping[str, Any]

_COLUMNS = (
    Column("event", Fit.FOLD, least=30),
    Column("type", Fit.FOLD),
    Column("source", Fit.FOLD, rank=1),
    Column("received"),
    Column("data", Fit.CUT, least=12, rank=2),
)


def show_events(screen: Screen, events: Sequence[Shown]) -> None:
    """A table of events."""
    screen.table(_COLUMNS, [_row(event) for event in events])


def show_event(screen: Screen, event: Shown) -> None:
    """One event with all of its data."""
    screen.line((event["type"], "bold"), "  ", (event["id"], "cyan"), ("  from ", "dim"), event["source"])
    for name in ("subject", "time", "received", "content_type", "cause"):
        if event.get(name) is not None:
            text = local_time(event[name]) if name in {"time", "received"} else str(event[name])
            screen.line("  ", (f"{name.replace('_', ' '):12} ", "dim"), text)
    for name, value in (event.get("attributes") or {}).items():
        screen.line("  ", (f"{name:12} ", "dim"), str(value))
    if event.get("payload_dropped"):
        screen.line(("  data         dropped by retention: the record stays, but it cannot be sent again", "dim"))
    elif event.get("data_base64") is not None:
        screen.line(("  data (base64)  ", "dim"), event["data_base64"])
    else:
        screen.line(("  data", "dim"))
        for line in to_json(event.get("data")).splitlines():
            screen.line("    ", line)


def show_explanations(screen: Screen, explanations: Sequence[Shown]) -> None:
    """For every hook whether it fires and, if not, why, with the values of the parts of its condition."""
    if not explanations:
        screen.line("there are no hooks")
        return
    width = max(len(explanation["hook"]) for explanation in explanations)
    for explanation in explanations:
        _show_explanation(screen, explanation, width)
    firing = sum(explanation["fires"] for explanation in explanations)
    verb = "fires" if 1 in (firing, len(explanations)) else "fire"
    screen.line((f"{firing} of {counted(len(explanations), 'hook')} {verb}", "dim"))


def _show_explanation(screen: Screen, explanation: Shown, width: int) -> None:
    name: Piece = (f"{explanation['hook']:{width}}  ", "bold")
    if explanation["fires"]:
        held = explanation.get("detail")
        screen.line(("✓ ", "green"), name, ("fires", "green"), (f", but {held}" if held else "", "yellow"))
        for key in explanation.get("keys") or []:
            missing: Piece = (f"  {key['problem']}" if key.get("problem") else "", "yellow")
            screen.line(" " * (width + 4), (key["expression"], "cyan"), " is ", key["value"], missing)
        return
    text = str(explanation.get("detail") or why_not(explanation["reason"], "it"))
    screen.line(("✗ ", "red"), name, text)
    for finding in explanation.get("findings") or []:
        if not adds(text, finding["expression"], finding["value"], finding.get("problem")):
            continue
        problem: Piece = (f"  {finding['problem']}" if finding.get("problem") else "", "yellow")
        screen.line(" " * (width + 4), (finding["expression"], "cyan"), " is ", finding["value"], problem)


def _row(event: Shown) -> list[Piece]:
    data = value_text(event.get("data"), 80)
    if event.get("data_omitted") or event.get("payload_dropped"):
        data = "(large)" if event.get("data_omitted") else "(dropped)"
    return [(event["id"], "cyan"), (event["type"], "bold"), event["source"], brief_time(event.get("received")), data]
