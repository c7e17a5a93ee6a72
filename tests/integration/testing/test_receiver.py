"""The receiver is a real server: what comes over the wire is kept, and answered as told."""

import asyncio
import http.client
import socket
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from hookrt.plugin import HttpError
from hookrt.signing import SigningKey, VerificationError, new_secret, sign
from hookrt.testing import Answer, Receiver, real_http


@pytest.fixture
def receiver():
    with Receiver() as started:
        yield started


@pytest.fixture
def client():
    with httpx.Client(trust_env=False) as opened:
        yield opened


def signed(secret, body, moment=None):
    timestamp = int((moment or datetime.now(UTC)).timestamp())
    signature = sign([SigningKey.parse(secret)], "msg_1", timestamp, body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(timestamp), "webhook-signature": signature}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_request_is_kept_as_it_came(receiver, client, method):
    client.request(method, receiver.url + "/a/b?x=1&y=%20&z", headers={"X-Custom": "v"}, content=b'{"n": 1}')
    (request,) = receiver.requests
    assert (request.method, request.path, request.query) == (method, "/a/b", {"x": "1", "y": " ", "z": ""})
    assert request.url == receiver.url + "/a/b?x=1&y=%20&z"
    assert request.headers["x-custom"] == "v"
    assert (request.body, request.text, request.json) == (b'{"n": 1}', '{"n": 1}', {"n": 1})


def test_without_instructions_every_request_gets_an_empty_200(receiver, client):
    answers = [client.post(receiver.url, content=b"x") for _ in range(3)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 3
    assert len(receiver.requests) == 3


def test_answers_are_given_in_order_and_the_last_one_stays(receiver, client):
    receiver.answer(Answer(503, headers={"Retry-After": "7"}), Answer(201, json={"id": 1}), Answer(200, "fine"))
    first, second, third, fourth = (client.get(receiver.url) for _ in range(4))
    assert (first.status_code, first.headers["retry-after"]) == (503, "7")
    assert (second.json(), second.headers["content-type"]) == ({"id": 1}, "application/json")
    assert (third.text, fourth.text) == ("fine", "fine")


def test_an_answer_may_depend_on_the_request(receiver, client):
    receiver.answer(lambda request: Answer(200 if request.json["ok"] else 422))
    assert client.post(receiver.url, json={"ok": True}).status_code == 200
    assert client.post(receiver.url, json={"ok": False}).status_code == 422


def test_an_answer_function_that_fails_is_not_swallowed(receiver, client):
    receiver.answer(lambda request: 1 / 0)
    answer = client.get(receiver.url)
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.text


def test_no_answer_at_all_is_refused(receiver):
    with pytest.raises(ValueError, match="at least one answer"):
        receiver.answer()


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(receiver, client, status):
    receiver.answer(Answer(status, "ignored"))
    assert client.get(receiver.url).content == b""
    assert client.get(receiver.url).status_code == status


def test_a_head_request_gets_the_head_only(receiver, client):
    receiver.answer(Answer(200, "body"))
    answer = client.head(receiver.url)
    assert (answer.headers["content-length"], answer.content) == ("4", b"")
    assert client.get(receiver.url).text == "body"


def test_a_chunked_request_is_read_whole(receiver, client):
    client.post(receiver.url, content=iter([b"one ", b"two ", b"three"]))
    assert receiver.requests[0].body == b"one two three"


def test_connections_are_kept_open(receiver):
    connection = http.client.HTTPConnection(receiver.url.removeprefix("http://"))
    for _ in range(3):
        connection.request("POST", "/", b"x")
        connection.getresponse().read()
    assert len({request.headers["host"] for request in receiver.requests}) == 1
    assert connection.sock is not None
    connection.close()


def test_a_signature_is_verified(receiver, client):
    secret, body = new_secret(), b'{"type":"A"}'
    client.post(receiver.url, content=body, headers=signed(secret, body))
    receiver.verify(secret)
    with pytest.raises(VerificationError):
        receiver.verify(new_secret())


def test_a_signature_may_be_verified_at_the_time_of_a_fake_clock(receiver, client):
    secret, body, then = new_secret(), b"{}", datetime(2025, 1, 1, tzinfo=UTC)
    client.post(receiver.url, content=body, headers=signed(secret, body, then))
    receiver.verify(secret, now=then + timedelta(minutes=1))
    with pytest.raises(VerificationError):
        receiver.verify(secret)


def test_verifying_nothing_is_an_error(receiver):
    with pytest.raises(AssertionError, match="no request"):
        receiver.verify(new_secret())


def test_waiting_for_requests_returns_them(receiver, client):
    sender = threading.Thread(target=lambda: [client.get(f"{receiver.url}/{number}") for number in range(3)])
    sender.start()
    requests = receiver.wait_for(3)
    sender.join()
    assert [request.path for request in requests] == ["/0", "/1", "/2"]


def test_waiting_in_vain_says_how_many_came(receiver, client):
    client.get(receiver.url)
    with pytest.raises(TimeoutError, match=r"1 of 2 requests came within 0\.01 s"):
        receiver.wait_for(2, timeout=0.01)


def test_requests_can_be_forgotten(receiver, client):
    client.get(receiver.url)
    receiver.forget()
    assert receiver.requests == ()


def test_an_answer_that_never_comes_is_a_timeout_of_the_client(receiver):
    receiver.answer(Answer(fault="timeout"))

    async def send():
        async with real_http(timedelta(seconds=0.2)) as http:
            await http.send("GET", receiver.url)

    with pytest.raises(HttpError) as raised:
        asyncio.run(send())
    assert raised.value.reason == "timeout"


def test_a_reset_is_a_reset(receiver):
    receiver.answer(Answer(fault="reset"))
    host, port = receiver.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(100)


def test_a_fault_that_a_server_cannot_make_is_said(receiver, client):
    receiver.answer(Answer(fault="dns"))
    assert "cannot do the fault 'dns'" in client.get(receiver.url).text


def test_it_works_in_an_event_loop():
    async def main():
        async with Receiver() as receiver, real_http() as http:
            receiver.answer(Answer(202))
            answers = await asyncio.gather(*(http.send("POST", receiver.url, json={"n": n}) for n in range(20)))
            requests = await receiver.received(20)
        return {answer.status_code for answer in answers}, sorted(request.json["n"] for request in requests)

    assert asyncio.run(main()) == ({202}, list(range(20)))


def test_closing_it_ends_open_connections_and_its_threads():
    before = threading.active_count()
    receiver = Receiver()
    receiver.start()
    receiver.answer(Answer(), Answer(fault="timeout"))
    idle = http.client.HTTPConnection(receiver.url.removeprefix("http://"))
    idle.request("GET", "/")
    idle.getresponse().read()
    hanging = http.client.HTTPConnection(receiver.url.removeprefix("http://"))
    hanging.request("GET", "/")
    receiver.wait_for(2)
    receiver.close()
    receiver.close()
    assert threading.active_count() == before
    idle.close()
    hanging.close()


def test_a_receiver_that_is_not_started_has_no_url():
    with pytest.raises(RuntimeError, match="not started"):
        Receiver().url  # noqa: B018


def test_a_client_that_talks_nonsense_harms_nobody(receiver, client):
    host, port = receiver.url.removeprefix("http://").split(":")
    for nonsense in (b"\x16\x03\x01nonsense\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"GET /"):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(nonsense)
    assert client.get(receiver.url).status_code == 200
