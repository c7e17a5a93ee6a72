"""Telling the observers, whose mistakes must not cost a delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hookrt.model.delivery import Status
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
            self._guard(observer, observer.event_accepted, source, duplicate=duplicate)

    def condition_failed(self, hook: str) -> None:
        """A `when` could not be evaluated."""
        for observer in self._observers:
            self._guard(observer, observer.condition_failed, hook)

    def attempt_recorded(self, recorded: AttemptRecorded) -> None:
        """An attempt has been committed to the store."""
        for observer in self._observers:
            self._guard(observer, observer.attempt_recorded, recorded)

    def delivery_ended(self, hook: str, status: Status) -> None:
        """A delivery is final."""
        for observer in self._observers:
            self._guard(observer, observer.delivery_ended, hook, status)

    def _guard(self, observer: Observer, tell: Callable[..., None], *what: object, **how: object) -> None:
        try:
            tell(*what, **how)
        except Exception as error:
            self._log.error("observer-failed", observer=type(observer).__name__, error=repr(error))
