"""The source `standard_webhooks`, against the vectors and the test cases of the public specification's libraries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from hookrt.plugin import Inbound, Received, Refused, SigningKey, sign
from hookrt.sources.standard_webhooks import StandardWebhooks, StandardWebhooksSettings
from hookrt.testing import SourceContract, inbound
from hookrt.testing.build_event import NOON

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The secret, id, time, body and signature of the example that the Standard Webhooks' own libraries test with."""

MESSAGE_ID, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
"""The public key and the signature of the same message, from the tests of Svix, who wrote the specification."""

SIGNATURE_V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="

THEN = datetime.fromtimestamp(TIMESTAMP, UTC)


def vector(**changed: str) -> Inbound:
    headers = {
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": str(TIMESTAMP),
        "webhook-signature": SIGNATURE,
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    return inbound(BODY, {name: value for name, value in headers.items() if value}, received=THEN)


def receive(request: Inbound, *secrets: str) -> Received:
    settings = StandardWebhooksSettings.model_validate({"secret": secrets or (SECRET,)})
    return StandardWebhooks().receive(request, settings)


class TestStandardWebhooks(SourceContract):
    source = StandardWebhooks
    valid_settings: ClassVar = {"secret": SECRET}
    invalid_settings = ({"secret": "no base64!"}, {"secret": "whsec_c2hvcnQ="}, {"secret": SECRET, "tolerance": "5"})
    body = b'{"type":"user.created","timestamp":"2025-01-01T12:00:00Z","data":{"id":"u"}}'
    other_secret = "whsec_" + "a" * 32
    tolerance = timedelta(minutes=5)

    def make_request(self, settings: Mapping[str, Any], body: bytes, sent: datetime) -> Inbound:
        seconds = int(sent.timestamp())
        signature = sign([SigningKey.parse(settings["secret"])], "msg_1", seconds, body)
        headers = {"webhook-id": "msg_1", "webhook-timestamp": str(seconds), "webhook-signature": signature}
        return inbound(body, {**headers, "content-type": "application/json"})


def test_the_vectors_of_the_specification_verify() -> None:
    assert receive(vector()).data == BODY
    assert receive(vector(webhook_signature=SIGNATURE_V1A), PUBLIC).id == MESSAGE_ID
    both = f"{SIGNATURE_V1A} {SIGNATURE}"
    assert receive(vector(webhook_signature=both), SECRET).id == MESSAGE_ID


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"webhook_id": ""}, "bad-signature"),
        ({"webhook_timestamp": ""}, "bad-signature"),
        ({"webhook_signature": ""}, "bad-signature"),
        ({"webhook_timestamp": "hello"}, "malformed"),
        ({"webhook_timestamp": "1614265330.5"}, "malformed"),
        ({"webhook_timestamp": str(TIMESTAMP - 301)}, "too-old"),
        ({"webhook_timestamp": str(TIMESTAMP + 301)}, "too-old"),
        ({"webhook_timestamp": str(TIMESTAMP + 1)}, "bad-signature"),
        ({"webhook_id": "msg_other"}, "bad-signature"),
        ({"webhook_signature": "v1," + "A" * 44}, "bad-signature"),
        ({"webhook_signature": SIGNATURE.replace("v1,", "v2,")}, "bad-signature"),
        ({"webhook_signature": SIGNATURE.replace("v1,", "v1")}, "bad-signature"),
    ],
)
def test_the_cases_of_the_specifications_libraries(changed: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        receive(vector(**changed))
    assert refused.value.reason == reason


def test_signatures_that_are_unknown_or_broken_are_passed_over() -> None:
    several = f"v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= nonsense v7,x {SIGNATURE}"
    assert receive(vector(webhook_signature=several)).id == MESSAGE_ID


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"type":"invoice.paid"}', "invoice.paid"),
        (b'{"event":"invoice.paid"}', "invoice.paid"),
        (b'{"type":7}', "webhook.received"),
        (b'{"type":"..."}', "webhook.received"),
        (b'{"type":"a b"}', "a_b"),
        (b"[1]", "webhook.received"),
    ],
)
def test_the_type_is_the_bodys_own_where_it_has_one(body: bytes, kind: str) -> None:
    request = TestStandardWebhooks().make_request({"secret": SECRET}, body, NOON)
    assert receive(request).type == kind


def test_the_time_is_the_bodys_own() -> None:
    contract = TestStandardWebhooks()
    assert receive(contract.make_request({"secret": SECRET}, contract.body, NOON)).time == NOON
    assert receive(contract.make_request({"secret": SECRET}, b'{"timestamp": "soon"}', NOON)).time is None


def test_a_secret_that_is_none_is_refused_when_the_file_is_read_and_is_not_shown() -> None:
    with pytest.raises(ValidationError) as error:
        StandardWebhooksSettings.model_validate({"secret": ("whsec_tooshort",)})
    assert "tooshort" not in str(error.value)
