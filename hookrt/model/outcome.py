"""The outcome: what an action says of one attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from hookrt.model.answers import DEFAULT_RULES, GONE, AnswerRules
from hookrt.model.retry_after import parse_retry_after

SHORT_REST = timedelta(seconds=1)
"""How long an overloaded endpoint is left alone that does not say for how long."""

LONGEST_REST = timedelta(hours=1)
"""How long it is left alone at most: others share its lane, and its `Retry-After` may mean this request only."""

_OVERLOADED = frozenset({429, 503})
_UNWANTED = "the endpoint answered with `webhook-delivery: disable`: it wants no more of these"


class OutcomeKind(StrEnum):
    """Done, worth another try, or pointless to try again."""

    DONE = "done"
    RETRY = "retry"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Emission:
    """An event that a step wants to emit; source, cause and depth are the engine's to fill.

    Without `id` it gets one made from delivery, step and its place, so that a repeated attempt emits the same.
    """

    type: str
    data: Any = None
    subject: str | None = None
    id: str | None = None


class ResponseLike(Protocol):
    """What `Outcome.from_response` needs to know of a response; httpx.Response has it too."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Any:
        """A mapping of header names, looked up without regard to case."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action says of an attempt. Make one with `done`, `retry`, `reject` or `from_response`.

    `reason` is one word from the action's documented list, for filters and metrics; `message` is for people.
    `output` becomes `steps.ID.output`; it must be plain JSON values. `events` are emitted in the transaction that
    records the attempt. `retry_after` is the least wait that the endpoint asked for. `slow_down` says that the endpoint
    as a whole has too much to do: its lane rests at least that long. `disable` says that the endpoint wants no more of
    this hook, and why: the engine disables the hook. `logs` are lines for the attempt's log. `status` is that of
    the answer which a failure is about.
    """

    kind: OutcomeKind
    reason: str | None = None
    message: str | None = None
    output: Any = None
    events: tuple[Emission, ...] = ()
    retry_after: timedelta | None = None
    slow_down: timedelta | None = field(default=None, kw_only=True)
    disable: str | None = field(default=None, kw_only=True)
    logs: tuple[str, ...] = field(default=(), kw_only=True)
    status: int | None = field(default=None, kw_only=True)

    @classmethod
    def done(cls, output: Any = None, *, events: Sequence[Emission] = (), logs: Sequence[str] = ()) -> Outcome:
        """The attempt succeeded."""
        return cls(OutcomeKind.DONE, output=output, events=tuple(events), logs=tuple(logs))

    @classmethod
    def retry(
        cls,
        reason: str,
        message: str | None = None,
        *,
        after: timedelta | None = None,
        logs: Sequence[str] = (),
    ) -> Outcome:
        """The attempt failed in a way that may pass."""
        return cls(OutcomeKind.RETRY, reason, message, retry_after=after, logs=tuple(logs))

    @classmethod
    def reject(cls, reason: str, message: str | None = None, *, logs: Sequence[str] = ()) -> Outcome:
        """The attempt failed for good: trying again would not help."""
        return cls(OutcomeKind.REJECT, reason, message, logs=tuple(logs))

    @classmethod
    def from_response(
        cls,
        response: ResponseLike,
        *,
        output: Any = None,
        rules: AnswerRules = DEFAULT_RULES,
        now: datetime | None = None,
    ) -> Outcome:
        """The rules of `webhook` for any response: 2xx is done, 410 a reject, all else a retry, unless `rules` differ.

        `Retry-After` (seconds or an HTTP date) is carried along; `now`, the time of the attempt, measures a date in an
        answer that has no `Date`. 429 and 503 slow the whole lane down. Redirects are never followed, and are a failure
        with the reason `redirect`. The header `webhook-delivery` is obeyed: `abort-message` makes a failure a reject,
        `disable` too; it disables the hook, as 410 does, where `rules.disables` says that the URL was written out.
        """
        status, wish = response.status_code, response.headers.get("webhook-delivery")
        if status in rules.success:
            return cls.done(output) if wish is None else _done_with(output, wish, rules)
        return _failure(response, rules, now)


def _done_with(output: Any, wish: str, rules: AnswerRules) -> Outcome:
    """A success of an endpoint that wants nothing more hereafter; to abort what has arrived means nothing."""
    disable = _UNWANTED if rules.disables and "disable" in _words(wish) else None
    return Outcome(OutcomeKind.DONE, output=output, disable=disable)


def _failure(response: ResponseLike, rules: AnswerRules, now: datetime | None) -> Outcome:
    """What an answer means that is no success."""
    status, headers = response.status_code, response.headers
    final = _final(status, _words(headers.get("webhook-delivery") or ""), rules)
    if final is not None:
        return final
    after = parse_retry_after(headers.get("retry-after"), headers.get("date"), now)
    slow_down = min(max(after or SHORT_REST, SHORT_REST), LONGEST_REST) if status in _OVERLOADED else None
    reason, message = "status", f"the endpoint answered {status}"
    if 300 <= status < 400:
        reason, target = "redirect", headers.get("location")
        message += f", a redirect to {target}; write the new URL" if target else ", a redirect that names no new URL"
    kind = OutcomeKind.RETRY
    if rules.retry_on is not None and not rules.retry_on.covers(status, reason):
        kind = OutcomeKind.REJECT
        message += "; `retry_on` does not list it"
    return Outcome(kind, reason, message, retry_after=after, slow_down=slow_down, status=status)


def _final(status: int, wish: frozenset[str], rules: AnswerRules) -> Outcome | None:
    """The reject by which an endpoint says that it wants no more of this, or nothing any more; None if it does not."""
    if "disable" in wish:
        return Outcome(OutcomeKind.REJECT, "disable", _UNWANTED, disable=_UNWANTED if rules.disables else None)
    if "abort-message" in wish:
        message = f"the endpoint answered {status} with `webhook-delivery: abort-message`: no retries"
        return Outcome(OutcomeKind.REJECT, "abort-message", message)
    if status == GONE and not (rules.retry_on is not None and GONE in rules.retry_on.statuses):
        message = "the endpoint answered 410 Gone: it wants no more of these"
        return Outcome(OutcomeKind.REJECT, "gone", message, disable=message if rules.disables else None)
    return None


def _words(header: str) -> frozenset[str]:
    return frozenset(word.strip().lower() for word in header.split(","))
