"""The observer: told what happens to events and deliveries, after it is on disk."""

from __future__ import annotations

from dataclasses import dataclass

from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Status


@dataclass(frozen=True, slots=True)
class AttemptRecorded:
    """An attempt and where its delivery stands after it."""

    delivery: str
    hook: str
    lane: str
    action: str
    attempt: Attempt
    status: Status


class Observer:
    """The base of every observer. Its methods are plain and must be quick; what they raise is logged."""

    def event_accepted(self, source: str, *, duplicate: bool = False) -> None:
        """An event has been stored, or was stored before."""

    def condition_failed(self, hook: str) -> None:
        """A `when` of this hook could not be evaluated, which counts as false."""

    def attempt_recorded(self, recorded: AttemptRecorded) -> None:
        """An attempt has been committed to the store."""

    def delivery_ended(self, hook: str, status: Status) -> None:
        """A delivery of this hook is final."""
