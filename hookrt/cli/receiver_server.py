"""The receiver: takes any request, has it judged, hands it on to be shown, and answers it.

Shared by `hookrt receiver` and `hookrt demo`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from hookrt.model.event import EventDraft
from hookrt.plugin.inbound import Inbound, Reply
from hookrt.signing import VerificationError, verify
from hookrt.web.answer import send_reply
from hookrt.web.inbound import read_request
from hookrt.web.problem import Refusal

MAX_BODY = 25 * 1024 * 1024
"""Bytes of a request's body that are taken, as many as any sender allows itself; more is answered 413."""

_MOST_KNOWN = 10_000
_TEXT = "text/plain; charset=utf-8"


class Trust(StrEnum):
    """What the signature of a request says."""

    VERIFIED = "verified"
    REFUSED = "refused"
    UNSIGNED = "unsigned"
    """It carries none, and need not."""
    UNCHECKED = "unchecked"
    """There was no secret to check it with."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a request is found to be.

    One that is refused has a `why` in words, a `reason` in one, and the `status` of its answer. `scheme` says by which
    rules it was judged, `events` what it stands for, `sent` the time that its signature carries. `reply` is the answer
    that it must get, to a challenge, say; `usual` how its sender is answered otherwise.
    """

    trust: Trust
    why: str = ""
    reason: str = ""
    status: int = HTTPStatus.UNAUTHORIZED
    headers: Mapping[str, str] = field(default_factory=dict)
    scheme: str = ""
    events: tuple[EventDraft, ...] = ()
    sent: datetime | None = None
    reply: Reply | None = None
    usual: Reply | None = None


Judge = Callable[[Inbound], Judgement]
"""Judges requests; never fails."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came in, what it is found to be, how often it was `seen`, and what it was answered."""

    request: Inbound
    target: str
    judgement: Judgement
    seen: int
    answered: int

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.request.method

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case."""
        return self.request.headers

    @property
    def body(self) -> bytes:
        """The body as it came."""
        return self.request.body

    @property
    def trust(self) -> Trust:
        """What its signature says."""
        return self.judgement.trust

    @property
    def why(self) -> str:
        """Why it was refused; empty where it was not."""
        return self.judgement.why

    @property
    def message_id(self) -> str:
        """The `webhook-id`, empty where there is none."""
        return self.headers.get("webhook-id", "")

    @property
    def age(self) -> timedelta | None:
        """How long ago it was signed, as far as it says so."""
        sent = self.judgement.sent
        return None if sent is None else self.request.received - sent


@dataclass(frozen=True, slots=True)
class Answer:
    """How requests are answered: with which status, after which delay, and 500 so many times before.

    Without a status it is 204, or what the sender expects.
    """

    status: int | None = None
    delay: timedelta = timedelta(0)
    fail: int = 0


@dataclass(slots=True)
class StandardJudge:
    """Judges by the Standard Webhooks alone. Where `secrets` gives any, a signature must be valid; and so must there be
    one, unless `unsigned_too`.
    """

    secrets: Callable[[], Sequence[str]] = tuple
    unsigned_too: bool = False

    def __call__(self, request: Inbound) -> Judgement:
        """What the signature says."""
        secrets = self.secrets()
        if self.unsigned_too and "webhook-signature" not in request.headers:
            return Judgement(Trust.UNSIGNED)
        if not secrets:
            return Judgement(Trust.UNCHECKED)
        try:
            verify(request.headers, request.body, secrets)
        except VerificationError as error:
            return Judgement(Trust.REFUSED, str(error), "bad-signature")
        return Judgement(Trust.VERIFIED)


@dataclass(slots=True)
class Receiver:
    """An ASGI app. A request that `judge` refuses is answered so, every other as `answer` says."""

    show: Callable[[Received], None]
    judge: Judge
    answer: Answer = field(default_factory=Answer)
    _known: OrderedDict[str, int] = field(default_factory=OrderedDict)

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Take one request."""
        if scope["type"] != "http":
            return
        body = await _read_body(receive)
        if body is None:
            told = "the body is too large for this receiver"
            await send_reply(send, _told(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told))
            return
        try:
            request = read_request(scope, body, datetime.now(UTC))
        except Refusal as refusal:
            await send_reply(send, _told(refusal.document.status, refusal.document.detail))
            return
        judgement = self.judge(request)
        seen = self._count(request, judgement)
        reply = self._reply(judgement, seen)
        self.show(Received(request, _target(scope), judgement, seen, reply.status))
        if self.answer.delay:
            await asyncio.sleep(self.answer.delay.total_seconds())
        await send_reply(send, reply)

    def _reply(self, judgement: Judgement, seen: int) -> Reply:
        if judgement.trust is Trust.REFUSED:
            return _told(judgement.status, judgement.why, judgement.headers)
        if seen <= self.answer.fail:
            return _told(HTTPStatus.INTERNAL_SERVER_ERROR, "this receiver was told to fail (--fail)")
        if judgement.reply is not None:
            return judgement.reply
        if self.answer.status is not None:
            return Reply(self.answer.status)
        return judgement.usual or Reply(HTTPStatus.NO_CONTENT)

    def _count(self, request: Inbound, judgement: Judgement) -> int:
        """How often this message came, this time included; one that is refused counts for nothing."""
        if judgement.trust is Trust.REFUSED:
            return 1
        key = _identity(request, judgement)
        self._known[key] = self._known.pop(key, 0) + 1
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return self._known[key]


def _identity(request: Inbound, judgement: Judgement) -> str:
    """What a repeated message has in common with the first."""
    known = judgement.events[0].id if judgement.events else request.headers.get("webhook-id")
    return known or f"{request.method} {request.url} {hashlib.sha256(request.body).hexdigest()}"


def _target(scope: Mapping[str, Any]) -> str:
    query = scope["query_string"].decode("latin-1")
    return str(scope["path"]) + (f"?{query}" if query else "")


def _told(status: int, text: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {"content-type": _TEXT, **(headers or {})}, f"{text}\n".encode())


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
