"""Endpoints that want more than to answer: redirects, broken framing, second answers, bombs, drips."""

from __future__ import annotations

import asyncio
import base64
import gzip
import resource
import zlib
from typing import Any

import httpx
import pytest

from hookrt.plugin import HttpError

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
SECOND = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nforged!"
BROTLI = (  # sixty megabytes of zeros
    "y///PwAkAOKxQHLv//j//weABEAcFoDu/R////8AkACIwwLQvf/j//8fABIAcVgAuvd//P//A0ACIA4LQPf+j///fwBIAMRhAeje"
    "//H//w8ACYA4LADd+7/8N5wAIAEQhwWg6zcB"
)


async def outcome(http: Any, url: str) -> str:
    try:
        answer = await http.send("POST", url, content=b"x")
    except HttpError as error:
        return error.reason
    return f"{answer.status_code} {answer.content[:40]!r}"


def play(kit: Any, *answers: bytes, seconds: float = 30) -> tuple[list[str], int]:
    """Send one request for each answer, one after the other; what came of each, and how many connections it took."""
    left = list(answers)

    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0))
        await writer.drain()
        await asyncio.sleep(0)

    async def run() -> tuple[list[str], int]:
        async with kit.serve(script) as endpoint, kit.going_out() as egress:
            found = []
            for _ in answers:
                found.append(await outcome(egress.http_for((endpoint.origin,), seconds), endpoint.origin))
            return found, endpoint.connections

    return asyncio.run(run())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304, 305])
@pytest.mark.parametrize("where", ["http://169.254.169.254/latest/", "//127.0.0.1:1/", "file:///etc/passwd", "/again"])
def test_a_redirect_is_an_answer_and_nobody_goes_there(kit: Any, status: int, where: str) -> None:
    head = f"HTTP/1.1 {status} X\r\nlocation: {where}\r\ncontent-length: 0\r\n\r\n".encode()
    found, connections = play(kit, head, OK)
    assert found == [f"{status} b''", "200 b'ok'"]
    assert connections == 1


def test_a_refresh_header_and_an_alternative_service_lead_nowhere(kit: Any) -> None:
    more = b'refresh: 0; url=http://127.0.0.1:1/\r\nalt-svc: h2="127.0.0.1:1"; ma=9\r\n'
    found, connections = play(kit, OK.replace(b"\r\n\r\n", b"\r\n" + more + b"\r\n"), OK)
    assert (found, connections) == (["200 b'ok'"] * 2, 1)


def test_httpx_asked_to_follow_a_redirect_inside_is_refused_there(kit: Any) -> None:
    async def run() -> None:
        inside = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
        async with kit.serve(inside) as endpoint, kit.going_out() as egress:
            client = egress.http_for((endpoint.origin,), 5).client
            with pytest.raises(httpx.UnsupportedProtocol, match="metadata"):
                await client.get(endpoint.origin, follow_redirects=True)

    asyncio.run(run())


@pytest.mark.parametrize(
    "first",
    [
        OK + SECOND,
        b"HTTP/1.1 204 No Content\r\n\r\n" + SECOND,
        b"HTTP/1.1 304 Not Modified\r\ncontent-length: 70\r\n\r\n" + SECOND,
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" + SECOND,
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND,
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
        % (len(SECOND), SECOND),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n" + SECOND,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nx: y\r\n\r\n" + SECOND,
    ],
)
def test_a_second_answer_that_nobody_asked_for_is_given_to_nobody(kit: Any, first: bytes) -> None:
    found, _ = play(kit, first, OK, OK)
    assert "forged" not in "".join(found[1:])
    assert found[-1] in {"200 b'ok'", "reset", "protocol"}
    assert not found[0].startswith("200 b'HTTP")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 5\r\n\r\nokabc", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2, 5\r\n\r\nokabc", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nok", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nok", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0x2\r\n\r\nok", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\nok", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok\r\n", {"protocol", "reset"}),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-2\r\nok\r\n", {"protocol", "reset"}),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nok\r\n", {"protocol", "reset"}),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokok\r\n", {"protocol", "reset"}),
        (b"HTTP/1.1 200 OK\r\nx: a\r\n folded\r\ncontent-length: 2\r\n\r\nok", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\nx\0y: a\r\ncontent-length: 2\r\n\r\nok", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 2\r\n\r\nok", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nok", {"protocol"}),
        (b"HTTP/9.9 200 OK\r\ncontent-length: 2\r\n\r\nok", {"protocol"}),
        (b"HTTP/1.1 99 Low\r\ncontent-length: 2\r\n\r\nok", {"protocol"}),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", {"protocol", "101 b''"}),
        (b"ok\r\n\r\n", {"protocol"}),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", {"protocol"}),
        (b"\x16\x03\x01\x02\x00\x01\x00", {"protocol", "reset"}),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\njunk", {"protocol", "reset"}),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 4\r\n\r\njunk", {"protocol", "reset"}),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: zstd\r\ncontent-length: 4\r\n\r\njunk", {"protocol", "reset"}),
    ],
)
def test_framing_that_can_be_read_in_two_ways_is_no_answer(kit: Any, answer: bytes, expected: set[str]) -> None:
    found, _ = play(kit, answer)
    assert found[0] in expected


def test_many_interim_answers_are_passed_over_within_the_time(kit: Any) -> None:
    found, _ = play(kit, b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 50 + OK)
    assert found == ["200 b'ok'"]

    async def endless(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0)

    async def run() -> None:
        async with kit.serve(endless) as endpoint, kit.going_out() as egress:
            assert await outcome(egress.http_for((endpoint.origin,), 0.5), endpoint.origin) == "timeout"

    asyncio.run(run())


@pytest.mark.parametrize("line", [b"x: " + b"y" * 60_000 + b"\r\n", b"x: y\r\n", b"x" * 60_000])
def test_a_head_without_end_is_cut_off(kit: Any, line: bytes) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(line)
            await writer.drain()
            await asyncio.sleep(0)

    async def run() -> None:
        async with kit.serve(endless) as endpoint, kit.going_out() as egress:
            assert await outcome(egress.http_for((endpoint.origin,), 30), endpoint.origin) == "protocol"

    asyncio.run(run())


def bomb(name: str) -> tuple[str, bytes]:
    """Sixty megabytes in a few kilobytes, and how that is encoded."""
    zeros = b"\0" * 60_000_000
    if name == "brotli":
        return "br", base64.b64decode(BROTLI)
    if name == "deflate":
        return "deflate", zlib.compress(zeros)
    if name == "zstd":  # a frame of blocks that say: this byte, 131,072 times
        blocks = [(last | 1 << 1 | 131_072 << 3).to_bytes(3, "little") + b"\0" for last in (*[0] * 460, 1)]
        return "zstd", b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(blocks)
    packed = gzip.compress(zeros, mtime=0)  # the same bytes whenever it runs
    if name == "gzip":
        return "gzip", packed
    between = ", " if name == "nested" else "\r\ncontent-encoding: "
    return f"gzip{between}gzip", gzip.compress(packed, mtime=0)


@pytest.mark.parametrize("name", ["gzip", "deflate", "brotli", "zstd", "nested", "nested in two headers"])
def test_a_bomb_does_no_harm(kit: Any, name: str) -> None:
    encoding, body = bomb(name)
    assert len(body) < 100_000
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    [found], _ = play(kit, head + body)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 40_000  # KiB
    if name.startswith("nested"):  # one layer is taken off at most: then it is small
        assert found.startswith(r"200 b'\x1f\x8b") or found in {"too-large", "protocol"}, found
    else:
        assert found == "too-large"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "br", "identity"])
def test_a_drip_takes_no_longer_than_the_attempt(kit: Any, encoding: str) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: 1000\r\n\r\n".encode())
        for byte in gzip.compress(b"hello") if encoding == "gzip" else b"":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)
        await asyncio.Event().wait()

    async def run() -> None:
        async with kit.serve(drip) as endpoint, kit.going_out() as egress:
            assert await outcome(egress.http_for((endpoint.origin,), 0.4), endpoint.origin) == "timeout"

    asyncio.run(run())


def test_an_endpoint_that_ends_early_breaks_nothing_for_the_next_request(kit: Any) -> None:
    async def early(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
        await writer.drain()
        writer.close()

    async def run() -> None:
        async with kit.serve(early) as endpoint, kit.serve() as good, kit.going_out() as egress:
            trusted = (endpoint.origin, good.origin)
            assert await outcome(egress.http_for(trusted, 5), endpoint.origin) == "reset"
            assert await outcome(egress.http_for(trusted, 5), good.origin) == "200 b'ok'"

    asyncio.run(run())


@pytest.mark.parametrize("url", ["http://127.0.0.1..:{port}/", "http://127.1..:{port}/", "http://2130706433..:{port}/"])
def test_a_name_that_the_next_reading_takes_for_an_address_is_not_sent_to(kit: Any, url: str) -> None:
    async def run() -> None:
        public = ["93.184.216.34"]
        names = {"127.0.0.1.": public, "127.1.": public, "2130706433.": public, "127.0.0.1": public}
        async with kit.serve() as endpoint, kit.going_out(names=names) as egress:
            assert await outcome(egress.http_for((), 2), url.format(port=endpoint.port)) == "bad-url"
            assert endpoint.connections == 0

    asyncio.run(run())


def test_the_host_header_and_the_request_line_cannot_be_split_by_a_url(kit: Any) -> None:
    async def run() -> None:
        async with kit.serve() as endpoint, kit.going_out() as egress:
            http = egress.http_for((endpoint.origin,), 5)
            await http.send("GET", endpoint.origin + "/a b\u2028%0d%0aX-Evil:%20y?q=%0d%0a\u00e9 z#frag\\")
            line, *headers = endpoint.head.split(b"\r\n")
            assert line == b"GET /a%20b%E2%80%A8%0d%0aX-Evil:%20y?q=%0d%0a%C3%A9%20z HTTP/1.1"
            assert not [one for one in headers if one.lower().startswith(b"x-evil")]

    asyncio.run(run())
