"""A real service that is fed by Logto's signed webhooks, and a real receiver behind it that follows Logto's docs."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from hookrt import Runtime
from hookrt.sources.logto_samples import bodies
from hookrt.testing import Receiver
from hookrt.testing.exchange import ReceivedRequest
from hookrt.web.app import build_app
from hookrt.web.options import WebOptions
from hookrt.web.server import WebServer

LOGTO_KEY = "n2VqMsTcGnHV6KAEvNSTK3oRRc4Yk5JH"
APP_KEY = "a8TzPq1LxWm5DcYv0BfKj3RgUeNs7HoI"
ENV = {"HOOKRT_SECRET_LOGTO_KEY": LOGTO_KEY, "HOOKRT_SECRET_APP_KEY": APP_KEY}

HEAD = """\
service: {egress: {allow: [127.0.0.0/8]}, poll: 50ms}
sources:
  logto: {logto: "${{ secrets.LOGTO_KEY }}"}
destinations:
  app:
    url: URL/app
    format: logto
    signing: {scheme: logto, secret: "${{ secrets.APP_KEY }}"}
    breaker: off
"""


def sign(body: bytes, key: str = LOGTO_KEY) -> str:
    """As docs.logto.io has it: the hex digest of an HMAC-SHA256 of the raw body with the signing key."""
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def written(payload: dict[str, Any]) -> bytes:
    """As JavaScript's `JSON.stringify` writes it."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def payload(event: str, **changed: Any) -> dict[str, Any]:
    """One of Logto's bodies as of now; a change to `...` takes a key out."""
    found = {**bodies(datetime.now(UTC))[event], **changed}
    return {name: value for name, value in found.items() if value is not ...}


class World:
    """The service, what is asked of it, and the receiver behind it."""

    def __init__(self, file: Path, receiver: Receiver) -> None:
        self.file = file
        self.receiver = receiver
        self.client: httpx.AsyncClient
        self.runtime: Runtime

    def write(self, hooks: str) -> None:
        """Write hooks.yaml: sources and destinations, and these hooks."""
        self.file.write_text(HEAD.replace("URL", self.receiver.url) + hooks.replace("URL", self.receiver.url))

    async def rewrite(self, hooks: str) -> None:
        self.write(hooks)
        assert (await self.runtime.reload()).accepted

    async def send(self, sent: dict[str, Any] | bytes, key: str = LOGTO_KEY) -> httpx.Response:
        """Post a webhook as Logto does."""
        body = sent if isinstance(sent, bytes) else written(sent)
        headers = {
            "user-agent": "Logto (https://logto.io/)",
            "content-type": "application/json",
            "logto-signature-sha-256": sign(body, key),
        }
        return await self.client.post("/in/logto", content=body, headers=headers)

    async def take(self, *sent: dict[str, Any] | bytes) -> list[ReceivedRequest]:
        """Post webhooks one after the other, each delivered to its end; what the receiver got of them."""
        before = len(self.receiver.requests)
        for one in sent:
            assert (await self.send(one)).status_code == 200
            await self.settled()
        return list(self.receiver.requests[before:])

    async def settled(self) -> None:
        """Wait until every delivery is final."""
        async with asyncio.timeout(30):
            while any(one["status"] in {"pending", "running", "waiting"} for one in await self.deliveries()):
                await asyncio.sleep(0.01)

    async def deliveries(self, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get("/v1/deliveries", **query))["items"]
        return found

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def emit(self, type: str, data: Any = None) -> None:
        """An event by the API, delivered to its end."""
        answer = await self.client.post("/v1/events", json={"type": type, "data": data})
        assert answer.status_code == 202, answer.text
        await self.settled()


@asynccontextmanager
async def _world(tmp_path: Path, hooks: str, env: dict[str, str]) -> AsyncIterator[World]:
    async with Receiver() as receiver:
        world = World(tmp_path / "hooks.yaml", receiver)
        world.write(hooks)
        async with Runtime.from_file(world.file, store=f"sqlite:///{tmp_path}/hookrt.db", env=env) as runtime:
            server = WebServer(build_app(runtime, WebOptions(log=structlog.get_logger())), port=0)
            await server.start()
            try:
                async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                    world.client, world.runtime = client, runtime
                    yield world
            finally:
                await server.stop()


@pytest.fixture
def within(tmp_path: Path) -> Callable[..., None]:
    """Run what happens in a world with these hooks."""

    def run(hooks: str, happens: Callable[[World], Awaitable[None]], **env: str) -> None:
        async def whole() -> None:
            async with _world(tmp_path, hooks, {**ENV, **env}) as world:
                await happens(world)

        asyncio.run(whole())

    return run


@pytest.fixture
def make() -> Callable[..., dict[str, Any]]:
    """Makes one of Logto's bodies."""
    return payload


@pytest.fixture
def verified() -> Callable[..., dict[str, Any]]:
    """The body of a request, its signature checked as Logto's documentation says."""

    def check(request: ReceivedRequest) -> dict[str, Any]:
        assert request.headers["logto-signature-sha-256"] == sign(request.body, APP_KEY)
        read: dict[str, Any] = json.loads(request.body)
        return read

    return check
