"""The network in memory: endpoints with moods, and the `Http` through which the actions reach them."""

from __future__ import annotations

import asyncio
import contextvars
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from hookrt.plugin.protocols import HttpError

WORLD = contextvars.Context()
"""The context of what no process does."""

GOOD = {"ok": 1.0}
"""The mood of an endpoint that works."""

BAD = {
    "ok": 3.0,
    "slow": 1.0,
    "hang": 0.5,
    "refused": 1.0,
    "reset-before": 0.5,
    "reset-after": 0.5,
    "error": 1.5,
    "busy": 1.0,
}
"""The mood of one that does not; `reset-after` has taken the request when the connection breaks."""

GONE = {"ok": 4.0, "gone": 1.0}
"""The mood of one that sometimes says that it wants no more, which disables the hook."""

HANGING = {"hang": 1.0}
"""The mood of one that never answers."""


@dataclass
class Response:
    """An answer as actions see it."""

    status_code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode()

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)


@dataclass
class Request:
    """A request under way. `answer` is what its sender waits for; `copy` says that the network made it."""

    url: str
    message_id: str
    answer: asyncio.Future[Response]
    copy: bool = False


class Network:
    """All endpoints by origin. `seen` is told of what they get, and what they say."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, chance: random.Random, seen: Callable[[str, Request], None]
    ) -> None:
        self._loop = loop
        self._chance = chance
        self._seen = seen
        self.moods: dict[str, Mapping[str, float]] = {}
        self.duplicates = 0.0
        self.taken: set[str] = set()

    def send(self, url: str, message_id: str, timeout_s: float) -> asyncio.Future[Response]:
        """Send a request; the future has the answer, or an HttpError."""
        answer: asyncio.Future[Response] = self._loop.create_future()
        request = Request(url, message_id, answer)
        self._later(timeout_s, self._fail, request, "timeout")
        self._later(self._latency(), self._arrive, request)
        if self._chance.random() < self.duplicates:
            self._later(self._chance.random() * 20, self._arrive, Request(url, message_id, answer, copy=True))
        return answer

    def _arrive(self, request: Request) -> None:
        mood = self.moods.get("{0.scheme}://{0.netloc}".format(urlsplit(request.url)), GOOD)
        [does] = self._chance.choices(list(mood), list(mood.values()))
        self._seen(does, request)
        if request.copy:
            return
        if does in {"ok", "slow", "reset-after"}:
            self.taken.add(request.message_id)
        if does in {"refused", "reset-before", "reset-after"}:
            self._later(self._latency(), self._fail, request, does.partition("-")[0])
        elif does != "hang":
            delay = self._chance.uniform(0.5, 6) if does == "slow" else self._latency()
            self._later(delay, self._answer, request, self._response(does))

    def _response(self, does: str) -> Response:
        if does == "busy":
            after = str(self._chance.randint(0, 15))
            return Response(self._chance.choice((429, 503)), {"retry-after": after})
        if does == "gone":
            return Response(410)
        if does == "error":
            headers = {"retry-after": str(self._chance.randint(5, 20))} if self._chance.random() < 0.3 else {}
            return Response(self._chance.choice((400, 404, 500, 502)), headers)
        return Response(200, {"content-type": "application/json"}, b'{"ok": true}')

    def _latency(self) -> float:
        return self._chance.choice((0.0, 0.001, self._chance.random() * 0.1))

    def _later(self, delay: float, what: Callable[..., None], *arguments: Any) -> None:
        self._loop.call_later(delay, what, *arguments, context=WORLD)

    @staticmethod
    def _answer(request: Request, response: Response) -> None:
        if not request.answer.done():
            request.answer.set_result(response)

    @staticmethod
    def _fail(request: Request, reason: str) -> None:
        if not request.answer.done():
            request.answer.set_exception(HttpError(reason, f"simulated: {reason}"))


class SimulatedHttp:
    """The `Http` of one attempt."""

    exchange = None
    client: Any = None

    def __init__(self, network: Network, timeout_s: float) -> None:
        self._network = network
        self._timeout_s = timeout_s

    def restart(self) -> None:
        """Nothing: its time is counted from each request."""

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Response:
        """Send one request."""
        return await self._network.send(url, (headers or {})["webhook-id"], self._timeout_s)


class SimulatedWayOut:
    """Makes the `Http` of each attempt."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def http_for(self, trusted_origins: tuple[str, ...], timeout_s: float, **options: Any) -> Any:
        """An Http that gives up after this many seconds."""
        return SimulatedHttp(self._network, timeout_s)
