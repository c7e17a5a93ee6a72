"""One test for each row of the table of errors, each against a socket that really behaves so."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import pytest

from hookrt.egress import clients
from hookrt.plugin import HttpError


async def fault(kit: SimpleNamespace, endpoint, timeout_s: float = 10.0, body: bytes = b"x") -> HttpError:
    async with kit.going_out() as egress:
        http = egress.http_for((endpoint.origin,), timeout_s)
        with pytest.raises(HttpError) as raised:
            await http.send("POST", endpoint.origin + "/?token=hush", content=body)
    assert "hush" not in str(raised.value)
    return raised.value


def fault_of(kit: SimpleNamespace, script, *, tls: ssl.SSLContext | None = None, timeout_s: float = 10.0) -> HttpError:
    async def run() -> HttpError:
        async with kit.serve(script, tls=tls) as endpoint:
            return await fault(kit, endpoint, timeout_s)

    return asyncio.run(run())


@contextmanager
def full_backlog() -> Iterator[int]:
    """The port of a listener that takes no connection, and whose queue is full: the next one hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        try:
            yield listener.getsockname()[1]
        finally:
            for one in waiting:
                one.close()


def test_a_closed_port_is_refused(kit):
    endpoint = SimpleNamespace(origin=f"http://127.0.0.1:{kit.free_port()}")
    error = asyncio.run(fault(kit, endpoint))
    assert error.reason == "refused"
    assert endpoint.origin.removeprefix("http://") in error.message


def test_a_name_without_address_is_dns(kit):
    async def run() -> HttpError:
        async with kit.going_out(names={}) as egress:
            with pytest.raises(HttpError) as raised:
                await egress.http_for((), 5).send("GET", "http://nowhere.example/")
            return raised.value

    error = asyncio.run(run())
    assert error.reason == "dns"
    assert "nowhere.example" in error.message


def test_a_reset_before_the_answer_is_reset(kit):
    async def script(writer):
        kit.reset(writer)

    assert fault_of(kit, script).reason == "reset"


def test_a_close_without_an_answer_is_reset(kit):
    async def script(writer):
        writer.close()

    error = fault_of(kit, script)
    assert error.reason == "reset"
    assert "without an answer" in error.message


def test_a_reset_within_the_body_is_reset(kit):
    async def script(writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 200_000)
        await writer.drain()
        kit.reset(writer)

    assert fault_of(kit, script).reason == "reset"


def test_a_body_that_ends_early_is_reset(kit):
    async def script(writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
        await writer.drain()
        writer.close()

    error = fault_of(kit, script)
    assert error.reason == "reset"
    assert "middle of its answer" in error.message


def test_a_certificate_nobody_vouches_for_is_tls(kit, self_signed):
    error = fault_of(kit, kit.OK, tls=self_signed)
    assert error.reason == "tls"
    assert "certificate" in error.message


def test_plain_http_under_https_is_tls(kit):
    async def run() -> HttpError:
        async def talk(reader, writer):
            await reader.read(10)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await fault(kit, SimpleNamespace(origin=f"https://127.0.0.1:{port}"))

    error = asyncio.run(run())
    assert error.reason == "tls"
    assert "http rather than https" in error.message


def test_a_hanging_endpoint_is_timeout(kit):
    async def script(writer):
        await asyncio.Event().wait()

    error = fault_of(kit, script, timeout_s=0.2)
    assert error.reason == "timeout"
    assert "0.2 s" in error.message


def test_a_connection_that_nobody_takes_is_timeout_and_says_connect(kit, monkeypatch):
    async def run() -> HttpError:
        with full_backlog() as port:
            return await fault(kit, SimpleNamespace(origin=f"http://127.0.0.1:{port}"))

    monkeypatch.setattr(clients, "CONNECT_TIMEOUT", timedelta(seconds=0.2))
    error = asyncio.run(run())
    assert error.reason == "timeout"
    assert "no connection to 127.0.0.1:" in error.message
    assert "within 0.2 s (connect timeout)" in error.message


def test_a_tls_handshake_that_hangs_is_timeout_and_says_connect(kit, monkeypatch):
    async def run() -> HttpError:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            return await fault(kit, SimpleNamespace(origin=f"https://127.0.0.1:{mute.getsockname()[1]}"))

    monkeypatch.setattr(clients, "CONNECT_TIMEOUT", timedelta(seconds=0.2))
    error = asyncio.run(run())
    assert (error.reason, "(connect timeout)" in error.message) == ("timeout", True)


def test_an_endpoint_that_takes_a_request_and_is_silent_is_timeout_and_says_read(kit, monkeypatch):
    async def script(writer):
        await asyncio.Event().wait()

    monkeypatch.setattr(clients, "CONNECT_TIMEOUT", timedelta(seconds=0.2))
    error = fault_of(kit, script, timeout_s=0.5)
    assert error.reason == "timeout"
    assert "took the request and did not answer within 0.5 s (read timeout)" in error.message


def test_an_answer_that_does_not_end_is_timeout_and_says_total(kit):
    async def script(writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
        await writer.drain()
        await asyncio.Event().wait()

    error = fault_of(kit, script, timeout_s=0.3)
    assert error.reason == "timeout"
    assert "did not end within 0.3 s (total timeout)" in error.message


def test_a_dripping_body_is_timeout(kit):
    async def script(writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert fault_of(kit, script, timeout_s=0.3).reason == "timeout"


def test_a_dripping_head_is_timeout(kit):
    async def script(writer):
        while True:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert fault_of(kit, script, timeout_s=0.3).reason == "timeout"


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000_000 + b"\r\n\r\n",
    ],
    ids=["ssh", "binary", "header", "chunk", "two lengths", "gzip", "huge head"],
)
def test_garbage_instead_of_http_is_protocol(kit, answer):
    async def script(writer):
        writer.write(answer)
        await writer.drain()

    assert fault_of(kit, script).reason == "protocol"


def test_an_endless_answer_is_too_large_and_the_connection_is_dropped(kit):
    async def run() -> HttpError:
        async def script(writer):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()

        async with kit.serve(script) as endpoint:
            error = await fault(kit, endpoint)
            await kit.until(lambda: endpoint.open_connections == 0)
            return error

    assert asyncio.run(run()).reason == "too-large"


def test_a_compression_bomb_is_too_large_by_its_decompressed_size(kit):
    bomb = gzip.compress(b"\0" * 50_000_000)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb)
    assert fault_of(kit, head + bomb).reason == "too-large"


def test_an_answer_of_just_one_mebibyte_is_read_whole(kit):
    async def run() -> None:
        size = 1024 * 1024
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"
        async with kit.serve(head % size + b"x" * size) as endpoint, kit.going_out() as egress:
            response = await egress.http_for((endpoint.origin,), 10).send("GET", endpoint.origin)
            assert len(response.content) == size
        async with kit.serve(head % (size + 1) + b"x" * (size + 1)) as endpoint:
            assert (await fault(kit, endpoint)).reason == "too-large"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {"x-a": "b\r\nx-c: d"}),
        ("POST", {"x-a": "b\nc"}),
        ("POST", {"x-a": "b\x00c"}),
        ("POST", {"x a": "b"}),
        ("POST", {"x-a\r\nx-b": "c"}),
        ("POST", {"": "c"}),
        ("POST", {"Content-Length": "5"}),
        ("POST", {"transfer-encoding": "chunked"}),
        ("POST", {"Host": "elsewhere.example"}),
        ("POST", {"CONNECTION": "close"}),
        ("POST", {"Upgrade": "websocket"}),
        ("GET / HTTP/1.1\r\nx: y", {}),
        ("", {}),
    ],
)
def test_what_would_change_the_framing_is_bad_request_and_never_sent(kit, method, headers):
    async def run() -> None:
        async with kit.serve() as endpoint, kit.going_out() as egress:
            with pytest.raises(HttpError) as raised:
                await egress.http_for((endpoint.origin,), 5).send(
                    method, endpoint.origin, headers=headers, content=b"x"
                )
            assert raised.value.reason == "bad-request"
            assert raised.value.permanent
            assert endpoint.requests == []

    asyncio.run(run())


def test_the_client_being_closed_under_a_request_is_reset(kit):
    async def run() -> None:
        async def script(writer):
            await asyncio.Event().wait()

        async with kit.serve(script) as endpoint, kit.going_out() as egress:
            task = asyncio.create_task(egress.http_for((endpoint.origin,), 10).send("GET", endpoint.origin))
            await kit.until(lambda: len(endpoint.requests) == 1)
            await egress.close()
            with pytest.raises(HttpError) as raised:
                await task
            assert raised.value.reason == "reset"
            with pytest.raises(HttpError) as raised:
                await egress.http_for((endpoint.origin,), 10).send("GET", endpoint.origin)
            assert raised.value.reason == "reset"

    asyncio.run(run())
