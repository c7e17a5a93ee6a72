"""TLS of the broker plugins against real servers: whom they trust, and that nothing ever goes in plain text."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hookrt.plugin import Action, Outcome, OutcomeKind, PluginError
from hookrt.testing import RecordedLog, run_action

PASSWORD = "hidden%40place"  # in URLs; `hidden@place` in truth
SECRETS = ("hidden%40place", "hidden@place")


@dataclass
class Broker:
    """A server that takes TLS at one port, and a plugin's action for it."""

    action: type[Action[Any]]
    step: dict[str, Any]
    scheme: str
    port: int

    def send(self, host: str = "localhost", **tls: Any) -> Outcome:
        """What becomes of a message; no secret may be told."""
        url = f"{self.scheme}://me:{PASSWORD}@{host}:{self.port}"
        log = RecordedLog()
        service = {"url": url, **({"tls": {name: str(path) for name, path in tls.items()}} if tls else {})}
        outcome = run_action(self.action, self.step, service_settings=service, log=log)
        told = f"{outcome} {log.lines}"
        assert not any(secret in told for secret in SECRETS)
        return outcome


def nats_broker(start: Callable[..., Any], authority: Path, *, ask: bool) -> Broker:
    files = ["--tls", "--tlscert", f"{authority}/server.pem", "--tlskey", f"{authority}/server.key"]
    asks = ["--tlsverify", "--tlscacert", f"{authority}/ca.pem"] if ask else []
    server = start("hookrt-nats", *files, *asks, "--user", "me", "--pass", "hidden@place")
    from hookrt_nats import PublishToNats

    return Broker(PublishToNats, {"subject": "nobody.takes.it"}, "tls", server.port)


def redis_broker(start: Callable[..., Any], authority: Path, port: int, *, ask: bool) -> Broker:
    files = ["--tls-cert-file", f"{authority}/server.pem", "--tls-key-file", f"{authority}/server.key"]
    asks = ["--tls-ca-cert-file", f"{authority}/ca.pem", "--tls-auth-clients", "yes" if ask else "no"]
    user = ["--user", "me", "on", ">hidden@place", "~*", "&*", "+@all"]
    start("hookrt-redis", "--tls-port", str(port), *files, *asks, *user)
    from hookrt_redis import AppendToStream

    return Broker(AppendToStream, {"stream": "s"}, "rediss", port)


def start_broker(kind: str, start: Callable[..., Any], authority: Path, port: int, *, ask: bool = False) -> Broker:
    if kind == "nats":
        return nats_broker(start, authority, ask=ask)
    return redis_broker(start, authority, port, ask=ask)


def came_through(outcome: Outcome) -> bool:
    """For NATS the answer that no stream takes it is one, too."""
    return outcome.kind is OutcomeKind.DONE or outcome.reason == "no-stream"


@pytest.mark.parametrize("kind", ["nats", "redis"])
def test_whom_it_trusts(kind: str, start: Any, authority: Path, free_port: int) -> None:
    broker = start_broker(kind, start, authority, free_port)
    assert came_through(broker.send(ca=authority / "ca.pem"))
    foreign = broker.send()
    assert (foreign.kind, foreign.reason) == (OutcomeKind.RETRY, "connect")
    assert "its certificate is not to be trusted: " in str(foreign.message)
    other_name = broker.send("127.0.0.1", ca=authority / "ca.pem")
    assert "not to be trusted: IP address mismatch" in str(other_name.message)


@pytest.mark.parametrize("kind", ["nats", "redis"])
def test_our_own_certificate(kind: str, start: Any, authority: Path, free_port: int) -> None:
    broker = start_broker(kind, start, authority, free_port, ask=True)
    ca = authority / "ca.pem"
    assert came_through(broker.send(ca=ca, certificate=authority / "client.pem", key=authority / "client.key"))
    assert broker.send(ca=ca).reason == "connect"
    unfit, missing = {"certificate": authority / "client.pem"}, {"certificate": "/missing.pem"}
    for files, why in ((unfit, "hold no certificate with its private key"), (missing, "no file /missing.pem")):
        try:
            said = str(broker.send(ca=ca, **files).message)
        except PluginError as error:
            said = str(error)
        assert why in said


class Eavesdropper:
    """A server that greets as it is told, and notes whatever it gets from its one client."""

    def __init__(self, greeting: bytes) -> None:
        self.greeting, self.heard, self.ended = greeting, b"", asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.greeting)
        with contextlib.suppress(OSError):
            self.heard = await reader.read()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        self.ended.set()


INFO = {"server_id": "x", "version": "2.9.0", "max_payload": 1048576, "headers": True, "auth_required": True}


@pytest.mark.parametrize("info", [INFO, {**INFO, "tls_available": True}])
@pytest.mark.parametrize(("scheme", "with_files"), [("tls", False), ("TLS", False), ("nats", True)])
def test_a_nats_server_that_wants_no_tls_is_told_nothing(
    info: dict[str, Any], scheme: str, with_files: bool, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[4] / "plugins" / "hookrt-nats" / "src"))
    from hookrt_nats.server import NatsUnavailable, ServerSettings, connect

    async def go() -> tuple[str, bytes]:
        spy = Eavesdropper(b"INFO " + json.dumps(info).encode() + b"\r\n")
        server = await asyncio.start_server(spy.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        tls = {"ca": str(authority / "ca.pem")} if with_files else None
        settings = ServerSettings.model_validate({"url": f"{scheme}://me:{PASSWORD}@localhost:{port}", "tls": tls})
        async with server, asyncio.timeout(20):
            with pytest.raises(NatsUnavailable) as caught:
                await connect(settings, authority, RecordedLog())
            await spy.ended.wait()
        return str(caught.value), spy.heard

    said, heard = asyncio.run(go())
    assert "the server offers no TLS, and nothing is sent without" in said
    assert heard == b""


def test_a_redis_server_without_tls_is_told_nothing(authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[4] / "plugins" / "hookrt-redis" / "src"))
    from hookrt_redis.server import ServerSettings, describe, make_client
    from redis.exceptions import RedisError

    async def go() -> tuple[str, bytes]:
        spy = Eavesdropper(b"-ERR no TLS here\r\n")
        server = await asyncio.start_server(spy.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = ServerSettings.model_validate({"url": f"rediss://me:{PASSWORD}@localhost:{port}"})
        client = make_client(settings, authority)
        async with server, asyncio.timeout(20):
            with pytest.raises(RedisError) as caught:
                await client.ping()
            await client.aclose()
            await spy.ended.wait()
        return describe(caught.value, settings), spy.heard

    said, heard = asyncio.run(go())
    assert "is it up, and are `url` and `tls` right?" in said
    assert not any(word in heard for word in (b"hidden", b"AUTH", b"HELLO"))
