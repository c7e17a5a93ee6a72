"""A real receiver, a real way out, and one attempt of the action between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import structlog

from hookrt.actions.webhook import Webhook, WebhookSettings
from hookrt.egress import Egress, EgressRules
from hookrt.plugin import ActionCall, ActionSetup, Destination, Event, Outcome, written_origin

STARTED = datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC)


@dataclass
class Receiver:
    """What came in, and what is answered."""

    answer: bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    port: int = 0
    line: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    count: int = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.line, *lines = head.strip().split("\r\n")
                pairs = [line.partition(": ") for line in lines]
                assert len({name.lower() for name, _, _ in pairs}) == len(pairs)
                self.headers = {name.lower(): value for name, _, value in pairs}
                self.body = await reader.readexactly(int(self.headers.get("content-length", "0")))
                self.count += 1
                writer.write(self.answer)
        finally:
            writer.close()


@asynccontextmanager
async def receiving(answer: bytes | None = None) -> AsyncIterator[Receiver]:
    receiver = Receiver(answer) if answer else Receiver()
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await receiver.talk(reader, writer)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(talk(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


def settings_of(**written: Any) -> WebhookSettings:
    """Settings as the configuration makes them: from JSON, in pydantic's strict mode."""
    return WebhookSettings.model_validate_json(msgspec.json.encode(written))


def event_of(content: bytes = b'{"userId": "u1",  "n": 1.10}', **changed: Any) -> Event:
    return Event("evt_1", "PostSignIn", "logto", datetime(2026, 11, 23, tzinfo=UTC), content=content, **changed)


async def attempt(
    settings: WebhookSettings,
    *,
    event: Event | None = None,
    destinations: dict[str, Destination] | None = None,
    trusted: str = "",
    action: Webhook | None = None,
    started: datetime = STARTED,
    rendered: frozenset[str] = frozenset(),
) -> tuple[Outcome, ActionCall[WebhookSettings]]:
    """Run the action once, with the loopback origins of settings and destinations trusted."""
    egress = Egress(EgressRules(), str)
    texts = [settings.url or "", trusted, *(known.url or "" for known in (destinations or {}).values())]
    origins = tuple(origin for origin in map(written_origin, texts) if origin)
    call = ActionCall(
        settings=settings,
        event=event or event_of(),
        hook="welcome",
        step="webhook",
        attempt=1,
        message_id="msg_abc",
        started=started,
        deadline=started + timedelta(seconds=5),
        log=structlog.get_logger(),
        http=egress.http_for(origins, 5.0),
        destinations=destinations or {},
        rendered=rendered,
    )
    try:
        return await (action or Webhook()).run(call), call
    finally:
        await egress.close()


async def opened(tmp_path: Any) -> Webhook:
    action = Webhook()
    await action.open(ActionSetup(tmp_path, SimpleNamespace(), structlog.get_logger(), SimpleNamespace()))
    return action


@pytest.fixture
def kit() -> SimpleNamespace:
    return SimpleNamespace(
        receiving=receiving, settings=settings_of, event=event_of, attempt=attempt, opened=opened, STARTED=STARTED
    )
