"""Shopify's webhooks, as https://shopify.dev/docs/apps/build/webhooks/delivery-structure describes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hookrt.plugin import Inbound, Received, Refused
from hookrt.sources.shopify import Shopify

Change = Callable[..., Inbound]

# The documentation has no vector; this one was made, as it says under «Verify webhook deliveries», with
# printf '%s' "$BODY" | openssl dgst -sha256 -hmac hush -binary | base64
BODY = b'{"id":820982911946154508,"name":"#9999","total_price":"403.00"}'
HEADERS = {
    "x-shopify-topic": "orders/create",
    "x-shopify-hmac-sha256": "nnAH6pq9R0TwPSAwZtF99sajGopx/mrdtiE8Zsio/zU=",
    "x-shopify-shop-domain": "johns-apparel.myshopify.com",
    "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    "x-shopify-event-id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
    "x-shopify-triggered-at": "2023-03-29T18:00:27.877041743Z",
}


def test_a_webhook_as_openssl_signs_it() -> None:
    request = Inbound("POST", "https://example.com/in/shopify", HEADERS, {}, BODY, datetime.now(UTC))
    assert Shopify().receive(request, Shopify.settings.model_validate({"secret": "hush"})) == Received(  # type: ignore[arg-type]
        type="orders.create",
        data=BODY,
        id="b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        subject="johns-apparel.myshopify.com",
        time=datetime(2023, 3, 29, 18, 0, 27, 877041, tzinfo=UTC),
    )


def test_an_event_id_is_shared_by_several_webhooks_and_no_id_of_one(senders: Any, change: Change) -> None:
    shopify = senders["shopify"]
    request = change(shopify.request(), {"x-shopify-webhook-id": None, "x-shopify-event-id": "98880550"})
    assert shopify.receive(request).id is None, "the hash of the body is taken"


@pytest.mark.parametrize(
    ("topic", "type_"),
    [
        ("products/update", "products.update"),
        ("app/uninstalled", "app.uninstalled"),
        ("fulfillment_orders/order_routing_complete", "fulfillment_orders.order_routing_complete"),
        ("customers/data_request", "customers.data_request"),
    ],
)
def test_the_topic_is_the_type(senders: Any, change: Change, topic: str, type_: str) -> None:
    shopify = senders["shopify"]
    assert shopify.receive(change(shopify.request(), {"x-shopify-topic": topic})).type == type_


@pytest.mark.parametrize(
    "topic", [None, "", "orders", "/", "a//b", "orders/create, orders/create", "a/b c", "a/*", "a/" + "b" * 300]
)
def test_a_topic_that_is_none_is_refused_with_400(senders: Any, change: Change, topic: str | None) -> None:
    shopify = senders["shopify"]
    with pytest.raises(Refused, match="x-shopify-topic") as caught:
        shopify.receive(change(shopify.request(), {"x-shopify-topic": topic}))
    assert caught.value.reason == "malformed"


@pytest.mark.parametrize("time", [None, "yesterday", "2023-03-29T18:00:27", "9" * 400])
def test_a_time_that_is_none_is_left_out(senders: Any, change: Change, time: str | None) -> None:
    shopify = senders["shopify"]
    assert shopify.receive(change(shopify.request(), {"x-shopify-triggered-at": time})).time is None
