"""The way out of an attempt whose lane does not say where it leads: each request passes the gate of its own origin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

from hookrt.delivery.endpoint_watch import FAILURES, NO_SIGN, EndpointWatch, Refused, Sign
from hookrt.delivery.gate import RATE_LIMITED, Gate
from hookrt.delivery.lane import Job
from hookrt.delivery.run_attempt import Ended
from hookrt.delivery.wrapped_http import WrappedHttp
from hookrt.model.outcome import OutcomeKind
from hookrt.plugin.protocols import Http, HttpError, Response

HASTY = timedelta(seconds=1)
"""A timeout of a request that is shorter says nothing about the endpoint. Who chooses it (a snippet, say) would else
have a breaker open that others need.
"""

_WHY = {
    "breaker-open": "too many attempts failed there",
    "lane-resting": "it asked for a rest",
    "rate-limited": "its rate is used up",
}


class GuardedHttp(WrappedHttp):
    """Keeps the promises of `hookrt.plugin.Http`, by way of another one, for one attempt.

    A request that its gate refuses raises HttpError with the refusal's reason. `offers` says that the attempt comes
    back for a start that it is promised, `hasty` that its own timeout is as HASTY says. No gate watches
    connections of other protocols.
    """

    __slots__ = ("_hasty", "_job", "_offers", "_origin", "_promised", "_refused", "_watch")

    def __init__(self, watch: EndpointWatch, job: Job, *, offers: bool = True, hasty: bool = False) -> None:
        self._watch = watch
        self._job = job
        self._offers = offers
        self._hasty = hasty
        self._promised = job.delivery.reason == RATE_LIMITED
        self._origin: str | None = None  # where the last request went
        self._refused: Refused | None = None

    def around(self, http: Http) -> Self:
        """This guard before that way out."""
        self._http = http
        return self

    def ended(self, gate: Gate, turn: int, ended: Ended) -> Refused | None:
        """The attempt is over; `gate` is its lane's. What kept it from sending anything at all: then nothing has
        happened, and the attempt need not be spent.
        """
        if self._origin is None:
            self._watch.ended(gate, turn, ended, self._job)
            return None if ended.outcome.kind is OutcomeKind.DONE else self._refused
        self._watch.attempted(gate, turn, NO_SIGN, self._job)
        if ended.outcome.slow_down is not None:
            self._watch.overloaded(self._watch.gates.for_troubled(self._origin), ended.outcome.slow_down)
        return None

    async def send(self, method: str, url: str, **options: Any) -> Response:
        """Send one request, if its origin's gate lets it pass; raises HttpError."""
        origin = self._watch.gates.origin(url)
        if origin is None:  # no URL, as the way out will say
            return await self._http.send(method, url, **options)
        gate = self._watch.gates.for_origin(origin)
        if gate is not None and gate.watchful:
            self._pass(gate)
        self._origin = origin
        turn = gate.turn if gate is not None else 0
        try:
            response = await self._http.send(method, url, **options)
        except HttpError as error:
            self._tell(origin, gate, turn, _sign_of(error, options.get("timeout"), hasty=self._hasty))
            raise
        except BaseException:
            self._tell(origin, gate, turn, NO_SIGN)
            raise
        self._tell(origin, gate, turn, Sign(response.status_code < 500, "status"))
        return response

    def _pass(self, gate: Gate) -> None:
        refusal = gate.begin_unbooked(self._watch.gates.now(), promised=self._promised, offers=self._offers)
        self._watch.look_at(gate, self._job)
        if refusal is None:
            return
        self._refused = Refused(gate, refusal)
        raise HttpError(refusal.reason, f"nothing is sent to {gate.name} now: {_WHY[refusal.reason]}")

    def _tell(self, origin: str, gate: Gate | None, turn: int, sign: Sign) -> None:
        """Of an origin that nobody knows a failure is worth a gate, and only that."""
        if gate is None and sign.answers is False:
            gate = self._watch.gates.for_troubled(origin)
        if gate is not None:
            self._watch.attempted(gate, turn, sign, self._job)
            self._watch.gates.let_go(origin, gate)


def _sign_of(error: HttpError, timeout: timedelta | None, *, hasty: bool) -> Sign:
    hasty = error.reason == "timeout" and (hasty or (timeout is not None and timeout < HASTY))
    return Sign(False if error.reason in FAILURES and not hasty else None, error.reason)
