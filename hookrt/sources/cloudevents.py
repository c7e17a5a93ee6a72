"""The source `cloudevents`: CloudEvents 1.0 by HTTP, as the specification «Web Hooks for Event Delivery» has it.

CloudEvents carry no signature: the sender shows a token, as `Authorization: Bearer` or, if it cannot, as the parameter
`access_token` of the URL. It may ask first, with OPTIONS, whether its events are wanted at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from hookrt.plugin import Inbound, InboundSettings, InboundSource, Received, Refused, Reply, Source, impl, matches_any
from hookrt.sources.cloudevents_reading import CloudEvent, read_batch, read_binary, read_structured
from hookrt.sources.reading import as_sent, moment_of, name_of, type_of

_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE | re.ASCII)
_ORIGIN = re.compile(r"[A-Za-z0-9.*:/_-]{1,253}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_BATCH, _STRUCTURED = "application/cloudevents-batch+json", "application/cloudevents+json"


class CloudEventsSettings(InboundSettings):
    """What lets CloudEvents in: `secret` is the token that the sender shows."""

    origins: tuple[str, ...] | None = Field(
        default=None,
        description="The origins that are answered with consent when they ask by OPTIONS; by default every one, "
        "since its events need the token all the same",
    )


class CloudEvents(InboundSource[CloudEventsSettings]):
    """CloudEvents from anywhere, let in by a bearer token: structured, binary, or several in a batch."""

    name = "cloudevents"
    short = "secret"
    methods = frozenset({"POST", "OPTIONS"})

    def receive(self, request: Inbound, settings: CloudEventsSettings) -> Received | Sequence[Received] | Reply:
        """The events, or the answer to one who asks whether to send; raises Refused."""
        if request.method == "OPTIONS":
            return _consent(request, settings)
        _check_token(request, settings)
        media = request.media_type
        if media == _BATCH:
            events = [_received(event) for event in read_batch(request)]
            return events or Reply(status=204)
        return _received(read_structured(request) if media == _STRUCTURED else read_binary(request, media))


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `cloudevents`."""
    return [CloudEvents]


def _check_token(request: Inbound, settings: CloudEventsSettings) -> None:
    header = request.headers.get("authorization", "")
    if header:
        found = _BEARER.fullmatch(header)
        if found is None:
            raise Refused("bad-signature", "the header authorization must be Bearer and the token")
        token = as_sent(found[1])
    else:
        token = request.query.get("access_token", "").encode("utf-8", "surrogatepass")
    if not token:
        raise Refused("bad-signature", "there is no token: send it as Authorization: Bearer")
    if not matches_any(token, settings.plain_secrets):
        raise Refused("bad-signature", "the token is another one")


def _consent(request: Inbound, settings: CloudEventsSettings) -> Reply:
    """The answer to a validation request; without consent it has none of the headers that give it."""
    origin = request.require("webhook-request-origin", "malformed")
    if not _ORIGIN.fullmatch(origin):
        raise Refused("malformed", "the header webhook-request-origin is no name of a sender")
    allow = {"allow": "POST, OPTIONS"}
    if settings.origins is not None and origin not in settings.origins:
        return Reply(status=403, headers=allow)
    return Reply(headers={**allow, "webhook-allowed-origin": origin, "webhook-allowed-rate": "*"})


def _received(event: CloudEvent) -> Received:
    return Received(
        type=type_of(event.type),
        data=event.content,
        id=_id(event),
        subject=name_of(event.subject),
        time=moment_of(event.time),
        attributes={**event.extensions, "cesource": event.source},
        content_type=name_of(event.content_type),
        binary=event.binary,
    )


def _id(event: CloudEvent) -> str:
    """What names the event: of CloudEvents that is source and id together, unless the id is unique by itself."""
    if _UUID.fullmatch(event.id):
        return event.id
    plain = f"{event.id}~{_short_hash(event.source)}"
    return name_of(plain) or _short_hash(f"{event.source} {event.id}")


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
