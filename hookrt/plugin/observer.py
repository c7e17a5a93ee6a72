"""The observer: told what happens to events and deliveries, after it is on disk."""

from __future__ import annotations

from dataclasses import dataclass

from hookrt.model.attempt import Attempt
from hookrt.model.decision import Decision
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

    def request_received(self, source: str, outcome: str) -> None:
        """A request came in for this source (`unknown` where there is none of the name), and this became of it:
        `accepted`, `duplicate`, `replied` (a challenge, say), a reason such as `bad-signature`, or `failed`, when the
        source's plugin did. Or a source that fetches its events found what can never be one: it was refused.
        """

    def decision_made(self, decision: Decision, seconds: float) -> None:
        """A decision was answered after so many seconds; its record may still be on its way to the disk."""

    def condition_failed(self, hook: str) -> None:
        """A `when` of this hook could not be evaluated, which counts as false."""

    def attempt_recorded(self, recorded: AttemptRecorded) -> None:
        """An attempt has been committed to the store."""

    def delivery_ended(self, hook: str, status: Status) -> None:
        """A delivery of this hook is final."""

    def delivery_dropped(self, hook: str, reason: str) -> None:
        """A delivery of this hook was cancelled by its `dedupe`, `debounce` or `throttle`, which is the reason."""

    def key_missing(self, hook: str, rule: str) -> None:
        """An event had no key for this rule of the hook (`order`, `dedupe`, ...), which so did not apply."""

    def breaker_changed(self, lane: str | None, state: str) -> None:
        """The breaker of this lane (None: of an origin that only events name) is now `closed`, `open`, `half-open`."""

    def lane_rested(self, lane: str | None) -> None:
        """A rest of this lane began, since its endpoint has too much to do."""

    def start_refused(self, lane: str | None, reason: str) -> None:
        """An attempt in this lane did not start, and none is spent: `breaker-open`, `lane-resting`, `rate-limited`."""

    def hook_disabled(self, hook: str, reason: str) -> None:
        """This process has disabled the hook: `by-hand`, for its `endpoint`, or since it kept `failing`."""

    def hook_enabled(self, hook: str, reason: str) -> None:
        """This process has enabled the hook again: `by-hand`, or since its `definition` changed."""

    def loop_blocked(self, kind: str, name: str, seconds: float) -> None:
        """A plugin (an `action`, a `source` or an `observer`, by name) has held up the event loop so long."""

    def task_leaked(self, action: str, hook: str) -> None:
        """An attempt of this action ended and left a task behind, which was cancelled."""

    def job_ended(self, kind: str, status: str) -> None:
        """A job (the replay of many deliveries, say) is final."""

    def rows_removed(self, table: str, rows: int) -> None:
        """Retention has removed so many rows of a table of the store."""

    def payloads_dropped(self, events: int) -> None:
        """Retention has emptied so many events, whose records stay."""

    def store_measured(self, size: int, free: int) -> None:
        """The store takes so many bytes, of which so many are free to be used again."""

    def configuration_read(self, *, accepted: bool) -> None:
        """The configuration was read again while running, and is in use now, or was rejected as a whole."""
