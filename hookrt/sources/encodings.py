"""How keys and signatures are written as text."""

from __future__ import annotations

import base64
import binascii
from typing import Literal

Encoding = Literal["hex", "base64", "base64url"]
"""How bytes are written as text."""


def decode(text: str, encoding: Encoding) -> bytes | None:
    """The bytes of a text in this encoding, base64 also without its padding; None where it is none."""
    try:
        raw = text.encode("ascii")
        if encoding == "hex":
            return binascii.unhexlify(raw)
        padded = raw.rstrip(b"=") + b"=" * (-len(raw.rstrip(b"=")) % 4)
        return base64.b64decode(padded, altchars=b"-_" if encoding == "base64url" else None, validate=True)
    except (ValueError, binascii.Error):
        return None
