"""What a runtime shows of itself: its state, its lanes and breakers, and what its actions report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookrt.model.delivery import Status
from hookrt.plugin.action import Action
from hookrt.runtime.action_reports import ActionReport, report_actions
from hookrt.runtime.reload import Reloader
from hookrt.runtime.reload_report import ReloadReport
from hookrt.runtime.run import Run
from hookrt.secrets.masking import Masker


class Figures:
    """The part of a Runtime that only looks: nothing here waits, or changes anything."""

    _run: Run | None
    _reloader: Reloader | None
    _actions: dict[str, Action[Any]]
    _masker: Masker

    @property
    def leading(self) -> bool:
        """Whether this process delivers."""
        return self._run is not None and self._run.engine.leading

    @property
    def ready(self) -> bool:
        """Whether it runs."""
        return self._run is not None

    @property
    def lanes(self) -> Mapping[str, tuple[int, int]]:
        """For each lane of this process: deliveries waiting in memory, and attempts under way."""
        return self._run.engine.lanes.figures() if self._run else {}

    @property
    def breakers(self) -> Mapping[str, str]:
        """For each lane that this process has sent to: whether its breaker is `closed`, `open` or `half-open`."""
        return self._run.engine.gates.states() if self._run else {}

    @property
    def counts(self) -> Mapping[Status, int]:
        """Deliveries by status as they were counted last, a few seconds ago at most; `store.counts()` asks anew."""
        return self._run.engine.counts if self._run else {}

    @property
    def action_reports(self) -> Mapping[str, ActionReport]:
        """What the actions in use say of themselves: facts such as the isolation of snippets, and warnings."""
        return report_actions(self._actions, self._masker.mask)

    @property
    def last_reload(self) -> ReloadReport | None:
        """What the latest reading of the files led to, since the start; None when there was none."""
        return self._reloader.last if self._reloader else None
