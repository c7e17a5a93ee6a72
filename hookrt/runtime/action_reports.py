"""What opened actions say of themselves, collected for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hookrt.plugin.action import Action
from hookrt.plugin.blame import FAULTS
from hookrt.plugin.protocols import Log

MAX_FACTS = 20
"""Facts, and warnings, of one action that are shown."""

MAX_TEXT = 500
"""Characters of a warning that are shown; a fact has at most 100."""

_MAX_FACT = 100


@dataclass(frozen=True, slots=True)
class ActionReport:
    """The facts of one action by name, and what is not as it should be."""

    facts: Mapping[str, str]
    warnings: tuple[str, ...]


def report_actions(actions: Mapping[str, Action[Any]], mask: Callable[[str], str]) -> dict[str, ActionReport]:
    """What each action has to say, by name; those with nothing to say are left out."""
    reports = {name: _report(action, mask) for name, action in sorted(actions.items())}
    return {name: report for name, report in reports.items() if report.facts or report.warnings}


def log_warnings(reports: Mapping[str, ActionReport], log: Log) -> None:
    """One line for each warning."""
    for name, report in reports.items():
        for warning in report.warnings:
            log.warning("action-warning", action=name, warning=warning)


def _report(action: Action[Any], mask: Callable[[str], str]) -> ActionReport:
    try:
        facts = {str(name)[:_MAX_FACT]: mask(str(text))[:_MAX_FACT] for name, text in action.facts().items()}
        warnings = tuple(mask(str(text))[:MAX_TEXT] for text in action.warnings())
    except FAULTS as error:  # a plugin's own
        return ActionReport({}, (f"it cannot say how it stands: {type(error).__name__}",))
    return ActionReport(dict(list(facts.items())[:MAX_FACTS]), warnings[:MAX_FACTS])
