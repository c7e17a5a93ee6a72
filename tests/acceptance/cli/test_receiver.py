"""`hookrt receiver` as a person uses it."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx

from hookrt.signing import SigningKey, new_secret, sign

Start = Callable[..., Any]
BODY = b'{"type":"User.Created","data":{"name":"Ada"}}'


def _url(line: str) -> str:
    found = re.search(r"http://\S+?(?=,|$)", line)
    assert found
    return found[0]


def _signed(secret: str, body: bytes, *, at: int | None = None) -> dict[str, str]:
    timestamp = int(time.time()) if at is None else at
    signature = sign([SigningKey.parse(secret)], "msg_1", timestamp, body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def test_it_verifies_signatures_and_answers_401_to_a_wrong_one(start: Start) -> None:
    secret = new_secret()
    receiver = start("receiver", "--port", "0", "--secret", secret)
    url = _url(receiver.wait_for("receiving on"))
    with httpx.Client(trust_env=False) as client:
        good = client.post(f"{url}/in?x=1", content=BODY, headers=_signed(secret, BODY))
        changed = client.post(url, content=BODY + b" ", headers=_signed(secret, BODY))
        old = client.post(url, content=BODY, headers=_signed(secret, BODY, at=1_600_000_000))
        unsigned = client.post(url, content=BODY)
    assert [answer.status_code for answer in (good, changed, old, unsigned)] == [204, 401, 401, 401]
    receiver.send(signal.SIGINT)
    assert receiver.end() == 0
    assert "POST /in?x=1  ✓ signature verified  → 204" in receiver.shown
    assert receiver.shown.count("✗ signature refused") == 3
    assert BODY.decode() in receiver.shown
    assert secret not in receiver.shown
    assert receiver.err[-1] == "receiver stopped"


def test_it_answers_as_told_and_shows_json_lines(start: Start) -> None:
    receiver = start("receiver", "--port", "0", "--status", "503", "--delay", "1ms", "-o", "json")
    url = _url(receiver.wait_for("receiving on"))
    answer = httpx.put(url, content=b"\x1b[31mred\xff", trust_env=False)
    assert answer.status_code == 503
    receiver.send(signal.SIGTERM)
    assert receiver.end() == 0
    shown = json.loads(receiver.out[0])
    assert shown["method"] == "PUT"
    assert shown["signature"] == "unchecked"
    assert shown["body"] == "\x1b[31mred\\xff"


def test_control_characters_of_a_body_do_not_reach_the_terminal(start: Start) -> None:
    receiver = start("receiver", "--port", "0", "--headers")
    url = _url(receiver.wait_for("receiving on"))
    odd = {"x-odd": "a\x80b".encode("latin-1")}
    httpx.post(f"{url}/%1b%5b2J", content=b"\x1b[2J\x07", headers=odd, trust_env=False)
    receiver.send(signal.SIGINT)
    assert receiver.end() == 0
    assert "\x1b" not in receiver.shown
    assert "\\x1b[2J\\x07" in receiver.shown


def test_a_port_in_use_is_one_sentence(hookrt: Callable[..., Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = hookrt("receiver", "--port", port)
    assert done.returncode == 1
    assert done.stderr.startswith(f"hookrt: port {port} on localhost is in use")
    assert len(done.stderr.splitlines()) == 1


def test_a_bad_secret_or_delay_is_wrong_usage(hookrt: Callable[..., Any]) -> None:
    for arguments in (["--secret", "whsec_!"], ["--delay", "12:30"], ["--port", "70000"], ["--status", "99"]):
        done = hookrt("receiver", *arguments)
        assert done.returncode == 2, done
        assert arguments[0] in done.stderr
        assert "Traceback" not in done.stderr
