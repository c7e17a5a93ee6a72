"""Verifying a signed webhook, for those who receive one."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from hookrt.errors import HookrtError
from hookrt.signing.key import SigningKey, signed_content

DEFAULT_TOLERANCE = timedelta(minutes=5)
"""How far a timestamp may lie from now, both ways."""

_LONGEST_TIMESTAMP = 12  # digits; reaches 30,000 years ahead, and keeps a hostile number short


class VerificationError(HookrtError):
    """A webhook is not what it claims to be.

    `reason` is `missing-header`, `bad-timestamp`, `too-old`, `too-new` or `no-match`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str] | str,
    *,
    now: datetime | None = None,
    tolerance: timedelta = DEFAULT_TOLERANCE,
) -> None:
    """Return when one of the secrets signed this body, and the timestamp lies within `tolerance` of `now`.

    `body` is the request's body as it came, before any decoding. Header names are looked up without regard to case.
    Signatures of unknown versions and malformed ones are skipped. Several secrets serve a rotation. Raises
    VerificationError with a `reason`; ValueError for a secret that is none, TypeError for a body that is text.
    """
    if hasattr(body, "encode"):
        raise TypeError("verify() needs the body's bytes as they came, not decoded text")
    keys = [SigningKey.parse(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    if not keys:
        raise ValueError("verify() needs at least one secret")
    found = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp = _require(found, "webhook-id"), _require(found, "webhook-timestamp")
    signatures = _require(found, "webhook-signature")
    _check_time(timestamp, now or datetime.now(UTC), tolerance)
    if not _any_matches(keys, signed_content(message_id, timestamp, body), signatures):
        raise VerificationError("no-match", "no signature of this webhook matches: another secret, or a changed body")


def _require(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise VerificationError("missing-header", f"the header {name} is missing")
    return value


def _check_time(timestamp: str, now: datetime, tolerance: timedelta) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIMESTAMP):
        raise VerificationError("bad-timestamp", "webhook-timestamp is not a number of seconds since 1970")
    age = now.timestamp() - int(timestamp)
    if age > tolerance.total_seconds():
        raise VerificationError("too-old", f"the webhook was sent {age:.0f} s ago, more than {tolerance} is allowed")
    if age < -tolerance.total_seconds():
        raise VerificationError("too-new", f"the webhook's time lies {-age:.0f} s ahead: check both clocks")


def _any_matches(keys: Sequence[SigningKey], content: bytes, header: str) -> bool:
    expected = [(key.version, key.signature(content)) for key in keys]
    matched = False
    for item in header.split():
        version, _, encoded = item.partition(",")
        signature = _decode(encoded)
        for known, wanted in expected:  # every pair is compared, so that the time says nothing of which one fits
            matched |= version == known and hmac.compare_digest(signature, wanted)
    return matched


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        return b""
