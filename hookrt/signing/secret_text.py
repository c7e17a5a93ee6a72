"""How secrets of the Standard Webhooks are written: a prefix that says what it is, and base64."""

from __future__ import annotations

import base64
import binascii

SYMMETRIC, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"
"""What a secret of `v1` starts with (it may be left out), and the two halves of an ed25519 key of `v1a`."""

MIN_BYTES, MAX_BYTES = 24, 64
"""How long a symmetric key is, by the specification."""

HOW = "make one with: hookrt secrets new"
HOW_ED25519 = "make one with: hookrt secrets new --scheme ed25519"


def decode_symmetric(secret: str) -> bytes:
    """The bytes of a `v1` secret; raises ValueError, which says what is wrong and never shows the secret."""
    if not secret:
        raise ValueError(f"the signing secret is empty; {HOW}")
    raw = decode(secret.removeprefix(SYMMETRIC))
    if raw is None:
        raise ValueError(f"the signing secret is not whsec_ and base64; {HOW}")
    if not MIN_BYTES <= len(raw) <= MAX_BYTES:
        raise ValueError(
            f"the signing secret has {len(raw)} bytes: it needs {MIN_BYTES} to {MAX_BYTES} random ones; {HOW}"
        )
    return raw


def encode(prefix: str, raw: bytes) -> str:
    """The prefix and the base64 of these bytes."""
    return prefix + base64.b64encode(raw).decode("ascii")


def decode(text: str) -> bytes | None:
    """The bytes of a base64 text, with or without its padding; None when it is none."""
    try:
        return base64.b64decode((text + "=" * (-len(text) % 4)).encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        return None
