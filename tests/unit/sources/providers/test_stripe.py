"""Stripe's events, as https://docs.stripe.com/webhooks describes them («Verify webhook signatures manually»)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hookrt.plugin import Inbound, Received, Refused
from hookrt.sources.stripe import Stripe

Change = Callable[..., Inbound]

# Stripe's documentation has a header, but no secret that goes with it; so this signature was made with
# printf '%s' "$T.$BODY" | openssl dgst -sha256 -hmac "$SECRET"
SECRET = "whsec_test_secret"
BODY = (
    b'{"id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","object":"event","created":1686089970,"type":"invoice.paid",'
    b'"data":{"object":{"id":"in_1MtHbELkdIwHu7ixl4OzzPMv","object":"invoice"}}}'
)
V1 = "97a816ea17bfbe6f67632fb69398709f9ec11a920fc17bfd0fac69f58a551ee0"
V0 = "6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"
SENT = datetime.fromtimestamp(1492774577, UTC)


def receive(header: str, body: bytes = BODY, secret: str = SECRET) -> Received:
    request = Inbound("POST", "https://example.com/in/stripe", {"stripe-signature": header}, {}, body, SENT)
    return Stripe().receive(request, Stripe.settings.model_validate({"secret": secret}))  # type: ignore[arg-type]


def refusal(header: str, **others: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        receive(header, **others)
    return caught.value


def test_an_event_of_stripe_as_openssl_signs_it() -> None:
    assert receive(f"t=1492774577,v1={V1},v0={V0}") == Received(
        type="invoice.paid",
        data=BODY,
        id="evt_1NG8Du2eZvKYlo2CUI79vXWy",
        subject="in_1MtHbELkdIwHu7ixl4OzzPMv",
        time=datetime(2023, 6, 6, 22, 19, 30, tzinfo=UTC),
    )


def test_one_of_several_v1_is_enough_while_a_secret_is_rolled() -> None:
    assert receive(f"t=1492774577,v1={'0' * 64},v1={V1}")
    assert receive(f" t=1492774577 , v1={V1}, v1={'0' * 64}, v2=x, y")


def test_schemes_other_than_v1_are_ignored() -> None:
    assert refusal(f"t=1492774577,v0={V1}").reason == "bad-signature"
    assert refusal(f"t=1492774577,v0={V1},v1={V0}").reason == "bad-signature"
    assert refusal(f"t=1492774577,v10={V1}").reason == "bad-signature"


@pytest.mark.parametrize(
    "header", [f"v1={V1}", f"t=,v1={V1}", f"t=x,v1={V1}", f"t=1492774577,t=1492774577,v1={V1}", f"t=-1,v1={V1}"]
)
def test_a_header_without_one_time_is_refused_with_400(header: str) -> None:
    assert refusal(header).reason == "malformed"


def test_a_huge_time_is_refused_and_not_counted_with() -> None:
    assert refusal(f"t={'9' * 5000},v1={V1}").reason == "malformed"
    assert refusal(f"t={'9' * 13},v1={V1}").reason == "bad-signature"


def test_the_time_is_a_part_of_what_is_signed() -> None:
    assert refusal(f"t=1492774578,v1={V1}").reason == "bad-signature"
    assert refusal(f"t=01492774577,v1={V1}").reason == "bad-signature"


@pytest.mark.parametrize(
    ("body", "id_", "subject", "time"),
    [
        (
            b'{"id":"evt_234","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered",'
            b'"created":"2022-02-15T00:27:45.330Z","related_object":{"id":"mtr_1"}}',
            "evt_234",
            "mtr_1",
            datetime(2022, 2, 15, 0, 27, 45, 330000, tzinfo=UTC),
        ),
        (b'{"type":"v1.billing.meter.error_report_triggered","created":true}', None, None, None),
        (b'{"type":"v1.billing.meter.error_report_triggered","created":%s}' % (b"9" * 300), None, None, None),
        (b'{"type":"v1.billing.meter.error_report_triggered","created":"0001-01-01T00:00+23:00"}', None, None, None),
        (b'{"id":7,"type":"v1.billing.meter.error_report_triggered","created":-1,"data":[]}', None, None, None),
    ],
)
def test_a_thin_event_and_odd_values_are_no_trouble(
    senders: Any, body: bytes, id_: str | None, subject: str | None, time: datetime | None
) -> None:
    stripe = senders["stripe"]
    assert stripe.receive(stripe.request(body)) == Received(
        "v1.billing.meter.error_report_triggered", body, id_, subject, time
    )


@pytest.mark.parametrize("body", [b"{}", b'{"type":null}', b'{"type":"..."}', b'{"type":""}'])
def test_an_event_without_a_type_is_refused_with_400(senders: Any, body: bytes) -> None:
    stripe = senders["stripe"]
    with pytest.raises(Refused, match="what kind of event") as caught:
        stripe.receive(stripe.request(body))
    assert caught.value.reason == "malformed"


def test_stripes_list_of_types_is_too_long_to_be_kept_here(senders: Any) -> None:
    assert Stripe().types(senders["stripe"].settings()) is None
