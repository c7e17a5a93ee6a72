"""Identifiers: sortable by time for rows, derived by hash where a repetition must give the same one."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32, lower case: no i, l, o, u
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_PAIR_SHIFTS = range(120, -1, -10)
_HASH_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"  # RFC 4648's base32, lower case
_HASH_PAIRS = tuple(first + second for first in _HASH_ALPHABET for second in _HASH_ALPHABET)
_HASH_SHIFTS = range(250, -1, -10)


class IdSource:
    """Makes identifiers like `evt_01jd...`: a prefix, 48 bits of milliseconds, 80 random bits.

    They sort by time of making. `random_bits` is injected, so that a seeded run repeats itself; by default it is a
    generator seeded by the system, since ids must be unique, not secret.
    """

    def __init__(self, now_us: Callable[[], int], random_bits: Callable[[int], int] | None = None) -> None:
        self._now_us = now_us
        self._random_bits = random_bits or random.Random().getrandbits  # noqa: S311 - unique, not secret

    def new(self, prefix: str) -> str:
        """A fresh identifier, `prefix` + `_` + 26 characters."""
        number = ((self._now_us() // 1000) & (1 << 48) - 1) << 80 | self._random_bits(80)
        return f"{prefix}_{_base32(number)}"

    def token(self) -> int:
        """A random positive 62-bit number that names one lease."""
        return self._random_bits(62)


def message_id(source: str, event_id: str, hook: str, step: str, salt: str = "") -> str:
    """The `webhook-id` and idempotency key of one step of one hook for one event.

    Equal over retries and replays of the same four names; `salt` makes a deliberately new one. It is `msg_`
    and the base32 SHA-256 over the length-prefixed parts, so that no two different tuples collide by joining.
    """
    digest = _hash_parts(source, event_id, hook, step, *([salt] if salt else []))
    return "msg_" + _plain32(digest)


def emitted_event_id(delivery: str, step: str, number: int) -> str:
    """The id of the `number`-th event that a step of a delivery emits: the same when the attempt is repeated."""
    return "evt_" + _plain32(_hash_parts(delivery, step, str(number)))


def derived_id(prefix: str, *parts: str) -> str:
    """An id that is the same for the same parts, in the form of those that IdSource makes: 26 characters."""
    return f"{prefix}_{_base32(int.from_bytes(_hash_parts(*parts)[:16], 'big'))}"


def _hash_parts(*parts: str) -> bytes:
    hashed = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        hashed.update(len(raw).to_bytes(8, "big"))
        hashed.update(raw)
    return hashed.digest()


def _plain32(digest: bytes) -> str:
    """A SHA-256 digest in base32 without padding, 52 characters; the library's own takes twice as long."""
    number = int.from_bytes(digest, "big") << 4
    return "".join([_HASH_PAIRS[number >> shift & 1023] for shift in _HASH_SHIFTS])


def _base32(number: int) -> str:
    """26 characters, two at a time, since an id is made for every event and every delivery."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in _PAIR_SHIFTS])
