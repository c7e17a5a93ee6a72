"""The server: bound before anything starts, bounded while it runs, and stopped without losing a request."""

import asyncio
import json
import signal
import socket
from datetime import timedelta

import httpx
import pytest

from hookrt.web.connection import Patience
from hookrt.web.server import CannotListen, WebServer, bind_sockets


async def answer(send, status: int, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def hello(scope, receive, send) -> None:
    await answer(send, 200, b"hello")


def test_a_port_in_use_is_one_sentence_with_the_way_out():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"port {port} on 127.0.0.1 is in use: .* --port"):
            bind_sockets("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("203.0.113.7", 0, "no address of this machine"),
        ("no-such-host.invalid", 0, "is not known"),
        ("a" * 300, 0, "is not known"),
        ("127.0.0.1", 70000, "is no port"),
        ("127.0.0.1", -1, "is no port"),
    ],
)
def test_an_address_that_cannot_be_had_is_one_sentence(host, port, words):
    with pytest.raises(CannotListen, match=words) as caught:
        bind_sockets(host, port)
    assert "\n" not in str(caught.value)


def test_port_0_takes_a_free_one_and_tells_it():
    async def run():
        server = WebServer(hello, "localhost", 0)
        await server.start()
        try:
            assert server.port > 0
            assert server.url == f"http://localhost:{server.port}"
            async with httpx.AsyncClient() as client:
                assert (await client.get(server.url)).text == "hello"
        finally:
            await server.stop()

    asyncio.run(run())


def test_it_takes_no_signals_from_the_program():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    async def run():
        server = WebServer(hello, port=0)
        await server.start()
        during = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        await server.stop()
        assert during[0] == before[0]

    asyncio.run(run())
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_stop_lets_requests_under_way_finish_and_accepts_no_more():
    async def run():
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow(scope, receive, send):
            begun.set()
            await go_on.wait()
            await answer(send, 200, b"done")

        server = WebServer(slow, port=0)
        await server.start()
        async with httpx.AsyncClient(timeout=20) as client:
            asked = asyncio.create_task(client.get(server.url))
            await begun.wait()
            stopping = asyncio.create_task(server.stop(timedelta(seconds=20)))
            async with asyncio.timeout(10):
                while True:
                    try:
                        async with httpx.AsyncClient() as other:
                            await other.get(server.url, timeout=0.2)
                    except httpx.ConnectError:
                        break
                    except httpx.TransportError:
                        await asyncio.sleep(0.01)
            go_on.set()
            assert (await asked).text == "done"
            await stopping

    asyncio.run(run())


def test_stop_ends_what_does_not_finish_in_time(serving):
    async def run():
        async with serving() as (client, server, runtime):
            accepting, held = asyncio.Event(), asyncio.Event()
            whole = runtime.accept

            async def slow(drafts, **more):
                accepting.set()
                await held.wait()
                return await whole(drafts, **more)

            runtime.accept = slow
            asked = asyncio.create_task(client.post("/v1/events", json={"type": "A"}))
            await accepting.wait()
            await server.stop(timedelta(milliseconds=50))
            response = await asked
            assert response.status_code == 503
            assert response.json()["type"] == "urn:hookrt:problem:stopping"

    asyncio.run(run())


def test_a_head_without_end_is_431(exchange):
    async def run():
        server = WebServer(hello, port=0)
        await server.start()
        try:
            got = await exchange(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X-A: " + b"x" * 70_000)
            assert got.startswith(b"HTTP/1.1 431 ")
            assert json.loads(got.partition(b"\r\n\r\n")[2])["status"] == 431
        finally:
            await server.stop()

    asyncio.run(run())


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_head_that_does_not_come_in_time_ends_the_connection(exchange, sent):
    async def run():
        server = WebServer(hello, port=0, patience=Patience(head_s=0.05))
        await server.start()
        try:
            assert await exchange(server, sent) == b""
        finally:
            await server.stop()

    asyncio.run(run())


def test_pipelined_requests_are_answered_in_order(exchange):
    async def run():
        server = WebServer(hello, port=0)
        await server.start()
        try:
            one = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
            last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            assert (await exchange(server, one * 3 + last)).count(b"hello") == 4
        finally:
            await server.stop()

    asyncio.run(run())


def test_bytes_that_are_no_http_are_400(exchange):
    async def run():
        server = WebServer(hello, port=0)
        await server.start()
        try:
            assert (await exchange(server, b"\x16\x03\x01\x02\x00hello\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
        finally:
            await server.stop()

    asyncio.run(run())
