"""The source `stripe`: events that Stripe sends to an endpoint, its own and those of connected accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hookrt.plugin import (
    Inbound,
    InboundSource,
    Received,
    Refused,
    Source,
    check_age,
    hmac_digests,
    impl,
    matches_any,
    seconds_of,
)
from hookrt.sources.reading import at, first_name, moment_of, name_of, require_object, type_of
from hookrt.sources.signed import TimedSettings

_HEADER = "stripe-signature"
_MOST_SIGNATURES = 32


class StripeSettings(TimedSettings):
    """What verifies events of Stripe: `secret` is the endpoint's signing secret, whole, with its whsec_."""


class Stripe(InboundSource[StripeSettings]):
    """Events of Stripe, verified by `Stripe-Signature`; the event's type is Stripe's own, `invoice.paid`."""

    name = "stripe"
    short = "secret"

    def receive(self, request: Inbound, settings: StripeSettings) -> Received:
        """The event as Stripe names it, also one that comes thin; raises Refused."""
        _verify(request, settings)
        payload = require_object(request.json())
        return Received(
            type=type_of(payload.get("type")),
            data=request.body,
            id=name_of(payload.get("id")),
            subject=first_name(at(payload, "data", "object", "id"), at(payload, "related_object", "id")),
            time=moment_of(payload.get("created")),
        )


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `stripe`."""
    return [Stripe]


@dataclass(frozen=True, slots=True)
class _Signature:
    """What the header says: the time as it was written, and the signatures of scheme v1."""

    timestamp: str
    signatures: tuple[str, ...]


def _verify(request: Inbound, settings: StripeSettings) -> None:
    header = _parse(request.require(_HEADER))
    sent = seconds_of(header.timestamp, f"t in {_HEADER}")
    content = header.timestamp.encode("ascii") + b"." + request.body
    expected = [digest.hex() for digest in hmac_digests("sha256", settings.plain_secrets, content)]
    matched = False
    for signature in header.signatures:
        matched |= matches_any(signature, expected)
    if not matched:
        raise Refused("bad-signature", f"no v1 in {_HEADER} matches: another signing secret, or a changed body")
    check_age(sent, request.received, settings.tolerance)


def _parse(header: str) -> _Signature:
    """The parts of the header; schemes other than v1 are left out, as Stripe asks, so that none weaker is taken."""
    items = [item.strip().partition("=")[::2] for item in header.split(",", _MOST_SIGNATURES)]
    times = [value for name, value in items if name == "t"]
    signatures = tuple(value for name, value in items if name == "v1")
    if len(times) != 1:
        raise Refused("malformed", f"the header {_HEADER} must have one t=")
    if not signatures:
        raise Refused("bad-signature", f"the header {_HEADER} has no signature v1")
    return _Signature(times[0], signatures)
