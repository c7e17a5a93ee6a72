"""Requests as they were received, and the answers to give, for the receiver and for recorded HTTP alike."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Unpack
from urllib.parse import parse_qsl, urlsplit

import msgspec

from hookrt.signing import VerifiedScheme, verify
from hookrt.testing.expect import Expected, find_request


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as it came in; the names of headers are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path of the URL, without the query."""
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters, decoded; of a repeated one the last."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON; raises ValueError when it is none."""
        return msgspec.json.decode(self.body)

    def verify(
        self, secrets: Sequence[str] | str, now: datetime | None = None, scheme: VerifiedScheme = "standard"
    ) -> None:
        """Check its signature by this scheme; raises hookrt's VerificationError with the `reason`."""
        verify(self.headers, self.body, secrets, now=now, scheme=scheme)


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer: a status, headers, and a body as bytes, as text, or as `json`.

    With `fault` there is no answer: `timeout` never ends, `reset` closes the connection; recorded HTTP raises any
    reason that `hookrt.plugin.HttpError` knows.
    """

    status: int = 200
    body: bytes | str = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = ...
    fault: str | None = None

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        if self.json is not ...:
            return msgspec.json.encode(self.json)
        return self.body.encode() if isinstance(self.body, str) else self.body

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers, names in lower case, with the content type that follows from the kind of body."""
        given = {name.lower(): value for name, value in self.headers.items()}
        if self.json is not ...:
            return {"content-type": "application/json", **given}
        return {"content-type": "text/plain; charset=utf-8", **given} if isinstance(self.body, str) else given


AnswerMaker = Callable[[ReceivedRequest], Answer]


class Script:
    """Keeps the requests that came, and says what to answer; from any thread."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._requests: list[ReceivedRequest] = []
        self._answers: list[Answer | AnswerMaker] = [Answer()]

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """All requests so far, in order."""
        with self._arrived:
            return tuple(self._requests)

    def answer(self, *answers: Answer | AnswerMaker) -> None:
        """Give these answers to the next requests, one each, and the last one to all that follow.

        A function is asked with the request. Until this is called every request gets an empty 200.
        """
        if not answers:
            raise ValueError("answer() needs at least one answer")
        with self._arrived:
            self._answers = list(answers)

    def forget(self) -> None:
        """Forget the requests so far."""
        with self._arrived:
            self._requests.clear()

    def assert_received(self, **expected: Unpack[Expected]) -> ReceivedRequest:
        """The first request so far that is as expected: `assert_received(path="/x", json={...}, signed_with=secret)`.

        Raises AssertionError that says of each request what it has instead.
        """
        return find_request(self.requests, expected)

    def assert_nothing_received(self) -> None:
        """Raise AssertionError, which names them, when requests have come."""
        if found := self.requests:
            raise AssertionError("requests have come: " + ", ".join(f"{one.method} {one.path}" for one in found))

    def take(self, request: ReceivedRequest) -> Answer:
        """Keep a request and say what to answer it."""
        with self._arrived:
            self._requests.append(request)
            chosen = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
            self._arrived.notify_all()
        return chosen(request) if callable(chosen) else chosen

    def wait_for(self, count: int = 1, timeout: float = 10.0) -> tuple[ReceivedRequest, ...]:
        """Block until so many requests have come; raises TimeoutError saying how many did within `timeout` seconds."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._requests) >= count, timeout):
                raise TimeoutError(f"{len(self._requests)} of {count} requests came within {timeout:g} s")
            return tuple(self._requests)
