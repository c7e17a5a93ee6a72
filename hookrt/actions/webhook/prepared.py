"""What of a webhook's request is the same for every event, and the headers of one attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hookrt.plugin import AnswerRules, Destination, SigningKey, sign


@dataclass(slots=True, eq=False)
class Prepared:
    """What settings and destination make, whatever the event. `body` is None where the event makes it, or none is.

    `rules` say what the answer means.
    """

    destination: Destination | None
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    keys: tuple[tuple[SigningKey, datetime | None], ...]
    body: bytes | None
    from_event: bool
    rules: AnswerRules

    def headers_for(self, message_id: str, started: datetime, body: bytes | None) -> dict[str, str]:
        """The headers of one attempt: the fixed ones, id and time, and a signature if a secret is valid now."""
        timestamp = int(started.timestamp())
        headers = {**self.headers, "webhook-id": message_id, "webhook-timestamp": str(timestamp)}
        if self.keys:
            valid = [key for key, until in self.keys if until is None or until > started]
            if valid:
                headers["webhook-signature"] = sign(valid, message_id, timestamp, body or b"")
        return headers
