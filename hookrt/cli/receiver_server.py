"""The receiver: takes any request, checks its Standard Webhooks signature, and hands it on to be shown.

Shared by `hookrt receiver` and `hookrt demo`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from hookrt.signing import VerificationError, verify

MAX_BODY = 8 * 1024 * 1024
"""Bytes of a request's body that are taken; more is answered 413."""


class Trust(StrEnum):
    """What the signature of a request says."""

    VERIFIED = "verified"
    REFUSED = "refused"
    UNSIGNED = "unsigned"
    """It carries none, and need not."""
    UNCHECKED = "unchecked"
    """There was no secret to check it with."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came in, and what its signature says; `why` tells why it was refused."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    trust: Trust
    why: str = ""
    answered: int = 204

    @property
    def message_id(self) -> str:
        """The `webhook-id`, empty where there is none."""
        return self.headers.get("webhook-id", "")


@dataclass(frozen=True, slots=True)
class Answer:
    """How requests are answered: with which status, after which delay."""

    status: int = 204
    delay: timedelta = timedelta(0)


@dataclass(slots=True)
class Receiver:
    """An ASGI app. Where `secrets` gives any, a request whose signature is not valid is answered 401.

    So is one without a signature, unless `unsigned_too`.
    """

    show: Callable[[Received], None]
    secrets: Callable[[], Sequence[str]] = tuple
    answer: Answer = field(default_factory=Answer)
    unsigned_too: bool = False

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Take one request."""
        if scope["type"] != "http":
            return
        body = await _read_body(receive)
        if body is None:
            await _respond(send, 413, "the body is too large for this receiver\n")
            return
        received = self._judge(scope, body)
        self.show(received)
        if self.answer.delay:
            await asyncio.sleep(self.answer.delay.total_seconds())
        await _respond(send, received.answered, f"{received.why}\n" if received.why else "")

    def _judge(self, scope: Mapping[str, Any], body: bytes) -> Received:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        target = scope["path"] + (f"?{query}" if query else "")
        trust, why = self._verify(headers, body)
        status = 401 if trust is Trust.REFUSED else self.answer.status
        return Received(scope["method"], target, headers, body, trust, why, status)

    def _verify(self, headers: Mapping[str, str], body: bytes) -> tuple[Trust, str]:
        secrets = self.secrets()
        if self.unsigned_too and "webhook-signature" not in headers:
            return Trust.UNSIGNED, ""
        if not secrets:
            return Trust.UNCHECKED, ""
        try:
            verify(headers, body, secrets)
        except VerificationError as error:
            return Trust.REFUSED, str(error)
        return Trust.VERIFIED, ""


async def _read_body(receive: Any) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


async def _respond(send: Any, status: int, text: str) -> None:
    body = b"" if status in {204, 304} else text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8")] if body else []
    if status not in {204, 304}:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
