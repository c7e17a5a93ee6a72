"""GitHub's webhooks, as https://docs.github.com/en/webhooks/webhook-events-and-payloads describes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from hookrt.plugin import Inbound, Refused, check_pattern, matches
from hookrt.sources.github import GitHub

Change = Callable[..., Inbound]

# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries («Testing the webhook payload
# validation»)
SECRET = "It's a Secret to Everybody"
PAYLOAD = b"Hello, World!"
SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def vector(body: bytes, signature: str = SIGNATURE) -> Refused:
    headers = {"x-hub-signature-256": signature, "x-github-event": "push"}
    request = Inbound("POST", "https://example.com/in/github", headers, {}, body, datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(Refused) as caught:
        GitHub().receive(request, GitHub.settings.model_validate({"secret": SECRET}))  # type: ignore[arg-type]
    return caught.value


def test_githubs_own_test_vector_verifies() -> None:
    assert vector(PAYLOAD).reason == "malformed", "verified, and then found to be no JSON"
    assert vector(PAYLOAD + b"!").reason == "bad-signature"
    assert vector(PAYLOAD, SIGNATURE[:-1] + "8").reason == "bad-signature"


@pytest.mark.parametrize(
    ("event", "body", "type_", "subject"),
    [
        ("push", b'{"ref":"refs/heads/main","repository":{"full_name":"octo/hello"}}', "push", "octo/hello"),
        ("pull_request", b'{"action":"opened","organization":{"login":"octo"}}', "pull_request.opened", "octo"),
        ("ping", b'{"zen":"Design for failure.","hook_id":1}', "ping", None),
        ("repository_dispatch", b'{"action":"my deploy.prod*"}', "repository_dispatch.my_deploy.prod_", None),
        ("issues", b'{"action":null,"repository":{"full_name":5},"organization":[]}', "issues", None),
        ("issues", b'{"action":{"a":1},"enterprise":{"slug":"corp"}}', "issues", "corp"),
        ("star", b'{"action":"' + b"x" * 400 + b'"}', ("star." + "x" * 400)[:255], None),
    ],
)
def test_type_and_subject_come_from_event_action_and_repository(
    senders: Any, change: Change, event: str, body: bytes, type_: str, subject: str | None
) -> None:
    github = senders["github"]
    received = github.receive(change(github.request(body), {"x-github-event": event}))
    assert (received.type, received.subject) == (type_, subject)


def test_the_delivery_id_is_the_id(senders: Any, change: Change) -> None:
    github = senders["github"]
    assert github.receive(github.request()).id == "72d3162e-cc78-11e3-81ab-4c9367dc0958"
    for unfit in (None, "", "x" * 256, "a\x01b"):
        assert github.receive(change(github.request(), {"x-github-delivery": unfit})).id is None


@pytest.mark.parametrize("event", [None, "", "push, push", "Push", "pull request", "x" * 101, "a.b"])
def test_an_event_name_that_is_none_is_refused_with_400(senders: Any, change: Change, event: str | None) -> None:
    github = senders["github"]
    with pytest.raises(Refused, match="x-github-event") as caught:
        github.receive(change(github.request(), {"x-github-event": event}))
    assert caught.value.reason == "malformed"


def test_a_form_with_the_field_payload_is_the_same_event(senders: Any, change: Change) -> None:
    github = senders["github"]
    text = '{"action":"opened","title":"für + & ="}'
    request = github.request(urlencode({"payload": text}).encode())
    received = github.receive(change(request, {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}))
    assert (received.type, received.data) == ("pull_request.opened", text.encode())


@pytest.mark.parametrize(
    "body", [b"", b"a=1", b"payload=1&payload=2", b"payload=", b"payload=%ff", b"\xff", b"payload=[1]", b"a&" * 2000]
)
def test_a_form_without_one_payload_is_refused_with_400(senders: Any, change: Change, body: bytes) -> None:
    github = senders["github"]
    with pytest.raises(Refused) as caught:
        github.receive(change(github.request(body), {"content-type": "application/x-www-form-urlencoded"}))
    assert caught.value.reason == "malformed"


def test_a_sender_with_sha1_only_is_told_so(senders: Any, change: Change) -> None:
    github = senders["github"]
    headers = {"x-hub-signature-256": None, "x-hub-signature": "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6"}
    with pytest.raises(Refused, match="SHA-1") as caught:
        github.receive(change(github.request(), headers))
    assert caught.value.reason == "bad-signature"


def test_a_body_may_have_the_25_mib_that_github_allows_itself() -> None:
    assert GitHub.max_body == 25 * 1024 * 1024


def test_the_published_types_are_patterns_that_meet_the_events(senders: Any) -> None:
    types = GitHub().types(senders["github"].settings()) or ()
    for one in types:
        check_pattern(one)
    for name in ("push", "pull_request.opened", "issues.closed", "star.created", "repository_dispatch.a.b"):
        assert any(matches(one, name) for one in types)
    assert not any(matches(one, "pull_request") for one in types)
