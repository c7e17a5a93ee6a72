"""What a reload did: for people, for programs, and as the data of an event."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hookrt.model.own_events import CONFIG_REJECTED, CONFIG_RELOADED
from hookrt.model.problem import Problem
from hookrt.runtime.changes import NO_CHANGES, Changes

MAX_TOLD = 100
"""Names and problems that an event lists; the numbers count all."""


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """One reading of the configuration while running.

    Rejected (`accepted` false, with the errors among `problems`) it changed nothing at all. `needs_restart` are the
    settings of the service that the files have otherwise than they are in use; everything else was taken.
    """

    at: datetime
    accepted: bool
    problems: tuple[Problem, ...] = ()
    hooks: Changes = NO_CHANGES
    destinations: Changes = NO_CHANGES
    sources: Changes = NO_CHANGES
    needs_restart: tuple[str, ...] = ()

    @property
    def event_type(self) -> str:
        """The type of the event that tells of it."""
        return CONFIG_RELOADED if self.accepted else CONFIG_REJECTED

    def as_data(self) -> dict[str, Any]:
        """The data of that event."""
        if not self.accepted:
            told = [_brief(problem) for problem in self.problems[:MAX_TOLD]]
            return {"problem_count": len(self.problems), "problems": told}
        return {
            "hooks": _listed(self.hooks),
            "destinations": _listed(self.destinations),
            "sources": _listed(self.sources),
            "needs_restart": list(self.needs_restart),
        }


def _listed(changes: Changes) -> dict[str, Any]:
    named = {key: list(names[:MAX_TOLD]) for key, names in dataclasses.asdict(changes).items()}
    return {**named, "count": len(changes.added) + len(changes.removed) + len(changes.changed)}


def _brief(problem: Problem) -> dict[str, Any]:
    """A problem without its line: an event may go further than the file may."""
    return {
        **dataclasses.asdict(problem.place),
        "severity": problem.severity.value,
        "message": problem.message,
        "hint": problem.hint,
    }
