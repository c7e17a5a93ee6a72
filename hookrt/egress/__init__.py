"""The one way out: requests to judged and pinned addresses only, without proxies, redirects or unbounded answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hookrt.egress.call import HttpCall
from hookrt.egress.gate import Gate
from hookrt.egress.names import Resolver
from hookrt.egress.rules import EgressRules
from hookrt.egress.stubbed import Answering, StubbedCall
from hookrt.egress.unsent import UnsentCall
from hookrt.egress.ways import Remember

__all__ = ["Egress", "EgressRules", "Resolver"]


class Egress:
    """Hands out the way out, one for each attempt; all of them share connections, names and rules.

    `mask` puts `***` in place of the secrets in a text. `resolver` replaces the system's way to find the addresses
    of a name. `remember` is told each token that is fetched for a destination, by the destination's name, so that it
    is masked from then on. It belongs to the event loop in which it is first used; after `close`, `reopen` it for
    another one.
    """

    def __init__(
        self,
        rules: EgressRules,
        mask: Callable[[str], str],
        resolver: Resolver | None = None,
        remember: Remember = lambda name, token: None,
    ) -> None:
        self._make_gate = partial(Gate, rules, resolver, remember)
        self._gate = self._make_gate()
        self._mask = mask

    def http_for(self, trusted_origins: tuple[str, ...], timeout_s: float) -> HttpCall:
        """The way out of one attempt that ends in `timeout_s` seconds.

        `trusted_origins` are the origins that the operator wrote out (`model.origin.written_origin`): local ones
        among them may be reached although they are not public.
        """
        return HttpCall(self._gate, self._mask, trusted_origins, timeout_s)

    def unsent_for(self, trusted_origins: tuple[str, ...], timeout_s: float) -> HttpCall:
        """As `http_for`, but it sends nothing: `exchange` is the request as it would be recorded."""
        return UnsentCall(self._gate, self._mask, trusted_origins, timeout_s)

    def stubbed_for(self, trusted_origins: tuple[str, ...], timeout_s: float, answering: Answering) -> HttpCall:
        """As `http_for`, but it sends nothing either: `answering` says what comes back."""
        return StubbedCall(self._gate, self._mask, trusted_origins, timeout_s).answered_by(answering)

    def reopen(self) -> None:
        """Forget every connection and name, so that it can be used again, in any event loop."""
        self._gate = self._make_gate()

    async def close(self) -> None:
        """Close every connection; requests under way fail with `reset`."""
        await self._gate.close()
