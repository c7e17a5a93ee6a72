"""The asymmetric signatures of version `v1a`: ed25519, by the package `cryptography`, which is an extra.

It is imported when a key is made, so that those who need none need not install it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType

from hookrt.signing.secret_text import HOW_ED25519, PRIVATE, PUBLIC, decode, encode

VERSION = "v1a"
"""The version of these signatures."""

_SEED_BYTES = _PUBLIC_BYTES = 32
_MISSING = "ed25519 keys (whsk_, whpk_) need the package cryptography: pip install 'hookrt[ed25519]'"


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that signs; it knows its public half. Its bytes are never printed."""

    _seed: bytes = field(repr=False)
    public: PublicKey = field(repr=False, compare=False)
    sign: Callable[[bytes], bytes] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, secret: str) -> PrivateKey:
        """The key written as `whsk_` and the base64 of seed and public key (64 bytes), or of the seed alone.

        Raises ValueError, which says what is wrong and never shows the key.
        """
        raw = decode(secret.removeprefix(PRIVATE))
        if raw is None or len(raw) not in (_SEED_BYTES, _SEED_BYTES + _PUBLIC_BYTES):
            raise ValueError(f"the private key is not whsk_ and the base64 of 64 bytes; {HOW_ED25519}")
        key = cls.from_seed(raw[:_SEED_BYTES])
        if raw[_SEED_BYTES:] not in (b"", key.public.raw):
            raise ValueError(f"the halves of the private key do not belong together; {HOW_ED25519}")
        return key

    @classmethod
    def from_seed(cls, seed: bytes) -> PrivateKey:
        """The key of a seed of 32 bytes; raises ValueError where the extra is not installed."""
        made = _library().Ed25519PrivateKey.from_private_bytes(seed)
        public = PublicKey(made.public_key().public_bytes_raw())
        return cls(seed, public, made.sign)

    @property
    def text(self) -> str:
        """How it is written: a secret."""
        return encode(PRIVATE, self._seed + self.public.raw)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that verifies; everybody may know it."""

    raw: bytes

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """The key written as `whpk_` and the base64 of its 32 bytes; raises ValueError."""
        raw = decode(text.removeprefix(PUBLIC))
        if raw is None or len(raw) != _PUBLIC_BYTES:
            raise ValueError("the public key is not whpk_ and the base64 of 32 bytes: ask the sender for it")
        _library()
        return cls(raw)

    def matches(self, signature: bytes, content: bytes) -> bool:
        """Whether its private half made this signature over this content."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra

        try:
            _library().Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, content)
        except (InvalidSignature, ValueError):  # the latter for 32 bytes that are no point of the curve
            return False
        return True

    @property
    def text(self) -> str:
        """How it is written."""
        return encode(PUBLIC, self.raw)


def _library() -> ModuleType:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - an extra
    except ImportError:
        raise ValueError(_MISSING) from None
    return ed25519
