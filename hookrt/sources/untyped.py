"""Events of senders that follow no one's rules: what kind they are, and what makes a repetition one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookrt.plugin import Inbound, Received
from hookrt.sources.reading import first_name, type_of

RECEIVED = "webhook.received"
"""The type of an event whose sender names none."""

_KINDS = ("type", "event")
_ID_HEADERS = ("webhook-id", "idempotency-key")


def kind_of(body: Any) -> str:
    """The body's own `type` or `event`, where it is a text; else `webhook.received`."""
    found = [body.get(name) for name in _KINDS] if isinstance(body, Mapping) else []
    return next((type_of(value) for value in found if isinstance(value, str) and value.strip(". ")), RECEIVED)


def named_id(request: Inbound) -> str | None:
    """The id in one of the headers that are made for it, where such a header can be trusted as much as the body."""
    return first_name(*(request.headers.get(header) for header in _ID_HEADERS))


def event_of(request: Inbound, *, kind: str = "", identity: str | None = None) -> Received:
    """The event of a verified request: of this kind, or of the one that its body names, and with this id.

    Raises Refused for a body that is not what its content type says.
    """
    return Received(
        type=type_of(kind) if kind else kind_of(request.values()),
        data=request.data(),
        id=identity,
    )
