"""What verifiers of webhooks share: comparing in constant time, and judging the age of a request."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

from hookrt.plugin.refusal import Refused
from hookrt.plugin.settings import format_duration

_LONGEST_TIMESTAMP = 13  # digits of seconds or milliseconds; reaches the year 2286, and keeps a hostile number short


def matches_any(given: str | bytes, expected: Iterable[str | bytes]) -> bool:
    """Whether it is one of those; all are compared, in constant time, so that the time tells nothing."""
    one, matched = _as_bytes(given), False
    for other in expected:
        matched |= hmac.compare_digest(one, _as_bytes(other))
    return matched


def hmac_digests(algorithm: str, secrets: Iterable[str | bytes], content: bytes) -> list[bytes]:
    """The HMAC of this content with each of the secrets, texts as their UTF-8 bytes."""
    return [hmac.new(_as_bytes(secret), content, algorithm).digest() for secret in secrets]


def seconds_of(text: str, what: str) -> int:
    """A time in Unix seconds; raises Refused, naming what it is, when the text is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_TIMESTAMP):
        raise Refused("malformed", f"{what} is not a number of seconds since 1970")
    return int(text)


def check_age(sent: float | datetime, received: datetime, tolerance: timedelta) -> None:
    """Raise Refused for a request that was sent (Unix seconds, or an aware time) too long ago, or lies ahead."""
    seconds = sent.timestamp() if isinstance(sent, datetime) else sent
    age = received.timestamp() - seconds
    if age > tolerance.total_seconds():
        raise Refused(
            "too-old", f"the request was signed {age:.0f} s ago, more than {format_duration(tolerance)} is allowed"
        )
    if age < -tolerance.total_seconds():
        raise Refused("too-old", f"the request's time lies {-age:.0f} s ahead: check both clocks")


def _as_bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
