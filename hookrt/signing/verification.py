"""Verifying a signed webhook, for those who receive one."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from hookrt.errors import HookrtError
from hookrt.signing import ed25519
from hookrt.signing.body_schemes import BODY_SCHEMES, BodyScheme
from hookrt.signing.key import SigningKey, signed_content
from hookrt.signing.secret_text import PRIVATE, PUBLIC, decode

DEFAULT_TOLERANCE = timedelta(minutes=5)
"""How far a timestamp may lie from now, both ways."""

MAX_SIGNATURES = 32
"""Signatures of a version that are looked at; more would only cost time, since no sender has so many secrets."""

MAX_CHECKS = 8
"""Likewise of `v1a`: each of them costs as much as reading the whole body, and is made for whoever asks."""

_LONGEST_TIMESTAMP = 12  # digits; reaches 30,000 years ahead, and keeps a hostile number short

VerifiedScheme = Literal["standard", "logto", "github"]
"""The schemes that `verify` knows: the Standard Webhooks (v1 and v1a), and those that sign the body alone."""


class VerificationError(HookrtError):
    """A webhook is not what it claims to be.

    `reason` is `missing-header`, `bad-timestamp`, `too-old`, `too-new` or `no-match`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def verify(  # noqa: PLR0913 - the headers, the body and the secrets; all else by name
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str] | str,
    *,
    scheme: VerifiedScheme = "standard",
    now: datetime | None = None,
    tolerance: timedelta = DEFAULT_TOLERANCE,
) -> None:
    """Return when one of the secrets signed this body, and the timestamp lies within `tolerance` of `now`.

    `body` is the request's body as it came, before any decoding. Header names are looked up without regard to case.
    Several secrets serve a rotation. By the Standard Webhooks a secret is `whsec_...` or, for ed25519, the sender's
    public key `whpk_...`; signatures of unknown versions and malformed ones are skipped. `logto` and `github` sign
    nothing but the body: there is no time to judge, so that an old request can be sent again. Raises VerificationError
    with a `reason`; ValueError for a secret that is none, TypeError for a body that is text.
    """
    if hasattr(body, "encode"):
        raise TypeError("verify() needs the body's bytes as they came, not decoded text")
    known = [secrets] if isinstance(secrets, str) else list(secrets)
    if not known:
        raise ValueError("verify() needs at least one secret")
    found = {name.lower(): value for name, value in headers.items()}
    if scheme == "standard":
        _verify_standard(found, body, [_parse(secret) for secret in known], (now or datetime.now(UTC), tolerance))
    elif scheme in BODY_SCHEMES:
        _verify_body(found, body, known, BODY_SCHEMES[scheme])
    else:
        raise ValueError(f"verify() knows no scheme {scheme!r}: there are standard, {', '.join(BODY_SCHEMES)}")


def _verify_standard(
    headers: Mapping[str, str], body: bytes, keys: Sequence[_Key], when: tuple[datetime, timedelta]
) -> None:
    message_id, timestamp = _require(headers, "webhook-id"), _require(headers, "webhook-timestamp")
    signatures = _require(headers, "webhook-signature")
    if "." in message_id:  # else what is signed could be cut into another id, time and body
        raise VerificationError("no-match", "webhook-id has a '.' in it, which the Standard Webhooks do not allow")
    _check_time(timestamp, *when)
    if not _any_matches(keys, signed_content(message_id, timestamp, body), signatures):
        raise VerificationError("no-match", _NO_MATCH)


def _verify_body(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], scheme: BodyScheme) -> None:
    if not all(secrets):
        raise ValueError("a secret is empty")
    value = _require(headers, scheme.header)
    if not (scheme.is_signature(value) and scheme.matches(value, secrets, body)):
        raise VerificationError("no-match", _NO_MATCH)


_NO_MATCH = "no signature of this webhook matches: another secret, or a changed body"


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
        raise VerificationError(
            "too-old", f"the webhook was sent {age:.0f} s ago, more than {tolerance.total_seconds():.0f} s is allowed"
        )
    if age < -tolerance.total_seconds():
        raise VerificationError("too-new", f"the webhook's time lies {-age:.0f} s ahead: check both clocks")


_Match = Callable[[bytes], bool]
_Key = tuple[str, Callable[[bytes], _Match]]
"""The version of a key, and what gives for a content the function that knows its signature."""


def _parse(secret: str) -> _Key:
    """Raises ValueError for a secret that is none."""
    if secret.startswith((PUBLIC, PRIVATE)):
        public = secret.startswith(PUBLIC)
        key = ed25519.PublicKey.parse(secret) if public else ed25519.PrivateKey.parse(secret).public
        return ed25519.VERSION, lambda content: lambda signature: key.matches(signature, content)
    symmetric = SigningKey.parse(secret)
    return symmetric.version, lambda content: _equal_to(symmetric.signature(content))


def _equal_to(expected: bytes) -> _Match:
    return lambda signature: hmac.compare_digest(signature, expected)


def _any_matches(keys: Sequence[_Key], content: bytes, header: str) -> bool:
    """Every pair is compared, so that the time says nothing of which one fits."""
    given = _by_version(header.split(), {version for version, _ in keys})
    matched = False
    for version, matcher in keys:
        fits = matcher(content)
        for signature in given[version]:
            matched |= fits(signature)
    return matched


def _by_version(items: Iterable[str], versions: Iterable[str]) -> dict[str, list[bytes]]:
    """The signatures of the versions that are known; malformed ones are left out."""
    found: dict[str, list[bytes]] = {version: [] for version in versions}
    for item in items:
        version, _, text = item.partition(",")
        signature = decode(text) if version in found and text else None
        most = MAX_CHECKS if version == ed25519.VERSION else MAX_SIGNATURES
        if signature and len(found[version]) < most:
            found[version].append(signature)
    return found
