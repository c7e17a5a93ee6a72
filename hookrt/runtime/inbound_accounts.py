"""What becomes of requests to sources: counted, logged where refused, and answered."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from hookrt.clock import from_us
from hookrt.delivery.ports import Ports
from hookrt.errors import EventError, HookrtError, Overloaded
from hookrt.model.problem_document import ProblemDocument, describe_error
from hookrt.plugin.inbound import Reply
from hookrt.plugin.inbound_settings import check_reply_headers
from hookrt.plugin.refusal import REFUSALS, Refused
from hookrt.runtime.inbound_reply import problem_reply

UNKNOWN = "unknown"
"""The source that requests are counted under which name none."""

MAX_TEXT = 500
"""Characters that are kept of why a source is away."""

_CHALLENGE = {401: {"www-authenticate": "Signature"}}
_FRAMES = 4


@dataclass(slots=True)
class InboundAccount:
    """What came in for one source since the start of this process; `outcomes` counts what became of it. `away` says
    why nothing comes in at the moment, of a source that fetches its events.
    """

    outcomes: dict[str, int] = field(default_factory=dict)
    last_accepted: datetime | None = None
    last_refused: datetime | None = None
    last_refusal: str | None = None
    away: str | None = None


class Accounts:
    """Keeps the account of each source; each method notes one request and gives its answer."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._accounts: dict[str, InboundAccount] = {}

    def of_sources(self) -> Mapping[str, InboundAccount]:
        """The accounts by source."""
        return self._accounts

    def accepted(self, name: str, *, duplicate: bool) -> None:
        """Its event is stored, or was before."""
        account = self._count(name, "duplicate" if duplicate else "accepted")
        account.last_accepted = self._now()

    def replied(self, name: str, reply: Reply) -> Reply:
        """The source answers it by itself."""
        check_reply_headers(dict(reply.headers))
        self._count(name, "replied")
        return reply

    def refused(self, name: str, refused: Refused) -> Reply:
        """It is not what it claims to be."""
        message = self._ports.mask(refused.message)
        self._note_refusal(name, refused.reason, message)
        status = REFUSALS[refused.reason]
        headers = {**_CHALLENGE.get(status, {}), **refused.headers}
        return problem_reply(ProblemDocument(status, refused.reason, message, headers=headers))

    def not_taken(self, name: str, error: HookrtError) -> Reply:
        """Its event is unfit, or cannot be stored now."""
        document = describe_error(error)
        if isinstance(error, EventError):
            self._note_refusal(name, document.kind, self._ports.mask(str(error)))
            return problem_reply(replace(document, detail=self._ports.mask(document.detail)))
        self._count(name, "overloaded" if isinstance(error, Overloaded) else "unavailable")
        self._ports.log.warning("inbound-not-taken", source=name, why=self._ports.mask(str(error)))
        return problem_reply(replace(document, status=503, headers={"retry-after": "5", **document.headers}))

    def failed(self, name: str, error: BaseException) -> Reply:
        """The plugin failed; what it says is told to nobody, since it may hold what was expected."""
        self._count(name, "failed")
        self._ports.log.error("inbound-failed", source=name, error=type(error).__name__, places=_places(error))
        detail = "the source could not read this request; the log of the service tells more"
        return problem_reply(ProblemDocument(500, "source-failed", detail))

    def unknown(self, name: str) -> Reply:
        """No source of this name takes requests."""
        self._ports.observer.request_received(UNKNOWN, "not-found")
        self._ports.log.warning("inbound-unknown", source=name[:64])
        detail = "no source of this name takes requests here; hooks.yaml declares them below `sources:`"
        return problem_reply(ProblemDocument(404, "not-found", detail))

    def wrong_method(self, name: str, method: str, allowed: Iterable[str]) -> Reply:
        """The source does not take this method."""
        self._note_refusal(name, "method-not-allowed", f"{method[:20]} cannot be used")
        allow = ", ".join(allowed)
        detail = f"{method[:20]} cannot be used here, only {allow}"
        return problem_reply(ProblemDocument(405, "method-not-allowed", detail, headers={"allow": allow}))

    def unfit(self, name: str, reason: str) -> None:
        """Something came in that is no event; it is counted, and not logged here."""
        account = self._count(name, reason)
        account.last_refused, account.last_refusal = self._now(), reason

    def away(self, name: str, why: str | None) -> None:
        """Why nothing comes in for this source now; None when it does again, or is not wanted any more."""
        if why is not None or name in self._accounts:
            self._accounts.setdefault(name, InboundAccount()).away = why and self._ports.mask(why)[:MAX_TEXT]

    def _note_refusal(self, name: str, reason: str, message: str) -> None:
        self.unfit(name, reason)
        self._ports.log.warning("inbound-refused", source=name, reason=reason, message=message)

    def _count(self, name: str, outcome: str) -> InboundAccount:
        account = self._accounts.setdefault(name, InboundAccount())
        account.outcomes[outcome] = account.outcomes.get(outcome, 0) + 1
        self._ports.observer.request_received(name, outcome)
        return account

    def _now(self) -> datetime:
        return from_us(self._ports.clock.now_us())


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
