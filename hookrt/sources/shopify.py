"""The source `shopify`: webhooks of Shopify, of an app or a shop.

Shopify signs the body only and carries no time that is signed; the topic, the shop and the delivery's id stand in
headers beside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hookrt.plugin import Inbound, InboundSettings, InboundSource, Received, Refused, Source, impl
from hookrt.sources.reading import first_name, moment_of, name_of, require_object, type_of
from hookrt.sources.signed import HmacHeader

_SIGNATURE = HmacHeader("x-shopify-hmac-sha256", "client secret", encoding="base64")
_TOPIC = re.compile(r"[a-z0-9_]+(?:/[a-z0-9_]+)+", re.ASCII)
_LONGEST_TOPIC = 200


class ShopifySettings(InboundSettings):
    """What verifies webhooks of Shopify: `secret` is the app's client secret, or the one that the shop shows."""


class Shopify(InboundSource[ShopifySettings]):
    """Webhooks of Shopify, verified by `X-Shopify-Hmac-SHA256`; the topic `orders/create` is `orders.create` here."""

    name = "shopify"
    short = "secret"
    max_body = 10 * 1024 * 1024  # the largest that Shopify hands to Pub/Sub; of HTTPS it names no limit

    def receive(self, request: Inbound, settings: ShopifySettings) -> Received:
        """The event, named after the topic; its subject is the shop, which the body does not name. Raises Refused."""
        _SIGNATURE.verify(request, settings.plain_secrets, request.body)
        topic = request.require("x-shopify-topic", "malformed").lower()
        if len(topic) > _LONGEST_TOPIC or not _TOPIC.fullmatch(topic):
            raise Refused("malformed", "the header x-shopify-topic is no topic such as orders/create")
        require_object(request.json())
        headers = request.headers
        return Received(
            type=type_of(topic.replace("/", ".")),
            data=request.body,
            id=name_of(headers.get("x-shopify-webhook-id")),
            subject=first_name(headers.get("x-shopify-shop-domain")),
            time=moment_of(headers.get("x-shopify-triggered-at")),
        )


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `shopify`."""
    return [Shopify]
