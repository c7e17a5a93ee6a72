"""How a reload looks: one line that says what changed, or all problems as `hookrt check` shows them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hookrt.cli.problem_view import count_problems, show_problems
from hookrt.cli.render import Screen
from hookrt.cli.wording import counted
from hookrt.runtime.changes import Changes
from hookrt.runtime.reload_report import ReloadReport

MAX_NAMED = 5
"""So many names are listed; more are counted."""


def show_reload(screen: Screen, report: ReloadReport, path: Path) -> None:
    """Tell of a reload, on a terminal."""
    show_problems(screen, report.problems)
    if not report.accepted:
        found = count_problems(report.problems)
        screen.line((f"{path} is rejected: {found}. What ran before goes on unchanged", "bold red"))
        return
    screen.line(("reloaded", "bold green"), f" {path}: {describe_changes(report)}")
    if report.needs_restart:
        screen.line((f"restart to change {', '.join(report.needs_restart)}", "yellow"))


def describe_changes(report: ReloadReport) -> str:
    """`2 hooks added (a, b), 1 destination changed (crm)`; `nothing changed`."""
    kinds = [("hook", report.hooks), ("destination", report.destinations), ("source", report.sources)]
    parts = [part for kind, changes in kinds for part in _describe(kind, changes)]
    return ", ".join(parts) or "nothing changed"


def fields_of(report: ReloadReport) -> dict[str, Any]:
    """The fields of a log line that tells of it."""
    return {"changes": describe_changes(report), "warnings": len(report.problems)}


def _describe(kind: str, changes: Changes) -> list[str]:
    named = [("added", changes.added), ("removed", changes.removed), ("changed", changes.changed)]
    return [f"{counted(len(names), kind)} {how}{_names(names)}" for how, names in named if names]


def _names(names: Sequence[str]) -> str:
    return f" ({', '.join(names)})" if len(names) <= MAX_NAMED else ""
