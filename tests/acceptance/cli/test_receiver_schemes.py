"""`hookrt receiver` in the schemes of all sources: what is signed right is told, what is not is refused."""

from __future__ import annotations

import base64
import hmac
import json
import re
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from hookrt.signing import SigningKey, new_secret, sign

Start = Callable[..., Any]
SECRET = "a secret of both sides"


def mac(content: bytes, algorithm: str = "sha256", secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), content, algorithm).digest()


def logto(body: dict[str, Any], at: float) -> tuple[bytes, dict[str, str]]:
    content = json.dumps({"createdAt": datetime.fromtimestamp(at, UTC).isoformat(), **body}).encode()
    return content, {"logto-signature-sha-256": mac(content).hex()}


def github(body: dict[str, Any], at: float) -> tuple[bytes, dict[str, str]]:
    content = json.dumps(body).encode()
    named = {"x-github-event": "pull_request", "x-github-delivery": "d-1"}
    return content, {"x-hub-signature-256": f"sha256={mac(content).hex()}", **named}


def stripe(body: dict[str, Any], at: float) -> tuple[bytes, dict[str, str]]:
    content = json.dumps(body).encode()
    return content, {"stripe-signature": f"t={at:.0f},v1={mac(b'%.0f.' % at + content).hex()}"}


def slack(body: dict[str, Any], at: float) -> tuple[bytes, dict[str, str]]:
    content = json.dumps(body).encode()
    signature = f"v0={mac(b'v0:%.0f:' % at + content).hex()}"
    return content, {"x-slack-signature": signature, "x-slack-request-timestamp": f"{at:.0f}"}


def shopify(body: dict[str, Any], at: float) -> tuple[bytes, dict[str, str]]:
    content = json.dumps(body).encode()
    signature = base64.b64encode(mac(content)).decode()
    return content, {"x-shopify-hmac-sha256": signature, "x-shopify-topic": "orders/create"}


def gitlab(body: dict[str, Any], at: float) -> tuple[bytes, dict[str, str]]:
    return json.dumps(body).encode(), {"x-gitlab-token": SECRET}


def token(body: dict[str, Any], at: float) -> tuple[bytes, dict[str, str]]:
    return json.dumps(body).encode(), {"authorization": f"Bearer {SECRET.replace(' ', '-')}"}


def cloudevents(body: dict[str, Any], at: float) -> tuple[bytes, dict[str, str]]:
    content, headers = token(body, at)
    named = {"ce-specversion": "1.0", "ce-id": "c-1", "ce-type": "order.made", "ce-source": "/shop"}
    return content, {**headers, **named}


SENDERS: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (logto, {"event": "PostSignIn", "userId": "u1"}, "PostSignIn"),
    (github, {"action": "opened", "repository": {"full_name": "octo/hello"}}, "pull_request.opened"),
    (stripe, {"id": "evt_1", "type": "invoice.paid", "data": {"object": {"id": "in_1"}}}, "invoice.paid"),
    (slack, {"type": "event_callback", "event_id": "E1", "event": {"type": "app_mention"}}, "app_mention"),
    (shopify, {"id": 1}, "orders.create"),
    (gitlab, {"object_kind": "push"}, "push"),
    (token, {"type": "door.opened"}, "door.opened"),
    (cloudevents, {"n": 1}, "order.made"),
]


class Shown:
    """A receiver of JSON lines, and what it said of each request."""

    def __init__(self, start: Start, *arguments: str) -> None:
        self.running = start("receiver", "--port", "0", "-o", "json", *arguments)
        found = re.search(r"http://\S+?(?=,|$)", self.running.wait_for("receiving on"))
        assert found
        self.client = httpx.Client(base_url=found[0], trust_env=False, timeout=30)

    def send(self, body: bytes, headers: dict[str, str], method: str = "POST") -> tuple[httpx.Response, Any]:
        headers = {"content-type": "application/json", **headers}
        answer = self.client.request(method, "/", content=body, headers=headers)
        return answer, json.loads(self.running.wait_for("{"))

    def end(self) -> str:
        self.client.close()
        self.running.send(signal.SIGINT)
        assert self.running.end() == 0
        return str(self.running.shown)


def test_the_scheme_is_found_out_and_each_of_several_secrets_will_do(start: Start) -> None:
    standard = new_secret()
    shown = Shown(
        start, "--secret", "another one", "--secret", SECRET, "--secret", SECRET.replace(" ", "-"), "--secret", standard
    )
    now = time.time()
    for sender, body, expected in SENDERS:
        answer, line = shown.send(*sender(body, now))
        assert (answer.is_success, line["signature"], line["scheme"]) == (True, "verified", sender.__name__), line
        assert [event["type"] for event in line["events"]] == [expected]
    content = b'{"type":"User.Created"}'
    signature = sign([SigningKey.parse(standard)], "msg_1", int(now), content)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now)), "webhook-signature": signature}
    _, line = shown.send(content, headers)
    assert (line["scheme"], line["events"][0]["id"]) == ("standard_webhooks", "msg_1")
    text = shown.end()
    assert standard not in text
    assert SECRET.replace(" ", "-") not in text, "the token that a sender shows"


def test_what_is_not_signed_right_is_refused_with_the_reason(start: Start) -> None:
    shown = Shown(start, "--secret", SECRET)
    now = time.time()
    for sender, body, _ in SENDERS[:5]:
        content, headers = sender(body, now)
        answer, line = shown.send(content + b" ", headers)
        assert (answer.status_code, line["answered"], line["reason"]) == (401, 401, "bad-signature")
        assert (line["scheme"], line["events"]) == (sender.__name__, [])
        assert line["why"] + "\n" == answer.text
    for sender, body, _ in (SENDERS[0], SENDERS[2], SENDERS[3]):
        for lag in (3600, -3600):
            answer, line = shown.send(*sender(body, now - lag))
            assert (answer.status_code, line["reason"]) == (401, "too-old")
            if sender is not logto:
                assert abs(line["age_s"] - lag) < 60
    _, line = shown.send(b"{}", {})
    assert line["why"] == "it carries no signature that is known here: name its scheme with --scheme"
    content = b"no json"
    answer, line = shown.send(
        content, {"x-hub-signature-256": f"sha256={mac(content).hex()}", "x-github-event": "push"}
    )
    assert (answer.status_code, line["reason"]) == (400, "malformed")
    assert mac(content).hex() not in answer.text
    shown.end()


def test_slacks_challenge_is_answered(start: Start) -> None:
    shown = Shown(start, "--scheme", "slack", "--secret", SECRET, "--status", "503")
    answer, line = shown.send(*slack({"type": "url_verification", "challenge": "3eZbrw1aB"}, time.time()))
    assert (answer.status_code, answer.json(), line["answered"]) == (200, {"challenge": "3eZbrw1aB"}, 200)
    answer, _ = shown.send(*slack({"type": "event_callback", "event": {"type": "app_mention"}}, time.time()))
    assert answer.status_code == 503
    shown.end()


def test_a_described_scheme_takes_its_settings(start: Start) -> None:
    settings = (
        "header=X-Sign",
        "encoding=base64",
        "content={timestamp}.{body}",
        "timestamp_header=X-Time",
        "tolerance=1h",
    )
    options = [part for setting in settings for part in ("--set", setting)]
    shown = Shown(start, "--scheme", "hmac", "--secret", SECRET, *options)
    at = int(time.time()) - 600
    signature = base64.b64encode(mac(b"%d.{}" % at)).decode()
    answer, line = shown.send(b"{}", {"x-sign": signature, "x-time": str(at)})
    assert (answer.status_code, line["signature"], line["events"][0]["type"]) == (204, "verified", "webhook.received")
    assert 600 <= line["age_s"] < 660
    answer, _ = shown.send(b"{}", {"x-sign": signature}, "PUT")
    assert answer.status_code == 405
    shown.end()


def test_a_user_and_a_password_and_twilios_own_answer(start: Start) -> None:
    shown = Shown(start, "--scheme", "basic", "--secret", SECRET, "--set", "username=printer")
    answer, _ = shown.send(b"{}", {"authorization": "Basic " + base64.b64encode(f"printer:{SECRET}".encode()).decode()})
    assert answer.status_code == 204
    answer, _ = shown.send(b"{}", {})
    assert (answer.status_code, "www-authenticate" in answer.headers) == (401, True)
    shown.end()
    url = "https://hooks.example.com/in/twilio"
    shown = Shown(start, "--scheme", "twilio", "--secret", SECRET, "--set", f"url={url}")
    signature = base64.b64encode(mac(f"{url}MessageSidSM1MessageStatussent".encode(), "sha1")).decode()
    form = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
    answer, line = shown.send(b"MessageSid=SM1&MessageStatus=sent", form)
    assert (line["signature"], answer.headers["content-type"]) == ("verified", "text/xml"), line
    shown.end()


def test_the_first_answers_to_each_message_fail_as_told_and_repetitions_are_counted(start: Start) -> None:
    shown = Shown(start, "--scheme", "github", "--secret", SECRET, "--fail", "2")
    content, headers = github({"action": "opened"}, 0)
    found = [shown.send(content, {**headers, "x-github-delivery": name}) for name in ("d1", "d1", "d2", "d1", "d1")]
    assert [answer.status_code for answer, _ in found] == [500, 500, 500, 204, 204]
    assert [line["seen"] for _, line in found] == [1, 2, 1, 3, 4]
    shown.end()


def test_it_is_shown_to_people(start: Start) -> None:
    running = start("receiver", "--port", "0", "--secret", SECRET)
    found = re.search(r"http://\S+?(?=,|$)", running.wait_for("receiving on"))
    assert found
    content, headers = logto({"event": "PostSignIn", "userId": "u\x1b[2J1"}, time.time() - 7)
    for _ in range(2):
        httpx.post(found[0], content=content, headers={"content-type": "application/json", **headers}, trust_env=False)
    running.send(signal.SIGINT)
    assert running.end() == 0
    assert re.search(
        r"✓ signature verified  → 204\n    logto  sent [78] s ago\n    PostSignIn  id sha256:", running.shown
    )
    assert "logto  sent" in running.shown
    assert "the same for the 2nd time" in running.shown
    assert "\x1b" not in running.shown
    assert SECRET not in running.shown


def test_sources_of_plugins_are_schemes_too(start: Start, tmp_path: Path) -> None:
    (tmp_path / "acme_source.py").write_text('''
from hookrt.plugin import Inbound, InboundSettings, InboundSource, Received, Refused, impl, matches_any


class AcmeSettings(InboundSettings):
    pass


class Acme(InboundSource[AcmeSettings]):
    """Webhooks of Acme."""

    name = "acme"

    def receive(self, request: Inbound, settings: AcmeSettings) -> Received:
        if not matches_any(request.require("x-acme"), settings.plain_secrets):
            raise Refused("bad-signature", "x-acme does not match")
        if request.query.get("fault"):
            raise RuntimeError("a fault of the plugin")
        return Received("acme.called", request.data(), id="a1")


@impl
def hookrt_sources():
    return [Acme]
''')
    about = tmp_path / "acme-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[hookrt]\nacme = acme_source\n")
    for options in (["--scheme", "acme"], []):
        shown = Shown(start, "--secret", SECRET, *options)
        answer, line = shown.send(b"{}", {"x-acme": SECRET})
        assert (answer.status_code, line["scheme"], line["events"][0]["type"]) == (204, "acme", "acme.called")
        shown.end()
    shown = Shown(start, "--secret", SECRET, "--scheme", "acme")
    answer = shown.client.post("/?fault=1", headers={"x-acme": SECRET})
    assert (answer.status_code, answer.text) == (500, "the source 'acme' failed with RuntimeError\n")
    assert "Traceback" not in shown.end()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scheme", "gihub", "--secret", "x"], "github"),
        (["--scheme", "schedule", "--secret", "x"], "there is no scheme 'schedule'"),
        (["--scheme", "github"], "it needs --secret"),
        (["--scheme", "hmac", "--secret", "x"], "it needs --set header=..."),
        (["--scheme", "github", "--secret", "x", "--set", "color=red"], "there is no setting 'color'"),
        (["--scheme", "github", "--secret", "x", "--set", "type=y"], "'type' cannot be set here"),
        (["--scheme", "stripe", "--secret", "x", "--set", "tolerance=soon"], "tolerance: 'soon' is no duration"),
        (["--scheme", "standard", "--secret", "s3cret-text"], "whsec_"),
        (["--scheme", "github", "--secret", "x", "--set", "color"], "'color' is not KEY=VALUE"),
        (["--secret", "x", "--set", "header=X"], "--scheme"),
        (["--fail", "-1"], "--fail"),
    ],
)
def test_what_cannot_be_a_scheme_is_wrong_usage(hookrt: Callable[..., Any], arguments: list[str], said: str) -> None:
    done = hookrt("receiver", *arguments, env={"COLUMNS": "200"})
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr
    assert "s3cret-text" not in done.stderr
