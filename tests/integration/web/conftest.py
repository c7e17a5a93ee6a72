"""A real server on loopback around a real runtime."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest

from hookrt.runtime import Runtime
from hookrt.web.app import build_app
from hookrt.web.connection import Patience
from hookrt.web.options import WebOptions
from hookrt.web.parse_events import Limits
from hookrt.web.server import WebServer


class Lines:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict]] = []

    def error(self, event, **fields):
        self.lines.append((event, fields))

    debug = info = warning = error


@pytest.fixture
def log():
    return Lines()


@pytest.fixture
def store_url(tmp_path):
    return f"sqlite:///{tmp_path}/hookrt.db"


@pytest.fixture
def serving(store_url, log):
    """Opens a service: its client, its server and its runtime (made here, unless one is given)."""

    @asynccontextmanager
    async def serve(
        runtime=None, *, tokens=(), limits: Limits | None = None, patience: Patience | None = None, metrics=None
    ):
        runtime = runtime or Runtime(store=store_url)
        options = WebOptions(log=log, tokens=tokens, limits=limits or Limits(), metrics=metrics)
        async with runtime:
            server = WebServer(build_app(runtime, options), port=0, patience=patience)
            await server.start()
            try:
                async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                    yield client, server, runtime
            finally:
                await server.stop()

    return serve


@pytest.fixture
def ended():
    """Waits until a delivery has this status, asking the service."""

    async def wait(client: httpx.AsyncClient, delivery: str, status: str, headers=None) -> dict:
        async with asyncio.timeout(20):
            while True:
                shown = (await client.get(f"/v1/deliveries/{delivery}", headers=headers)).json()
                if shown["status"] == status:
                    return shown
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def exchange():
    """Sends bytes over a socket of its own, and reads the answer to the end of the connection."""

    async def send(server: WebServer, *pieces: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(20):
            answer = await reader.read()
        writer.close()
        return answer

    return send
