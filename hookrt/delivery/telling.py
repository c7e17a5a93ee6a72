"""Telling the observers, whose mistakes must not cost a delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hookrt.model.decision import Decision
from hookrt.model.delivery import Status
from hookrt.plugin.blame import FAULTS
from hookrt.plugin.observer import AttemptRecorded, Observer
from hookrt.plugin.protocols import Log


class Telling(Observer):
    """One observer for many: each is told, whatever another one raises."""

    def __init__(self, observers: Sequence[Observer], log: Log) -> None:
        self._observers = observers
        self._log = log

    def event_accepted(self, source: str, *, duplicate: bool = False) -> None:
        """An event has been stored, or was stored before."""
        for observer in self._observers:
            self._guard(observer, "event_accepted", source, duplicate=duplicate)

    def request_received(self, source: str, outcome: str) -> None:
        """A request came in for this source."""
        for observer in self._observers:
            self._guard(observer, "request_received", source, outcome)

    def decision_made(self, decision: Decision, seconds: float) -> None:
        """A decision was answered."""
        for observer in self._observers:
            self._guard(observer, "decision_made", decision, seconds)

    def condition_failed(self, hook: str) -> None:
        """A `when` could not be evaluated."""
        for observer in self._observers:
            self._guard(observer, "condition_failed", hook)

    def attempt_recorded(self, recorded: AttemptRecorded) -> None:
        """An attempt has been committed to the store."""
        for observer in self._observers:
            self._guard(observer, "attempt_recorded", recorded)

    def delivery_ended(self, hook: str, status: Status) -> None:
        """A delivery is final."""
        for observer in self._observers:
            self._guard(observer, "delivery_ended", hook, status)

    def delivery_dropped(self, hook: str, reason: str) -> None:
        """A delivery was cancelled by a rule of its hook."""
        for observer in self._observers:
            self._guard(observer, "delivery_dropped", hook, reason)

    def key_missing(self, hook: str, rule: str) -> None:
        """An event had no key for a rule."""
        for observer in self._observers:
            self._guard(observer, "key_missing", hook, rule)

    def breaker_changed(self, lane: str | None, state: str) -> None:
        """The breaker of a lane is in another state."""
        for observer in self._observers:
            self._guard(observer, "breaker_changed", lane, state)

    def lane_rested(self, lane: str | None) -> None:
        """A rest of a lane began."""
        for observer in self._observers:
            self._guard(observer, "lane_rested", lane)

    def start_refused(self, lane: str | None, reason: str) -> None:
        """An attempt did not start."""
        for observer in self._observers:
            self._guard(observer, "start_refused", lane, reason)

    def hook_disabled(self, hook: str, reason: str) -> None:
        """This process has disabled the hook."""
        for observer in self._observers:
            self._guard(observer, "hook_disabled", hook, reason)

    def hook_enabled(self, hook: str, reason: str) -> None:
        """This process has enabled the hook again."""
        for observer in self._observers:
            self._guard(observer, "hook_enabled", hook, reason)

    def loop_blocked(self, kind: str, name: str, seconds: float) -> None:
        """A plugin has held up the event loop."""
        for observer in self._observers:
            self._guard(observer, "loop_blocked", kind, name, seconds)

    def task_leaked(self, action: str, hook: str) -> None:
        """An attempt has left a task behind."""
        for observer in self._observers:
            self._guard(observer, "task_leaked", action, hook)

    def job_ended(self, kind: str, status: str) -> None:
        """A job is final."""
        for observer in self._observers:
            self._guard(observer, "job_ended", kind, status)

    def rows_removed(self, table: str, rows: int) -> None:
        """Retention has removed rows."""
        for observer in self._observers:
            self._guard(observer, "rows_removed", table, rows)

    def payloads_dropped(self, events: int) -> None:
        """Retention has emptied events."""
        for observer in self._observers:
            self._guard(observer, "payloads_dropped", events)

    def store_measured(self, size: int, free: int) -> None:
        """The store's size is known."""
        for observer in self._observers:
            self._guard(observer, "store_measured", size, free)

    def configuration_read(self, *, accepted: bool) -> None:
        """The configuration was read again."""
        for observer in self._observers:
            self._guard(observer, "configuration_read", accepted=accepted)

    def _guard(self, observer: Observer, told: str, *what: object, **how: object) -> None:
        try:
            tell: Callable[..., None] | None = getattr(observer, told, None)  # a plugin's need not have all methods
            if tell is not None:
                tell(*what, **how)
        except FAULTS as error:
            self._log.error("observer-failed", observer=type(observer).__name__, error=repr(error))
