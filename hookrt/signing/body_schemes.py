"""Schemes that sign nothing but the body: an HMAC-SHA256 in hex in one header, as Logto and GitHub send it."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hookrt.signing.key import hmac_of

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BodyScheme:
    """The header that carries the signature, in lower case, and what stands before the 64 hex digits."""

    header: str
    prefix: str = ""

    def sign(self, secret: str, body: bytes) -> str:
        """The header's value; the key is the secret's text as UTF-8, whatever it looks like."""
        return self.prefix + hmac_of(secret.encode())(body).hex()

    def is_signature(self, value: str) -> bool:
        """Whether a header's value has the form of one signature, exactly."""
        return value.startswith(self.prefix) and _HEX.fullmatch(value[len(self.prefix) :]) is not None

    def matches(self, value: str, secrets: Sequence[str], body: bytes) -> bool:
        """Whether one of the secrets gives this value; all are compared, each in constant time."""
        matched = False
        for secret in secrets:
            matched |= hmac.compare_digest(value.encode("utf-8", "surrogatepass"), self.sign(secret, body).encode())
        return matched


BODY_SCHEMES: Mapping[str, BodyScheme] = {
    "logto": BodyScheme("logto-signature-sha-256"),
    "github": BodyScheme("x-hub-signature-256", "sha256="),
}
"""These schemes by name."""
