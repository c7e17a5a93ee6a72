"""How a source refuses a request that came in."""

from __future__ import annotations

from collections.abc import Mapping

REFUSALS: Mapping[str, int] = {"bad-signature": 401, "too-old": 401, "malformed": 400, "too-large": 413}
"""Why a request is refused, and the HTTP status that says so."""


class Refused(Exception):  # noqa: N818 - the sender's fault, which becomes an answer
    """A request is not what it claims to be. `reason` is one of `REFUSALS`.

    `message` goes to the sender and into the log: it never holds the secret, nor the signature that was expected.
    `headers` go with the answer, `{"www-authenticate": "Basic"}`, say.
    """

    def __init__(self, reason: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        if reason not in REFUSALS:
            raise ValueError(f"a request is refused for one of {', '.join(REFUSALS)}, not for {reason!r}")
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.headers: Mapping[str, str] = headers or {}
