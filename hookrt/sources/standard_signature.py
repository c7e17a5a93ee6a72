"""The signature of the Standard Webhooks, as sources verify it; an own scheme of some senders, and of many others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from hookrt.plugin import Inbound, Refused, VerificationError, verify

_REASONS = {
    "missing-header": "bad-signature",
    "no-match": "bad-signature",
    "bad-timestamp": "malformed",
    "too-old": "too-old",
    "too-new": "too-old",
}


def verify_signature(request: Inbound, secrets: Sequence[str], tolerance: timedelta) -> None:
    """Return when one of the secrets signed the request, and its time lies within `tolerance`; raises Refused."""
    try:
        verify(request.headers, request.body, secrets, now=request.received, tolerance=tolerance)
    except VerificationError as error:
        raise Refused(_REASONS.get(error.reason, "bad-signature"), str(error)) from None


def check_secrets(secrets: Iterable[str]) -> None:
    """Raise ValueError, without showing it, for a secret that can verify nothing."""
    for secret in secrets:
        try:
            verify({}, b"", secret)  # which looks at the secret first
        except VerificationError:
            continue
