"""The keys that sign, and the signature header that they make."""

from __future__ import annotations

import binascii
import functools
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hookrt.signing import ed25519
from hookrt.signing.secret_text import PRIVATE, PUBLIC, SYMMETRIC, decode_symmetric, encode


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of one signature version; its bytes are never printed.

    `signature` gives the raw signature over what is signed.
    """

    version: str
    _bytes: bytes = field(repr=False)
    signature: Callable[[bytes], bytes] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, secret: str) -> SigningKey:
        """The key of a secret written as `whsec_` (v1) or `whsk_` (v1a) and base64; decoded once for each text.

        Raises ValueError, which says what is wrong and how to make one, and never shows the secret.
        """
        return _parse(secret)


def new_secret() -> str:
    """A fresh random secret for `v1`, `whsec_` and the base64 of 32 bytes."""
    return encode(SYMMETRIC, secrets.token_bytes(32))


def new_key_pair() -> tuple[str, str]:
    """A fresh random pair for `v1a`: the private key `whsk_...` and the public one `whpk_...`.

    Raises ValueError naming the extra `hookrt[ed25519]` where it is not installed.
    """
    made = ed25519.PrivateKey.from_seed(secrets.token_bytes(32))
    return made.text, made.public.text


def sign(keys: Sequence[SigningKey], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one `v1,...` or `v1a,...` for each key, separated by spaces.

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
    if secret.startswith(PUBLIC):
        raise ValueError("this is a public key, which only verifies: sign with its private half, whsk_...")
    if secret.startswith(PRIVATE):
        key = ed25519.PrivateKey.parse(secret)
        return SigningKey(ed25519.VERSION, key.public.raw, key.sign)
    raw = decode_symmetric(secret)
    return SigningKey("v1", raw, hmac_of(raw))


def hmac_of(key: bytes, algorithm: str = "sha256") -> Callable[[bytes], bytes]:
    """A function that gives the HMAC of a content.

    The HMAC is begun once: a copy of it is quicker than a new one. And `hmac.digest` gives the GIL away for every small
    text, which costs ten times its work when another thread waits for it.
    """
    begun = hmac.new(key, digestmod=algorithm)

    def digest(content: bytes) -> bytes:
        running = begun.copy()
        running.update(content)
        return running.digest()

    return digest
