"""The source `basic`: senders that can do no more than HTTP basic authentication."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from hookrt.plugin import Inbound, InboundSettings, InboundSource, Received, Refused, Source, impl, matches_any
from hookrt.sources.untyped import event_of, named_id

_CHALLENGE = {"www-authenticate": 'Basic realm="hookrt", charset="UTF-8"'}


class BasicSettings(InboundSettings):
    """What verifies a sender that shows a user and a password: `secret` is the password."""

    username: str = Field(min_length=1, pattern=r"^[^:\x00-\x1f]+$", description="The user's name, without a colon")


class Basic(InboundSource[BasicSettings]):
    """Senders that show a user and a password (`Authorization: Basic`).

    The body is not signed, so the password proves who sends, and TLS that nothing was changed on the way.
    """

    name = "basic"

    def receive(self, request: Inbound, settings: BasicSettings) -> Received:
        """The event of whatever the body is; raises Refused."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise Refused("bad-signature", "there is no user and password: send Authorization: Basic", _CHALLENGE)
        expected = [f"{settings.username}:{secret}" for secret in settings.plain_secrets]
        if not matches_any(_decode(encoded), expected):
            raise Refused("bad-signature", "the user or the password is not what this source expects", _CHALLENGE)
        return event_of(request, identity=named_id(request))


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `basic`."""
    return [Basic]


def _decode(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded.strip().encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise Refused("bad-signature", "Authorization: Basic is followed by base64", _CHALLENGE) from None
