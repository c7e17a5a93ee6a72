"""The source `standard_webhooks`: whoever signs as the Standard Webhooks specification says, hookrt itself included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import field_validator

from hookrt.plugin import Inbound, InboundSecrets, InboundSource, Received, Source, impl
from hookrt.sources.reading import at, moment_of, name_of
from hookrt.sources.signed import TimedSettings
from hookrt.sources.standard_signature import check_secrets, verify_signature
from hookrt.sources.untyped import kind_of


class StandardWebhooksSettings(TimedSettings):
    """What verifies Standard Webhooks: `secret` is `whsec_...`, or the sender's public key `whpk_...` (ed25519)."""

    @field_validator("secret")
    @classmethod
    def _check_secrets(cls, secrets: InboundSecrets) -> InboundSecrets:
        check_secrets(secret.get_secret_value() for secret in secrets)
        return secrets


class StandardWebhooks(InboundSource[StandardWebhooksSettings]):
    """Standard Webhooks (v1 and v1a); the event's type is the body's own `type`, its id `webhook-id`."""

    name = "standard_webhooks"
    short = "secret"

    def receive(self, request: Inbound, settings: StandardWebhooksSettings) -> Received:
        """The event, whose data is the whole body; raises Refused."""
        verify_signature(request, settings.plain_secrets, settings.tolerance)
        body = request.values()
        return Received(
            type=kind_of(body),
            data=request.data(),
            id=name_of(request.headers.get("webhook-id")),
            time=moment_of(at(body, "timestamp")) if isinstance(body, Mapping) else None,
        )


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `standard_webhooks`."""
    return [StandardWebhooks]
