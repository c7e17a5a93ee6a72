"""Real servers on the loopback interface: endpoints with certificates of their own, a token endpoint, a proxy."""

from __future__ import annotations

import asyncio
import base64
import datetime
import ipaddress
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hookrt.egress import Egress, EgressRules


@dataclass
class Request:
    """What came in. `peer` is the name in the client's certificate."""

    line: str
    headers: dict[str, str]
    body: bytes
    peer: str | None = None

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass
class Server:
    """A listening server, and what it has received."""

    port: int
    scheme: str
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def origin(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def authorizations(self) -> list[str | None]:
        return [request.headers.get("authorization") for request in self.requests]


Answer = Callable[[Request], bytes | Awaitable[bytes]]


def reply(status: int = 200, body: Any = None, *headers: str) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    head = [f"HTTP/1.1 {status} X", f"content-length: {len(content)}", "content-type: application/json", *headers]
    return "\r\n".join([*head, "", ""]).encode() + content


async def read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    line, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
    return Request(line, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


@asynccontextmanager
async def listening(talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], **options: Any):
    """A server; its connections end with it."""
    tasks: set[asyncio.Task[None]] = set()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            await talk(reader, writer)
        writer.close()
        with suppress(ConnectionError, asyncio.CancelledError, ssl.SSLError):
            await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(guarded(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def serve(answer: Answer | None = None, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Answer every request with what `answer` gives, by default 200."""
    server = Server(0, "https" if tls else "http")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        certificate = (writer.get_extra_info("peercert") or {}).get("subject", ())
        while True:
            request = await read_request(reader)
            request.peer = next((value for part in certificate for _, value in part), None)
            server.requests.append(request)
            given = answer(request) if answer else reply()
            writer.write(given if isinstance(given, bytes) else await given)
            await writer.drain()

    async with listening(talk, ssl=tls) as port:
        server.port = port
        yield server


@dataclass
class Proxy(Server):
    """A proxy: `asked` are the lines of its requests, `leads` says where it connects instead, by host."""

    leads: dict[str, int] = field(default_factory=dict)
    user: str | None = None

    @property
    def asked(self) -> list[str]:
        return [request.line for request in self.requests]


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(ConnectionError, RuntimeError):
        writer.close()


@asynccontextmanager
async def proxying(user: str | None = None, tls: ssl.SSLContext | None = None, **leads: int) -> AsyncIterator[Proxy]:
    """A small HTTP proxy: tunnels by CONNECT, passes on what comes in absolute form; wants `user:password` if told."""
    proxy = Proxy(0, "https" if tls else "http", leads=leads, user=user)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        proxy.connections += 1
        request = await read_request(reader)
        proxy.requests.append(request)
        wanted = "Basic " + base64.b64encode((user or "").encode()).decode()
        if user and request.headers.get("proxy-authorization") != wanted:
            writer.write(reply(407, None, "proxy-authenticate: Basic"))
            return
        method, where, _ = request.line.split(" ")
        host, _, port = where.removeprefix("http://").partition("/")[0].partition(":")
        near, far = await asyncio.open_connection("127.0.0.1", proxy.leads.get(host) or int(port or 80))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            head = [f"{method} /{where.removeprefix('http://').partition('/')[2]} HTTP/1.1"]
            head += [f"{name}: {value}" for name, value in request.headers.items() if name != "proxy-authorization"]
            far.write("\r\n".join([*head, "", ""]).encode() + request.body)
        try:
            await asyncio.gather(_pour(reader, far), _pour(near, writer))
        finally:
            far.close()
            with suppress(ConnectionError):
                await far.wait_closed()

    async with listening(talk, ssl=tls) as port:
        proxy.port = port
        yield proxy


class Authority:
    """An authority of our own, which issues certificates into files."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._sign(self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=None))
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made)

    def _sign(self, subject: x509.Name, key: Any, *extensions: x509.ExtensionType) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=2))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, *hosts: str) -> tuple[Path, Path]:
        """The files of a certificate for these hosts, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        known: list[x509.GeneralName] = [
            x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
            for host in hosts or (name,)
        ]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraint = x509.BasicConstraints(ca=False, path_length=None)
        made = self._sign(subject, key.public_key(), constraint, x509.SubjectAlternativeName(known))
        files = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        files[0].write_bytes(made)
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
        return files

    def context(self, *hosts: str, clients: bool = False) -> ssl.SSLContext:
        """That of a server with a certificate for these hosts; with `clients` it wants one of theirs."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self.issue("server", *hosts))
        if clients:
            context.load_verify_locations(self.file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@asynccontextmanager
async def going_out(names: dict[str, list[str]] | None = None, **rules: tuple[str, ...]) -> AsyncIterator[Any]:
    """A way out that knows these names only, and keeps in `.tokens` what it is told of."""
    known = names or {}
    tokens: list[tuple[str, str]] = []

    async def resolve(name: str) -> list[str]:
        if name not in known:
            raise OSError("not known here")
        return known[name]

    egress: Any = Egress(EgressRules.parse(**rules), str, resolve, lambda name, token: tokens.append((name, token)))
    try:
        yield SimpleNamespace(http_for=egress.http_for, unsent_for=egress.unsent_for, tokens=tokens)
    finally:
        await egress.close()


@pytest.fixture
def kit() -> SimpleNamespace:
    return SimpleNamespace(serve=serve, proxying=proxying, going_out=going_out, reply=reply, Authority=Authority)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)
