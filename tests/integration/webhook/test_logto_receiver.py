"""A receiver written for Logto's webhooks, by Logto's documentation alone, gets them from hookrt and works unchanged.

docs.logto.io/developers/webhooks: the signature in `logto-signature-sha-256` is the hex digest of an HMAC-SHA256 of
the raw body with the signing key; the body has `event`, `createdAt` and `hookId` beside the keys of the event; an
answer is 200. Retries: up to three more after a status of 500 and above.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hookrt import Runtime
from hookrt.model.delivery import Delivery, Status
from hookrt.testing import Answer, Receiver
from hookrt.testing.exchange import ReceivedRequest

KEY = "n2VqMsTcGnHV6KAEvNSTK3oRRc4Yk5JH"
HOOKS = """
service: {egress: {allow: [127.0.0.0/8]}, poll: 50ms}
destinations:
  app:
    url: URL/webhook
    format: logto
    signing: {scheme: logto, secret: "${{ secrets.LOGTO_KEY }}"}
    breaker: off
hooks:
  my-hook:
    on: "**"
    steps:
      - webhook: {to: app}
        retry: logto
        timeout: 500ms
"""


class LogtoReceiver:
    """What an application does that follows the documentation: check the signature, read the body, act by `event`."""

    def __init__(self) -> None:
        self.users: list[str] = []
        self.seen: list[dict[str, Any]] = []

    def __call__(self, request: ReceivedRequest) -> Answer:
        expected = request.headers["logto-signature-sha-256"]
        signature = hmac.new(KEY.encode(), request.body, hashlib.sha256).hexdigest()
        if signature != expected:
            return Answer(401)
        payload = json.loads(request.body)
        if payload["event"] in ("PostRegister", "PostSignIn"):
            self.users.append(
                f"{payload['user']['id']} of {payload['application']['name']} by {payload['interactionEvent']}"
            )
        elif payload["event"] == "User.Deleted":
            self.users.append(f"{payload['params']['userId']} is gone, {payload['method']} {payload['matchedRoute']}")
        elif payload["event"] == "Identifier.Lockout":
            self.users.append(f"{payload['type']} {payload['value']} from {payload['ip']}")
        self.seen.append(payload)
        return Answer(200)


SENT: Sequence[tuple[str, dict[str, Any]]] = [
    (
        "PostSignIn",
        {
            "interactionEvent": "SignIn",
            "sessionId": "s1",
            "userAgent": "Mozilla/5.0",
            "userId": "u1",
            "userIp": "203.0.113.5",
            "user": {"id": "u1", "username": "zoë", "primaryEmail": None},
            "application": {"id": "a1", "type": "SPA", "name": "Shop", "description": None},
        },
    ),
    (
        "User.Deleted",
        {
            "userAgent": "curl/8",
            "ip": "203.0.113.5",
            "path": "/users/u2",
            "method": "DELETE",
            "status": 204,
            "params": {"userId": "u2"},
            "matchedRoute": "/users/:userId",
        },
    ),
    ("Identifier.Lockout", {"ip": "203.0.113.5", "type": "email", "value": "a@example.com"}),
]


def deliver(tmp_path: Path, events: Sequence[tuple[str, Any]], *answers: Any) -> tuple[list[Delivery], Receiver]:
    """Emit these events, and wait until each is over."""

    async def run() -> tuple[list[Delivery], Receiver]:
        async with Receiver() as receiver:
            receiver.answer(*answers)
            path = tmp_path / "hooks.yaml"
            path.write_text(HOOKS.replace("URL", receiver.url))
            async with Runtime.from_file(path, store="memory:", env={"HOOKRT_SECRET_LOGTO_KEY": KEY}) as runtime:
                receipts = [await runtime.emit(type, data) for type, data in events]
                ended = [delivery for receipt in receipts for delivery in await receipt.wait(timeout=30)]
            return ended, receiver

    return asyncio.run(run())


def test_it_understands_every_family_of_events(tmp_path: Path) -> None:
    application = LogtoReceiver()
    ended, receiver = deliver(tmp_path, SENT, application)
    assert [one.status for one in ended] == [Status.SUCCEEDED] * 3
    assert sorted(application.users) == [
        "email a@example.com from 203.0.113.5",
        "u1 of Shop by SignIn",
        "u2 is gone, DELETE /users/:userId",
    ]
    assert {payload["hookId"] for payload in application.seen} == {"my-hook"}
    assert all(request.headers["content-type"] == "application/json" for request in receiver.requests)
    assert all(request.headers["user-agent"] == "Logto (https://logto.io/)" for request in receiver.requests)


def test_a_body_that_was_changed_on_its_way_is_refused(tmp_path: Path) -> None:
    _, receiver = deliver(tmp_path, SENT[:1], Answer(200))
    [request] = receiver.requests
    application = LogtoReceiver()
    assert application(request).status == 200
    forged = ReceivedRequest(request.method, request.url, request.headers, request.body.replace(b"u1", b"u9"))
    assert application(forged).status == 401


@pytest.mark.parametrize("status", [500, 501, 599])
def test_a_server_error_is_tried_three_more_times_and_is_one_delivery(tmp_path: Path, status: int) -> None:
    [ended], receiver = deliver(tmp_path, SENT[:1], Answer(status))
    assert (ended.status, ended.reason, len(receiver.requests)) == (Status.DEAD, "status", 4)
    assert len({(request.body, request.headers["logto-signature-sha-256"]) for request in receiver.requests}) == 1


def test_a_success_ends_the_attempts(tmp_path: Path) -> None:
    [ended], receiver = deliver(tmp_path, SENT[:1], Answer(500), Answer(502), Answer(200))
    assert (ended.status, len(receiver.requests)) == (Status.SUCCEEDED, 3)


@pytest.mark.parametrize("wish", ["0", "86400"])
def test_retry_after_is_not_listened_to(tmp_path: Path, wish: str) -> None:
    [ended], receiver = deliver(tmp_path, SENT[:1], Answer(503, headers={"retry-after": wish}))
    assert (ended.status, len(receiver.requests)) == (Status.DEAD, 4)


@pytest.mark.parametrize(
    "answer", [Answer(400), Answer(429), Answer(302), Answer(fault="reset"), Answer(fault="timeout")]
)
def test_other_answers_and_none_at_all_are_not_tried_again(tmp_path: Path, answer: Answer) -> None:
    [ended], receiver = deliver(tmp_path, SENT[:1], answer)
    assert (ended.status, len(receiver.requests)) == (Status.DEAD, 1)
