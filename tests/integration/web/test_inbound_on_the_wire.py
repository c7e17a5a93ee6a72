"""Requests to `/in/{source}` as bytes on the wire: bodies too large or never sent, and odd heads."""

import asyncio
import hashlib
import hmac

import httpx
import pytest

from hookrt import Runtime
from hookrt.web.connection import Patience

SECRET = "first-secret-of-the-sender"

FILE = f"""
sources:
  shop:
    hmac: {{header: X-Signature, secret: {SECRET}, max_body: 1KiB}}
"""


@pytest.fixture
def runtime(tmp_path, store_url):
    (tmp_path / "hooks.yaml").write_text(FILE)
    return Runtime.from_file(tmp_path / "hooks.yaml", store=store_url, env={})


async def post(client: httpx.AsyncClient, body: bytes):
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-signature": signature, "content-type": "application/json"}
    return await client.post("/in/shop", content=body, headers=headers)


async def events(client: httpx.AsyncClient) -> list[dict]:
    return (await client.get("/v1/events")).json()["items"]


def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(serving, runtime, exchange):
    async def scenario():
        async with serving(runtime) as (_, server, _):
            head = b"POST /in/shop HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9000000\r\n\r\n"
            return await exchange(server, head)

    assert b"413" in asyncio.run(scenario()).split(b"\r\n")[0]


def test_a_chunked_body_is_counted_while_it_comes(serving, runtime, exchange):
    async def scenario():
        async with serving(runtime) as (_, server, _):
            head = b"POST /in/shop HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            return await exchange(server, head, b"400\r\n" + b"x" * 1024 + b"\r\n", b"1\r\nx\r\n")

    assert b"413" in asyncio.run(scenario()).split(b"\r\n")[0]


def test_a_body_that_does_not_come_is_given_up(serving, runtime, exchange):
    async def scenario():
        async with serving(runtime, patience=Patience(body_s=0.2)) as (client, server, _):
            answer = await exchange(server, b"POST /in/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
            assert await events(client) == []
            return answer

    assert b"200" not in asyncio.run(scenario()).split(b"\r\n")[0]


@pytest.mark.parametrize(
    "head",
    [
        b"POST /in/shop HTTP/1.1\r\nHost: x\r\nX-Signature: \xff\xfe\r\n",
        b"POST /in/shop HTTP/1.1\r\nHost: x\r\nX-Signature: a\r\nX-Signature: b\r\n",
        b"POST /in/" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n",
        b"POST /in/%ff%fe%00 HTTP/1.1\r\nHost: x\r\n",
        b"POST /in/shop?" + b"a&" * 1500 + b" HTTP/1.1\r\nHost: x\r\n",
        b"POST /in/shop?%ff=%zz HTTP/1.1\r\nHost: x\r\n",
        b"POST /in/shop HTTP/1.1\r\nHost: \xff\r\nX-Forwarded-Host: a,,b\r\nX-Forwarded-Proto: ,\r\n",
        b"POST /in/shop HTTP/1.0\r\n",
        b"BREW /in/shop HTTP/1.1\r\nHost: x\r\n",
        b"POST /in/shop HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n",
        b"POST /in/shop HTTP/1.1\r\nHost: x\r\nContent-Type: \xff/json;;;\r\n",
    ],
)
def test_odd_requests_are_answered_and_break_nothing(serving, runtime, exchange, log, head):
    async def scenario():
        async with serving(runtime) as (client, server, _):
            answer = await exchange(server, head, b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")
            status = int(answer.split(b" ", 2)[1])
            assert 400 <= status < 500, answer
            assert (await post(client, b"{}")).status_code == 200
            assert len(await events(client)) == 1

    asyncio.run(scenario())
    assert not [event for event, _ in log.lines if event == "request-failed"]
