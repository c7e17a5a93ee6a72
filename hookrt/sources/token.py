"""The source `token`: senders that show a fixed token, and sign nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from hookrt.plugin import (
    HeaderName,
    Inbound,
    InboundSettings,
    InboundSource,
    Received,
    Refused,
    Source,
    impl,
    matches_any,
)
from hookrt.sources.reading import as_sent
from hookrt.sources.untyped import event_of, named_id

_CHALLENGE = {"www-authenticate": 'Bearer realm="hookrt"'}


class TokenSettings(InboundSettings):
    """What verifies a sender that shows a token: `secret` is that token."""

    header: HeaderName = Field(
        default="authorization",
        description="The header with the token; in Authorization it stands behind Bearer",
    )


class Token(InboundSource[TokenSettings]):
    """Senders that show a token in a header: `Authorization: Bearer TOKEN`, or a header of their own.

    The body is not signed, so the token proves who sends, and TLS that nothing was changed on the way.
    """

    name = "token"
    short = "secret"

    def receive(self, request: Inbound, settings: TokenSettings) -> Received:
        """The event of whatever the body is; raises Refused."""
        name = settings.header.lower()
        shown = request.headers.get(name, "")
        if name == "authorization":
            scheme, _, shown = shown.partition(" ")
            shown = shown.strip() if scheme.lower() == "bearer" else ""
        if not shown:
            expected = "Authorization: Bearer TOKEN" if name == "authorization" else f"the header {name}"
            raise Refused("bad-signature", f"there is no token: send {expected}", _CHALLENGE)
        if not matches_any(as_sent(shown), settings.plain_secrets):
            raise Refused("bad-signature", "the token is not the one that this source expects", _CHALLENGE)
        return event_of(request, identity=named_id(request))


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `token`."""
    return [Token]
