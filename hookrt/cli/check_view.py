"""What `hookrt plugins verify` found, for people: a line for each part of a plugin, and one for each fault."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from hookrt.cli.columns import Column, Fit
from hookrt.cli.plugin_checks import Check
from hookrt.cli.render import Piece, Screen
from hookrt.cli.wording import counted

_COLUMNS = (Column("plugin", Fit.FOLD), Column("part", Fit.FOLD), Column("checks"), Column("result"))
_STYLES = {"ok": "green", "failed": "bold red", "skipped": "yellow"}


def show_checks(screen: Screen, checks: Sequence[Check]) -> None:
    """A table of what was looked at, every fault and everything left out in words, and the count."""
    rows: list[list[Piece]] = []
    for (plugin, part), group in groupby(checks, lambda one: (one.plugin, one.part)):
        found = list(group)
        states = [one.state for one in found]
        result = "failed" if "failed" in states else "skipped" if set(states) == {"skipped"} else "ok"
        rows.append([(plugin, "bold"), part, str(len(found)), (result, _STYLES[result])])
    screen.table(_COLUMNS, rows)
    told = [one for one in checks if one.message]
    if told:
        screen.line()
    for one in told:
        screen.line((one.state, _STYLES[one.state]), f" {one.plugin}, {one.part}, {one.check}: {one.message}")
    screen.line()
    failed = sum(one.state == "failed" for one in checks)
    screen.line(f"{counted(len(checks), 'check')}, {failed} failed")
