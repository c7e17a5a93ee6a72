"""The sources `token` and `basic`: senders that show a secret, and sign nothing."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import pytest

from hookrt.plugin import Inbound, Received, Refused
from hookrt.sources.basic import Basic, BasicSettings
from hookrt.sources.token import Token, TokenSettings
from hookrt.testing import SourceContract, inbound

SECRET = "a-long-random-token"


class TestToken(SourceContract):
    source = Token
    valid_settings: ClassVar = {"secret": SECRET}
    invalid_settings = ({}, {"secret": SECRET, "header": "a b"}, {"secret": SECRET, "query": "token"})
    body = b'{"type":"order.paid"}'
    signs_body = False

    def make_request(self, settings: Mapping[str, Any], body: bytes, sent: datetime) -> Inbound:
        return inbound(body, {"authorization": f"Bearer {settings['secret']}"})


class TestTokenInItsOwnHeader(SourceContract):
    source = Token
    valid_settings: ClassVar = {"secret": SECRET, "header": "X-Api-Key"}
    body = b'{"type":"order.paid"}'
    signs_body = False

    def make_request(self, settings: Mapping[str, Any], body: bytes, sent: datetime) -> Inbound:
        return inbound(body, {"X-API-Key": settings["secret"]})


class TestBasic(SourceContract):
    source = Basic
    valid_settings: ClassVar = {"secret": SECRET, "username": "acme"}
    invalid_settings = ({"secret": SECRET}, {"secret": SECRET, "username": "a:b"}, {"secret": SECRET, "username": ""})
    body = b'{"type":"order.paid"}'
    signs_body = False

    def make_request(self, settings: Mapping[str, Any], body: bytes, sent: datetime) -> Inbound:
        return inbound(body, {"authorization": basic(settings["username"], settings["secret"])})


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def show_token(headers: Mapping[str, str], **written: Any) -> Received:
    settings = TokenSettings.model_validate({"secret": (SECRET,), **written})
    return Token().receive(inbound(b"{}", headers), settings)


def show_password(authorization: str, secret: str = "pä:ss wörd") -> Received:
    settings = BasicSettings.model_validate({"secret": (secret,), "username": "Zoë"})
    return Basic().receive(inbound(b"{}", {"authorization": authorization}), settings)


@pytest.mark.parametrize("shown", [f"Bearer {SECRET}", f"bearer  {SECRET}", f"BEARER {SECRET} "])
def test_the_token_stands_behind_bearer(shown: str) -> None:
    assert show_token({"authorization": shown}).type == "webhook.received"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": SECRET},
        {"authorization": f"Basic {SECRET}"},
        {"authorization": f"Bearer {SECRET}x"},
        {"authorization": f"Bearer {SECRET[:-1]}"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer ÿ"},
        {"x-api-key": SECRET},
    ],
)
def test_another_token_or_none_is_refused_with_a_challenge(headers: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        show_token(headers)
    assert refused.value.reason == "bad-signature"
    assert refused.value.headers["www-authenticate"].startswith("Bearer")


def test_a_token_in_the_query_is_not_taken() -> None:
    with pytest.raises(Refused):
        Token().receive(
            inbound(b"{}", url=f"https://x.example/in/a?token={SECRET}&secret={SECRET}"),
            TokenSettings(secret=(SECRET,)),  # type: ignore[arg-type]
        )


def test_an_idempotency_key_tells_repetitions() -> None:
    shown = {"authorization": f"Bearer {SECRET}"}
    assert show_token(shown).id is None
    assert show_token({**shown, "idempotency-key": "k1"}).id == "k1"
    assert show_token({**shown, "webhook-id": "w1", "idempotency-key": "k1"}).id == "w1"


def test_a_password_may_hold_colons_and_any_letters() -> None:
    assert show_password(basic("Zoë", "pä:ss wörd")).data == b"{}"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic AAAA",
        basic("zoë", "pä:ss wörd"),
        basic("Zoë", "pä"),
        basic("Zoë:pä", "ss wörd"),
    ],
)
def test_another_user_or_password_is_refused_with_a_challenge(authorization: str) -> None:
    with pytest.raises(Refused) as refused:
        show_password(authorization, "other")
    assert refused.value.reason == "bad-signature"
    assert refused.value.headers["www-authenticate"].startswith("Basic")
