"""The source `hmac`: the scheme of whoever signs as he likes, described by settings."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec
import pytest
from pydantic import ValidationError

from hookrt.plugin import Inbound, Received, Refused
from hookrt.sources.hmac import Hmac, HmacSettings
from hookrt.testing import SourceContract, inbound

SECRET = "the sender's secret"
GITHUB_SECRET = "It's a Secret to Everybody"
"""Secret, body and signature of GitHub's documentation, «Validating webhook deliveries»."""

GITHUB_BODY = b"Hello, World!"
GITHUB_SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def settings(**written: Any) -> HmacSettings:
    return HmacSettings.model_validate_json(msgspec.json.encode({"secret": SECRET, "header": "X-Signature", **written}))


def receive(request: Inbound, **written: Any) -> Received:
    return Hmac().receive(request, settings(**written))


def digest(content: bytes, algorithm: str = "sha256", key: bytes = SECRET.encode()) -> bytes:
    return hmac.new(key, content, algorithm).digest()


def signed(content: bytes, body: bytes, **headers: str) -> Inbound:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return inbound(body, {"x-signature": digest(content).hex(), **named})


class TestHmac(SourceContract):
    source = Hmac
    valid_settings: ClassVar = {"secret": SECRET, "header": "X-Signature", "prefix": "sha256="}
    invalid_settings = (
        {"secret": SECRET},
        {"secret": SECRET, "header": "X Signature"},
        {"secret": SECRET, "header": "X", "algorithm": "md5"},
        {"secret": SECRET, "header": "X", "encoding": "base32"},
        {"secret": SECRET, "header": "X", "content": "{timestamp}"},
        {"secret": SECRET, "header": "X", "content": "{body}{nonce}"},
        {"secret": SECRET, "header": "X", "content": "{body!r}"},
        {"secret": SECRET, "header": "X", "content": "{body"},
        {"secret": SECRET, "header": "X", "content": "{timestamp}.{body}"},
        {"secret": SECRET, "header": "X", "content": "{id}.{body}"},
        {"secret": SECRET, "header": "X", "timestamp_header": "X-Time"},
        {"secret": SECRET, "header": "X", "key": "hex"},
        {"secret": "not base64!", "header": "X", "key": "base64"},
    )
    body = b'{"type":"order.paid","n":1}'

    def make_request(self, settings: Mapping[str, Any], body: bytes, sent: datetime) -> Inbound:
        signature = digest(body, key=settings["secret"].encode()).hex()
        return inbound(body, {"X-Signature": f"sha256={signature}", "content-type": "application/json"})


class TestTimedHmac(SourceContract):
    source = Hmac
    valid_settings: ClassVar = {
        "secret": SECRET,
        "header": "X-Signature",
        "encoding": "base64",
        "content": "v0:{timestamp}:{body}",
        "timestamp_header": "X-Time",
        "tolerance": "1m",
    }
    body = b'{"type":"order.paid","n":1}'
    tolerance = timedelta(minutes=1)

    def make_request(self, settings: Mapping[str, Any], body: bytes, sent: datetime) -> Inbound:
        moment = str(int(sent.timestamp()))
        signature = digest(b"v0:" + moment.encode() + b":" + body, key=settings["secret"].encode())
        return inbound(body, {"X-Signature": base64.b64encode(signature).decode(), "X-Time": moment})


def test_the_example_of_githubs_documentation_verifies_as_described() -> None:
    request = inbound(GITHUB_BODY, {"x-hub-signature-256": GITHUB_SIGNATURE, "content-type": "text/plain"})
    written = {"secret": GITHUB_SECRET, "header": "X-Hub-Signature-256", "prefix": "sha256="}
    assert receive(request, **written).data == "Hello, World!"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64", "base64url"])
def test_every_algorithm_and_encoding(algorithm: str, encoding: str) -> None:
    body = b'{"n":"\xc3\xab\xc3\xaf"}'
    raw = digest(body, algorithm)
    text = {"hex": raw.hex(), "base64": base64.b64encode(raw), "base64url": base64.urlsafe_b64encode(raw)}[encoding]
    text = text if isinstance(text, str) else text.decode()
    for shown in {text, text.rstrip("="), text.upper() if encoding == "hex" else text}:
        request = inbound(body, {"x-signature": shown})
        assert receive(request, algorithm=algorithm, encoding=encoding).data == body


def test_the_key_may_be_written_in_hex_or_base64() -> None:
    key = hashlib.sha256(b"key").digest()
    body = b"{}"
    request = inbound(body, {"x-signature": digest(body, key=key).hex()})
    assert receive(request, secret=key.hex(), key="hex").data == body
    assert receive(request, secret=base64.b64encode(key).decode(), key="base64").data == body


def test_what_is_signed_is_described_by_a_text() -> None:
    body = b'{"a":1}'
    content = b"POST https://hooks.example.com/in/test {d1} " + body
    request = signed(content, body, x_id="d1")
    written = {"content": "{method} {url} {{{id}}} {body}", "id_header": "X-Id"}
    assert receive(request, **written).id == "d1"
    with pytest.raises(Refused):
        receive(signed(content, body, x_id="d2"), **written)


@pytest.mark.parametrize(
    "moment", ["1735732800", "1735732800000", "2025-01-01T12:00:00Z", "2025-01-01T13:00:00+01:00", "1735732800123"]
)
def test_the_time_is_seconds_milliseconds_or_iso_8601(moment: str) -> None:
    request = signed(moment.encode() + b".{}", b"{}", x_time=moment)
    assert receive(request, content="{timestamp}.{body}", timestamp_header="X-Time").data == b"{}"


@pytest.mark.parametrize("moment", ["soon", "-1", "1735732800.5", "9" * 20, "2025-01-01T12:00:00", "²", ""])
def test_a_time_that_is_none_is_refused(moment: str) -> None:
    request = signed(moment.encode("latin-1") + b".{}", b"{}", x_time=moment)
    with pytest.raises(Refused) as refused:
        receive(request, content="{timestamp}.{body}", timestamp_header="X-Time")
    assert refused.value.reason in ("malformed", "bad-signature")


def test_the_type_may_stand_in_a_header() -> None:
    assert receive(signed(b"{}", b"{}", x_kind="order.paid"), type_header="X-Kind").type == "order.paid"
    assert receive(signed(b"{}", b"{}"), type_header="X-Kind").type == "webhook.received"


def test_an_id_that_is_not_named_in_the_settings_is_not_taken_from_an_unsigned_header() -> None:
    assert receive(signed(b"{}", b"{}", webhook_id="forged", idempotency_key="forged")).id is None


@pytest.mark.parametrize(
    ("body", "kind", "data"),
    [
        (b'{"a": 1}', "application/json", b'{"a": 1}'),
        (b'{"a": 1}', "application/vnd.acme+json; charset=utf-8", b'{"a": 1}'),
        (b'{"a": 1}', "application/x-www-form-urlencoded", b'{"a": 1}'),
        (b"a=1&b=x+y&a=2&c=", "application/x-www-form-urlencoded", {"a": ["1", "2"], "b": "x y", "c": ""}),
        (b"[1, 2]", "", b"[1, 2]"),
        (b"plain t\xc3\xabxt", "text/plain", "plain tëxt"),
        (b"<a/>", "application/xml", "<a/>"),
        (b"", "application/json", None),
    ],
)
def test_json_is_kept_as_it_came_a_form_is_an_object_and_all_else_is_text(body: bytes, kind: str, data: Any) -> None:
    assert receive(signed(body, body, content_type=kind)).data == data


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"{", "application/json"), (b"\xff", "text/plain"), (b"a=%ff", "application/x-www-form-urlencoded")],
)
def test_a_body_that_is_not_what_it_says_is_malformed(body: bytes, kind: str) -> None:
    with pytest.raises(Refused) as refused:
        receive(signed(body, body, content_type=kind))
    assert refused.value.reason == "malformed"


def test_a_wrong_description_is_told_without_the_secret() -> None:
    with pytest.raises(ValidationError) as error:
        settings(key="hex")
    assert SECRET not in str(error.value)
