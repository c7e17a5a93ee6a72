"""The outcome: what an action says of one attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from hookrt.model.retry_after import parse_retry_after


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
    this hook, and why: the engine disables the hook. `logs` are lines for the attempt's log.
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
    def from_response(cls, response: ResponseLike, *, output: Any = None) -> Outcome:
        """The rules of `webhook` for any response: 2xx is done, 410 a reject, all else a retry.

        `Retry-After` (seconds or an HTTP date) is carried along. Redirects are never followed and are a failure
        with the reason `redirect`.
        """
        status = response.status_code
        if 200 <= status < 300:
            return cls.done(output)
        if status == 410:
            return cls.reject("gone", "the endpoint answered 410 Gone: it wants no more of these")
        if 300 <= status < 400:
            where = response.headers.get("location")
            return cls.retry("redirect", f"the endpoint answered {status}, a redirect to {where}; write the new URL")
        after = parse_retry_after(response.headers.get("retry-after"), response.headers.get("date"))
        return cls.retry("status", f"the endpoint answered {status}", after=after)
