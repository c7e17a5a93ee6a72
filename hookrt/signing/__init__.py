"""Signatures made and verified by the Standard Webhooks specification; pure, and fit for receivers too.

What is signed is `{webhook-id}.{webhook-timestamp}.{body}`, byte for byte. The header `webhook-signature` holds one or
several signatures, each `version,base64`, separated by spaces. Version `v1` is HMAC-SHA256.
"""

from __future__ import annotations

from hookrt.signing.key import SigningKey, new_secret, sign
from hookrt.signing.verification import VerificationError, verify

__all__ = ["SigningKey", "VerificationError", "new_secret", "sign", "verify"]
