"""Senders as the tests need them: each signs by hand what its documentation says, without the code under test."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from hookrt.plugin import Inbound, InboundSettings, InboundSource
from hookrt.sources.cloudevents import CloudEvents
from hookrt.sources.github import GitHub
from hookrt.sources.gitlab import GitLab
from hookrt.sources.shopify import Shopify
from hookrt.sources.slack import Slack
from hookrt.sources.stripe import Stripe
from hookrt.sources.twilio import Twilio

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
URL = "https://hooks.example.com/in/sender"
FORM = "application/x-www-form-urlencoded"


def hexed(secret: str, content: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), content, algorithm).hexdigest()


def based(secret: bytes, content: bytes, algorithm: str = "sha256") -> str:
    return base64.b64encode(hmac.new(secret, content, algorithm).digest()).decode()


def github(secret: str, body: bytes, sent: int) -> dict[str, str]:
    return {
        "x-hub-signature-256": f"sha256={hexed(secret, body)}",
        "x-github-event": "pull_request",
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    }


def gitlab(secret: str, body: bytes, sent: int) -> dict[str, str]:
    content = b"f5e5f430-f57b-4e6e-9fac-d9128cd7232f.%d.%s" % (sent, body)
    return {
        "webhook-id": "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
        "webhook-timestamp": str(sent),
        "webhook-signature": f"v1,{based(base64.b64decode(secret.removeprefix('whsec_')), content)}",
        "x-gitlab-event": "Merge Request Hook",
    }


def gitlab_token(secret: str, body: bytes, sent: int) -> dict[str, str]:
    return {
        "x-gitlab-token": secret,
        "x-gitlab-event": "Push Hook",
        "idempotency-key": "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
    }


def stripe(secret: str, body: bytes, sent: int) -> dict[str, str]:
    return {"stripe-signature": f"t={sent},v1={hexed(secret, b'%d.%s' % (sent, body))},v0=00"}


def slack(secret: str, body: bytes, sent: int) -> dict[str, str]:
    signature = hexed(secret, b"v0:%d:%s" % (sent, body))
    return {"x-slack-signature": f"v0={signature}", "x-slack-request-timestamp": str(sent)}


def shopify(secret: str, body: bytes, sent: int) -> dict[str, str]:
    return {
        "x-shopify-hmac-sha256": based(secret.encode(), body),
        "x-shopify-topic": "orders/create",
        "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "x-shopify-shop-domain": "johns-apparel.myshopify.com",
        "x-shopify-triggered-at": "2023-03-29T18:00:27.877041743Z",
    }


def twilio(secret: str, body: bytes, sent: int) -> dict[str, str]:
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True)
    except ValueError:
        fields = []
    content = URL + "".join(name + value for name, value in sorted(set(fields)))
    return {
        "x-twilio-signature": based(secret.encode(), content.encode("utf-8", "surrogatepass"), "sha1"),
        "content-type": FORM,
    }


def cloudevents(secret: str, body: bytes, sent: int) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}", "content-type": "application/cloudevents+json"}


@dataclass(frozen=True)
class Sender:
    """One sender: how it signs, where the proof stands, and a body that it may send."""

    name: str
    plugin: type[InboundSource[Any]]
    sign: Callable[[str, bytes, int], dict[str, str]]
    proof: str
    body: bytes
    secrets: tuple[str, str] = ("first-secret-value", "second-secret-value")
    timed: bool = False
    signs_body: bool = True
    form: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)

    def settings(self, *secrets: str, **others: Any) -> InboundSettings:
        written = {"secret": list(secrets or self.secrets[:1]), **others}
        return self.plugin.settings.model_validate_json(json.dumps(written))  # type: ignore[return-value]

    def request(self, body: bytes | None = None, secret: str | None = None, late: float = 0) -> Inbound:
        """A request signed with this secret, which arrives that many seconds after it was sent."""
        content = self.body if body is None else body
        sent = int((NOW - timedelta(seconds=late)).timestamp())
        headers = {"content-type": "application/json", **self.sign(secret or self.secrets[0], content, sent)}
        return Inbound("POST", URL, {**headers, **self.extra}, {}, content, NOW)

    def receive(self, request: Inbound, settings: InboundSettings | None = None) -> Any:
        return self.plugin().receive(request, settings or self.settings())


_KEYS = tuple("whsec_" + base64.b64encode(hashlib.sha256(one).digest()).decode() for one in (b"1", b"2"))
_MESSAGE = urlencode({"MessageSid": "SM1", "SmsStatus": "received", "Body": "hi", "From": "+14155550100"}).encode()
_EVENT = b'{"specversion":"1.0","id":"1","source":"/shop","type":"order.created","data":{"n":1}}'
_SLACK = b'{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention","channel":"C1"}}'

SENDERS = (
    Sender("github", GitHub, github, "x-hub-signature-256", b'{"action":"opened","number":1}'),
    Sender(
        "gitlab-signing-token",
        GitLab,
        gitlab,
        "webhook-signature",
        b'{"object_kind":"merge_request","object_attributes":{"action":"open"}}',
        secrets=(_KEYS[0], _KEYS[1]),
        timed=True,
    ),
    Sender("gitlab-token", GitLab, gitlab_token, "x-gitlab-token", b'{"object_kind":"push"}', signs_body=False),
    Sender("stripe", Stripe, stripe, "stripe-signature", b'{"id":"evt_1","type":"invoice.paid"}', timed=True),
    Sender("slack", Slack, slack, "x-slack-signature", _SLACK, timed=True),
    Sender("shopify", Shopify, shopify, "x-shopify-hmac-sha256", b'{"id":820982911946154508}'),
    Sender("twilio", Twilio, twilio, "x-twilio-signature", _MESSAGE, form=True),
    Sender("cloudevents", CloudEvents, cloudevents, "authorization", _EVENT, signs_body=False),
)


def _those(fits: Callable[[Sender], bool]) -> Any:
    def fixture(request: pytest.FixtureRequest) -> Sender:
        found: Sender = request.param
        return found

    return pytest.fixture(params=[one for one in SENDERS if fits(one)], ids=lambda one: one.name)(fixture)


sender = _those(lambda _: True)
"""Each sender in turn."""

timed_sender = _those(lambda one: one.timed)
"""Each sender whose scheme carries a time."""

signing_sender = _those(lambda one: one.signs_body)
"""Each sender that signs what it sends, and does not merely show who it is."""

json_sender = _those(lambda one: not one.form)
"""Each sender whose bodies are JSON."""


@pytest.fixture
def senders() -> dict[str, Sender]:
    """Every sender by its name."""
    return {one.name: one for one in SENDERS}


@pytest.fixture
def change() -> Callable[..., Inbound]:
    """Makes of a request one with other headers (None takes one away), URL, query or body."""

    def changed(request: Inbound, headers: Mapping[str, str | None] | None = None, **others: Any) -> Inbound:
        merged = {**request.headers, **(headers or {})}
        kept = {name: value for name, value in merged.items() if value is not None}
        return replace(request, headers=kept, **others)

    return changed


@pytest.fixture
def now() -> datetime:
    """When every request arrives."""
    return NOW
