"""What stands in a hook under test for what would reach the outside, and what looks on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hookrt.model.hook import Scope, StepSettings
from hookrt.model.outcome import Outcome
from hookrt.plugin.action import Action, ActionCall
from hookrt.plugin.settings import Settings

NOT_RUN_HERE = "not-run-here"
"""The reason of a step that no test can run."""


class StandInAction(Action[Settings]):
    """Gives an output, whatever it is called with."""

    name = "stand-in"

    def __init__(self, output: Any) -> None:
        self._output = output

    async def run(self, call: ActionCall[Settings]) -> Outcome:
        """Give it."""
        return Outcome.done(self._output)


class RefusingAction(Action[Settings]):
    """Says why the real one is not run in a test."""

    name = "refusing"

    def __init__(self, why: str) -> None:
        self._why = why

    async def run(self, call: ActionCall[Settings]) -> Outcome:
        """Say it."""
        return Outcome.reject(NOT_RUN_HERE, self._why)


@dataclass(slots=True)
class WatchedSettings:
    """Settings of a step that remember what they were rendered to last, None before that."""

    real: StepSettings
    rendered: Any = None

    def render(self, scope: Scope) -> Any:
        """As the real ones do."""
        self.rendered = self.real.render(scope)
        return self.rendered
