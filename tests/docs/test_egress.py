"""The examples of docs/egress.md do what it says, with real endpoints in the place of those that they name."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from hookrt import Runtime

TEXT = (Path(__file__).parents[2] / "docs" / "egress.md").read_text()
EXAMPLES = dict(re.findall(r"^<!-- runnable: (\w+) -->\n```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
SECRETS = ("CRM_PASSWORD", "CHAT_TOKEN", "CRM_CLIENT", "PROXY_PASSWORD")
ENV = {f"HOOKRT_SECRET_{name}": f"{name.lower()}-4711" for name in SECRETS}

Reply = Callable[[str, Mapping[str, str], bytes], tuple[int, Any]]


class Endpoint:
    """What came in: request line, headers, body and the name in the client's certificate."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[tuple[str, Mapping[str, str], bytes, str | None]] = []


async def read(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
    return line, headers, await reader.readexactly(int(headers.get("content-length", "0")))


@asynccontextmanager
async def serving(
    reply: Reply = lambda line, headers, body: (200, {}), tls: ssl.SSLContext | None = None
) -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        subject = (writer.get_extra_info("peercert") or {}).get("subject", ())
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                line, headers, body = await read(reader)
                endpoint.requests.append((line, headers, body, next((pair[0][1] for pair in subject), None)))
                status, answer = reply(line, headers, body)
                content = json.dumps(answer).encode()
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    endpoint.port = server.sockets[0].getsockname()[1]
    try:
        yield endpoint
    finally:
        server.close()


async def play(folder: Path, text: str, type: str, data: Any) -> tuple[Any, list[Any], str]:
    """One event: its delivery, the attempts, and all that is kept of them as text."""
    (folder / "hooks.yaml").write_text(text)
    async with Runtime.from_file(folder / "hooks.yaml", store="memory:", env=ENV) as runtime:
        [delivery] = await (await runtime.emit(type, data)).wait(timeout=30)
        attempts = await runtime.store.attempts(delivery.id)
    return delivery, attempts, str(attempts)


def moved(name: str, **places: str) -> str:
    """The example with other hosts."""
    text: str = EXAMPLES[name]
    for host, place in places.items():
        text = re.sub(rf"https?://{host}\.(example\.com|internal)", place, text)
    return text


def test_every_example_is_played_here() -> None:
    assert set(EXAMPLES) == {"plain", "oauth", "tls", "proxy", "rules"}


def test_plain(tmp_path: Path) -> None:
    async def story() -> None:
        async with serving() as endpoint:
            there = f"http://127.0.0.1:{endpoint.port}"
            text = moved("plain", crm=there, chat=there)
            delivery, _, kept = await play(tmp_path, text, "PostRegister", {"name": "Ada"})
            assert delivery.status == "succeeded"
            [first, second] = endpoint.requests
            encoded = base64.b64encode(b"hookrt:crm_password-4711").decode()
            assert (first[0], first[1]["x-tenant"]) == ("POST /v1/contacts HTTP/1.1", "acme")
            assert first[1]["authorization"] == f"Basic {encoded}"
            assert second[1]["authorization"] == "Bearer chat_token-4711"
            assert "4711" not in kept
            assert encoded not in kept

    asyncio.run(story())


def test_oauth(tmp_path: Path) -> None:
    async def story() -> None:
        def login(line: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
            return 200, {"access_token": "t0ken", "expires_in": 60}

        async with serving() as endpoint, serving(login) as issuer:
            places = {"crm": f"http://127.0.0.1:{endpoint.port}", "login": f"http://127.0.0.1:{issuer.port}"}
            delivery, _, kept = await play(tmp_path, moved("oauth", **places), "PostRegister", {})
            assert delivery.status == "succeeded"
            assert issuer.requests[0][2] == b"grant_type=client_credentials&scope=contacts%3Awrite"
            assert endpoint.requests[0][1]["authorization"] == "Bearer t0ken"
            assert "t0ken" not in kept

    asyncio.run(story())


def test_tls(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    folder.mkdir()
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", "hookrt.key", "-out", "hookrt.crt", "-days", "2", "-subj", "/CN=hookrt"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    (folder / "our-ca.pem").write_bytes((folder / "hookrt.crt").read_bytes())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "our-ca.pem"))
    context.load_cert_chain(folder / "hookrt.crt", folder / "hookrt.key")
    context.verify_mode = ssl.CERT_REQUIRED

    async def story() -> None:
        async with serving(tls=context) as endpoint:
            text = moved("tls", crm=f"https://127.0.0.1:{endpoint.port}")
            delivery, attempts, _ = await play(tmp_path, text, "PostRegister", {})
            assert delivery.status == "succeeded", attempts
            assert endpoint.requests[0][3] == "hookrt"

    asyncio.run(story())


def test_proxy(tmp_path: Path) -> None:
    async def story() -> None:
        async with serving() as proxy:  # it answers itself, which is enough to see what it was asked
            text = EXAMPLES["proxy"].replace("proxy.example.com:3128", f"127.0.0.1:{proxy.port}")
            delivery, _, kept = await play(tmp_path, text, "PostRegister", {})
            assert delivery.status == "succeeded"
            [(line, headers, _, _)] = proxy.requests
            assert line == "POST http://crm.internal/ HTTP/1.1"
            assert headers["proxy-authorization"].startswith("Basic ")
            assert "4711" not in kept

    asyncio.run(story())


@pytest.mark.parametrize(
    ("url", "reason", "words"),
    [
        ("http://10.0.0.5/", "blocked-address", 'service: {egress: {allow: ["10.0.0.5"]}}'),
        ("http://10.20.30.1/", "blocked-address", "denied by service.egress.deny (10.20.30.0/24)"),
        ("http://169.254.169.254/", "blocked-address", "metadata"),
        ("http://user:pass@example.com/", "template", "user name or password"),
        ("ftp://example.com/", "template", "begins with http:// or https://"),
    ],
)
def test_rules(tmp_path: Path, url: str, reason: str, words: str) -> None:
    async def story() -> None:
        delivery, [attempt], _ = await play(tmp_path, EXAMPLES["rules"], "Job.Done", {"callback_url": url})
        assert (delivery.status, attempt.outcome, attempt.reason) == ("dead", "reject", reason)
        assert words in attempt.message

    asyncio.run(story())


def test_the_message_that_is_shown_is_the_one_that_comes(tmp_path: Path) -> None:
    [shown] = re.findall(r"^blocked-address: (.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

    async def story() -> None:
        _, [attempt], _ = await play(tmp_path, EXAMPLES["rules"], "Job.Done", {"callback_url": "http://10.0.0.5/"})
        assert attempt.message.split() == shown.split()

    asyncio.run(story())
