"""Real endpoints on the loopback interface, each behaving as its script says."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from hookrt.egress import Egress, EgressRules

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass
class Endpoint:
    """A listening server, and what it has received: each request's head and body."""

    port: int
    scheme: str = "http"
    requests: list[tuple[bytes, bytes]] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0

    @property
    def origin(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def head(self) -> bytes:
        return self.requests[-1][0]

    @property
    def body(self) -> bytes:
        return self.requests[-1][1]


Script = Callable[[asyncio.StreamWriter], Awaitable[object]]


async def read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head, await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""


@asynccontextmanager
async def serve(
    script: Script | bytes = OK, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Endpoint]:
    """Answer every request by the script, or with the bytes; keep the connection until the client closes it."""
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        endpoint.connections += 1
        endpoint.open_connections += 1
        try:
            while True:
                endpoint.requests.append(await read_request(reader))
                if isinstance(script, bytes):
                    writer.write(script)
                else:
                    await script(writer)
                await writer.drain()
        finally:
            endpoint.open_connections -= 1
            writer.close()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            await talk(reader, writer)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(guarded(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, host, 0, ssl=tls)
    endpoint = Endpoint(server.sockets[0].getsockname()[1], "https" if tls else "http")
    try:
        yield endpoint
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def going_out(
    allow: tuple[str, ...] = (), deny: tuple[str, ...] = (), names: dict[str, list[str]] | None = None
) -> AsyncIterator[Egress]:
    """A way out that masks the word `hunter2`, and knows only these names where some are given."""

    async def resolve(name: str) -> list[str]:
        if names is None or name not in names:
            raise OSError("not known here")
        return names[name]

    resolver = resolve if names is not None else None
    egress = Egress(EgressRules.parse(allow, deny), lambda text: text.replace("hunter2", "***"), resolver)
    try:
        yield egress
    finally:
        await egress.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection off with a RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
def kit() -> SimpleNamespace:
    return SimpleNamespace(serve=serve, going_out=going_out, free_port=free_port, reset=reset, until=until, OK=OK)


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's TLS context with a certificate that nobody vouches for."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
