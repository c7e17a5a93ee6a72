"""What of a webhook's request is the same for every event, and the headers of one attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hookrt.actions.webhook.formats import Format, standard_body
from hookrt.plugin import Access, ActionCall, AnswerRules, Destination, RequestSigner, SigningKey, sign

_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Dress:
    """How a request differs from a plain one: written in another format, None for the standard one, or signed otherwise
    (or also otherwise) than by the Standard Webhooks.
    """

    format: Format | None
    signers: tuple[RequestSigner, ...] = ()

    @property
    def header_names(self) -> frozenset[str]:
        """The headers that it makes and nobody sets by hand."""
        made = (signer.header_names for signer in self.signers)
        return frozenset(self.format.reserved if self.format else ()).union(*made)


@dataclass(slots=True, eq=False)
class Prepared:
    """What settings and destination make, whatever the event. `body` is None where the event makes it, or none is.

    `rules` say what the answer means. `dress` and `access` are None for most.
    """

    destination: Destination | None
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    keys: tuple[tuple[SigningKey, datetime | None], ...]
    body: bytes | None
    from_event: bool
    rules: AnswerRules
    dress: Dress | None = None
    access: Access | None = None

    def headers_for(self, message_id: str, started: datetime, body: bytes | None) -> dict[str, str]:
        """The headers of one attempt: the fixed ones, id and time, and a signature if a secret is valid now."""
        timestamp = int(started.timestamp())
        headers = {**self.headers, "webhook-id": message_id, "webhook-timestamp": str(timestamp)}
        if self.keys:
            valid = [key for key, until in self.keys if until is None or until > started]
            if valid:
                headers["webhook-signature"] = sign(valid, message_id, timestamp, body or b"")
        return headers

    def dressed(self, dress: Dress, call: ActionCall[Any]) -> tuple[bytes | None, dict[str, str]]:
        """Body and headers of one attempt of a request that is not a plain one.

        Headers set by hand win over those of the format, and a signature over both. Raises ValueError for an event that
        the format cannot carry, or when a signature scheme does what it must not.
        """
        body, own = self.body, _NONE
        if self.from_event and dress.format is None:
            body = standard_body(call.event)
        elif self.from_event and dress.format is not None:
            written = dress.format.write(call.event, call.hook)
            body, own = written.body, written.headers
        headers = {**own, **self.headers_for(call.message_id, call.started, body)}
        if dress.format is not None and not dress.format.has_id and "webhook-signature" not in headers:
            del headers["webhook-id"], headers["webhook-timestamp"]
        for signer in dress.signers:
            headers |= signer.sign(call.message_id, call.started, body or b"")
        return body, headers
