"""What an action sees of the way out: sending, answers, the record, and the httpx face."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from hookrt.plugin import Http, HttpError, Outcome, OutcomeKind, Response


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def exchange(kit, reply, **sent):
    """Send one request to an endpoint with this reply; give the response, the call and the endpoint."""

    async def run():
        async with kit.serve(reply) as endpoint, kit.going_out() as egress:
            http: Http = egress.http_for((endpoint.origin,), 10)
            response: Response = await http.send(sent.pop("method", "POST"), endpoint.origin + "/in?a=1", **sent)
            return response, http, endpoint

    return asyncio.run(run())


def test_bytes_go_out_as_they_are_with_our_user_agent(kit):
    _, _, endpoint = exchange(kit, kit.OK, content=b"\x00\xff raw", headers={"X-A": "b"})
    assert endpoint.body == b"\x00\xff raw"
    head = endpoint.head.lower()
    assert b"post /in?a=1 http/1.1\r\n" in head
    assert b"\r\nx-a: b\r\n" in head
    assert b"\r\nuser-agent: hookrt" in head
    assert b"referer" not in head


def test_text_json_and_params_are_encoded(kit):
    _, _, endpoint = exchange(kit, kit.OK, content="grün", params={"b": "ü &"})
    assert endpoint.body == "grün".encode()
    assert b"/in?a=1&b=%C3%BC+%26 " in endpoint.head
    _, _, endpoint = exchange(kit, kit.OK, json={"n": None})
    assert endpoint.body == b'{"n":null}'
    assert b"content-type: application/json" in endpoint.head.lower()
    _, _, endpoint = exchange(kit, kit.OK, json=None, headers={"Content-Type": "application/x"})
    assert endpoint.body == b"null"
    assert endpoint.head.lower().count(b"content-type:") == 1


def test_without_a_body_none_is_sent(kit):
    _, _, endpoint = exchange(kit, kit.OK, method="GET")
    assert endpoint.body == b""
    assert b"content-length" not in endpoint.head.lower()


def test_headers_are_found_without_regard_to_case_and_repeated_ones_joined(kit):
    response, _, _ = exchange(kit, answer(b"", b"X-One: 1", b"Set-Cookie: a=1", b"Set-Cookie: b=2", b"X-Odd: \xe4"))
    assert response.headers["X-ONE"] == response.headers["x-one"] == response.headers.get("X-One") == "1"
    assert response.headers["set-cookie"] == "a=1, b=2"
    assert response.headers["x-odd"] == "\ufffd"
    assert "X-One" in response.headers
    assert "x-two" not in response.headers
    assert response.headers.get("x-two") is None
    assert "a=1" not in repr(response.headers)


def test_text_follows_the_declared_charset_and_never_fails(kit):
    response, _, _ = exchange(kit, answer("grün".encode("latin-1"), b"content-type: text/plain; charset=ISO-8859-1"))
    assert response.text == "grün"
    for charset in (b"punycode", b"zlib", b"no-such-thing", b"utf-8"):
        response, _, _ = exchange(kit, answer(b"gr\xfcn", b'content-type: text/plain; charset="%s"' % charset))
        assert response.text == "gr\ufffdn"


def test_json_is_decoded_and_what_is_none_is_a_value_error(kit):
    response, _, _ = exchange(kit, answer(b'{"a": [1, null]}'))
    assert response.json() == {"a": [1, None]}
    for body in (b"", b"<html>", b"[" * 5000 + b"]" * 5000, b'"\xff"'):
        response, _, _ = exchange(kit, answer(body))
        with pytest.raises(ValueError, match="JSON"):
            response.json()


def test_a_compressed_answer_is_decoded(kit):
    import gzip

    response, _, _ = exchange(kit, answer(gzip.compress(b"hello"), b"content-encoding: gzip"))
    assert response.content == b"hello"


def test_an_outcome_is_made_from_a_response(kit):
    response, _, _ = exchange(kit, answer(b"", b"Retry-After: 7", status=b"503 Busy"))
    outcome = Outcome.from_response(response)
    assert outcome.kind is OutcomeKind.RETRY
    assert outcome.retry_after == timedelta(seconds=7)


def test_the_attempts_deadline_holds_for_all_its_requests_and_a_timeout_only_shortens_it(kit):
    async def run():
        async def script(writer):
            await asyncio.Event().wait()

        async with kit.serve(script) as endpoint, kit.going_out() as egress:
            http = egress.http_for((endpoint.origin,), 0.3)
            with pytest.raises(HttpError, match="did not answer"):
                await http.send("GET", endpoint.origin, timeout=timedelta(hours=1))
            with pytest.raises(HttpError, match="no time was left"):
                await http.send("GET", endpoint.origin)
            http.restart()  # as for an attempt that had to wait for its place
            with pytest.raises(HttpError, match="did not answer"):
                await http.send("GET", endpoint.origin)
            with pytest.raises(HttpError, match=r"within 0\.1 s"):
                await egress.http_for((endpoint.origin,), 60).send(
                    "GET", endpoint.origin, timeout=timedelta(seconds=0.1)
                )

    asyncio.run(run())


def test_the_exchange_is_recorded_with_secrets_masked(kit):
    reply = answer(b'{"echo": "hunter2"}', b"Set-Cookie: sid=abc", b"X-Echo: hunter2")
    headers = {"Authorization": "Bearer abc", "webhook-signature": "v1,abc", "X-Token": "abc", "x-a": "is hunter2"}
    _, http, endpoint = exchange(kit, reply, headers=headers, content=b"pass=hunter2", params={"key": "hunter2"})
    recorded = http.exchange
    assert recorded.method == "POST"
    assert recorded.url == endpoint.origin + "/in?a=1&key=***"
    assert recorded.request_headers == {
        "Authorization": "***",
        "webhook-signature": "***",
        "X-Token": "***",
        "x-a": "is ***",
    }
    assert recorded.request_body == "pass=***"
    assert recorded.status == 200
    assert recorded.response_headers["set-cookie"] == "***"
    assert recorded.response_headers["x-echo"] == "***"
    assert recorded.response_body == '{"echo": "***"}'
    assert recorded.address == "127.0.0.1"


def test_a_request_without_an_answer_is_recorded_too(kit):
    async def run():
        async with kit.going_out() as egress:
            origin = f"http://127.0.0.1:{kit.free_port()}"
            http = egress.http_for((origin,), 5)
            assert http.exchange is None
            with pytest.raises(HttpError):
                await http.send("POST", origin, content=b"x")
            assert http.exchange.status is None
            assert http.exchange.request_body == "x"

    asyncio.run(run())


def test_httpx_goes_the_same_way(kit):
    async def run():
        async with kit.serve(answer(b'{"a": 1}', b"X-A: 1", b"X-A: 2")) as endpoint, kit.going_out() as egress:
            http = egress.http_for((endpoint.origin,), 5)
            response = await http.client.post(endpoint.origin + "/x", json={"b": 2}, headers={"x-b": "c"})
            assert isinstance(response, httpx.Response)
            assert response.json() == {"a": 1}
            assert response.headers.get_list("x-a") == ["1", "2"]
            assert endpoint.body == b'{"b":2}'
            assert endpoint.head.lower().count(b"\r\nhost:") == 1
            assert endpoint.head.lower().count(b"\r\ncontent-length:") == 1
            assert http.exchange.request_body == '{"b":2}'
            assert http.client is http.client
            await http.client.get(endpoint.origin)
            assert endpoint.body == b""

    asyncio.run(run())


def test_httpx_errors_are_ours_and_httpx_own(kit):
    async def run():
        async def script(writer):
            await asyncio.Event().wait()

        async with kit.serve(script) as endpoint, kit.going_out() as egress:
            http = egress.http_for((endpoint.origin,), 5)
            with pytest.raises(httpx.UnsupportedProtocol) as raised:
                await http.client.get("http://127.0.0.1:1/")
            assert isinstance(raised.value, HttpError)
            assert raised.value.reason == "blocked-address"
            assert raised.value.request.method == "GET"
            with pytest.raises(httpx.TimeoutException) as timed_out:
                await http.client.get(endpoint.origin, timeout=0.2)
            assert timed_out.value.reason == "timeout"
            closed = f"http://127.0.0.1:{kit.free_port()}"
            with pytest.raises(httpx.ConnectError, match="refused"):
                await egress.http_for((closed,), 5).client.get(closed)

    asyncio.run(run())


def test_httpx_following_a_redirect_passes_the_guard_again(kit):
    async def run():
        async with kit.serve() as inner:
            to = answer(b"", b"Location: " + inner.origin.encode(), status=b"302 Found")
            async with kit.serve(to) as outer, kit.going_out() as egress:
                http = egress.http_for((outer.origin,), 5)
                with pytest.raises(HttpError) as raised:
                    await http.client.get(outer.origin, follow_redirects=True)
                assert raised.value.reason == "blocked-address"
                assert inner.connections == 0

    asyncio.run(run())


def test_httpx_is_imported_only_by_those_who_use_it():
    import subprocess
    import sys

    code = "import sys, hookrt.egress; assert 'httpx' not in sys.modules, 'imported'"
    subprocess.run([sys.executable, "-c", code], check=True)
