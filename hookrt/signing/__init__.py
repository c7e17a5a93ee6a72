"""Signatures made and verified; pure, and fit for receivers too.

By the Standard Webhooks `{webhook-id}.{webhook-timestamp}.{body}` is signed, byte for byte. The header
`webhook-signature` holds one or several signatures, each `version,base64`, separated by spaces. Version `v1` is
HMAC-SHA256, `v1a` is ed25519. Logto and GitHub sign the body alone, with HMAC-SHA256 in hex.
"""

from __future__ import annotations

from hookrt.signing.body_schemes import BODY_SCHEMES, BodyScheme
from hookrt.signing.content import ContentTemplate
from hookrt.signing.key import SigningKey, hmac_of, new_key_pair, new_secret, sign
from hookrt.signing.verification import DEFAULT_TOLERANCE, VerificationError, VerifiedScheme, verify

__all__ = [
    "BODY_SCHEMES",
    "DEFAULT_TOLERANCE",
    "BodyScheme",
    "ContentTemplate",
    "SigningKey",
    "VerificationError",
    "VerifiedScheme",
    "hmac_of",
    "new_key_pair",
    "new_secret",
    "sign",
    "verify",
]
