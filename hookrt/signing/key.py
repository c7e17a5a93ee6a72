"""The keys that sign, how they are written, and the signature header that they make."""

from __future__ import annotations

import base64
import binascii
import functools
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

PREFIX = "whsec_"
"""What a symmetric secret starts with; it may be left out."""

MIN_BYTES, MAX_BYTES = 24, 64
"""How long a key is, by the specification."""

_HOW = "make one with: echo whsec_$(openssl rand -base64 32)"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of one signature version; its bytes are never printed.

    Only `v1` exists so far. Another version is another class with the same two members, told apart by its prefix
    in `parse`.
    """

    version: str
    _bytes: bytes = field(repr=False)
    _begun: hmac.HMAC = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Begin the HMAC once: a copy of it is quicker than a new one.

        And `hmac.digest` gives the GIL away for every small text, which costs ten times its work when another
        thread waits for it.
        """
        object.__setattr__(self, "_begun", hmac.new(self._bytes, digestmod="sha256"))

    @classmethod
    def parse(cls, secret: str) -> SigningKey:
        """The key of a secret written as `whsec_` and base64; decoded once for each text.

        Raises ValueError, which says what is wrong and how to make one, and never shows the secret.
        """
        return _parse(secret)

    def signature(self, content: bytes) -> bytes:
        """The raw signature over what is signed."""
        running = self._begun.copy()
        running.update(content)
        return running.digest()


def new_secret() -> str:
    """A fresh random secret, `whsec_` and the base64 of 32 bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def sign(keys: Sequence[SigningKey], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one `v1,...` for each key, separated by spaces.

    `timestamp` is in Unix seconds. Raises ValueError for a message id with a `.`, which would make the signed text
    ambiguous.
    """
    if "." in message_id:
        raise ValueError("a message id must not contain '.'")
    content = signed_content(message_id, str(timestamp), body)
    return " ".join([f"{key.version},{_encode(key.signature(content))}" for key in keys])


def signed_content(message_id: str, timestamp: str, body: bytes) -> bytes:
    """The bytes that are signed."""
    return f"{message_id}.{timestamp}.".encode("utf-8", "surrogatepass") + body


def _encode(signature: bytes) -> str:
    return binascii.b2a_base64(signature, newline=False).decode("ascii")


@functools.lru_cache(maxsize=1024)
def _parse(secret: str) -> SigningKey:
    if not secret:
        raise ValueError(f"the signing secret is empty; {_HOW}")
    if secret.startswith(("whsk_", "whpk_")):
        raise ValueError(f"this is an ed25519 key (version v1a), which cannot sign v1; {_HOW}")
    text = secret.removeprefix(PREFIX)
    try:
        raw = base64.b64decode((text + "=" * (-len(text) % 4)).encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise ValueError(f"the signing secret is not whsec_ and base64; {_HOW}") from None
    if not MIN_BYTES <= len(raw) <= MAX_BYTES:
        raise ValueError(
            f"the signing secret has {len(raw)} bytes: it needs {MIN_BYTES} to {MAX_BYTES} random ones; {_HOW}"
        )
    return SigningKey("v1", raw)
