"""From what a source says of a request to the event that is stored: its data as it came, its type, subject and id."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from hookrt.config.sources import SourceEntry
from hookrt.errors import ExpressionError
from hookrt.model.event import MAX_NAME, Event, EventDraft, encode_data
from hookrt.model.hook import Scope
from hookrt.plugin.inbound import Inbound, Received
from hookrt.plugin.inbound_body import read_json
from hookrt.plugin.refusal import Refused


def make_drafts(entry: SourceEntry, request: Inbound, said: Received | Sequence[Received]) -> list[EventDraft]:
    """The events of a verified request.

    Raises Refused where an expression of the entry cannot be evaluated, EventError for data that no event can have.
    """
    several = [said] if isinstance(said, Received) else said
    return [_make_draft(entry, request, one, index) for index, one in enumerate(several)]


def _make_draft(entry: SourceEntry, request: Inbound, said: Received, index: int) -> EventDraft:
    """One of them; `index` tells it from others of the same request."""
    content = _content(request, said)
    names = {"type": said.type, "subject": said.subject, "id": said.id or _body_id(request.body, index)}
    if entry.expressions:
        names |= _told(entry, _scope(entry, request, said, content, names))
    identity = names["id"]
    return EventDraft(
        type=names["type"] or said.type,
        content=content,
        id=_short_id(identity) if identity else None,
        source=entry.name,
        subject=names["subject"],
        time=said.time,
        content_type=said.content_type,
        binary=said.binary,
        attributes=said.attributes,
    )


def _content(request: Inbound, said: Received) -> bytes:
    if not isinstance(said.data, bytes):
        return encode_data(said.data)
    if not said.binary:
        request.json() if said.data is request.body else read_json(said.data)
    return said.data


def _body_id(body: bytes, index: int) -> str | None:
    """An id that a repetition of the same body has as well; an empty one says nothing, so each is an event."""
    if not body:
        return None
    digest = hashlib.sha256(body).hexdigest()
    return f"sha256:{digest}" if index == 0 else f"sha256:{digest}-{index}"


def _short_id(identity: str) -> str:
    if len(identity) <= MAX_NAME:
        return identity
    return f"sha256:{hashlib.sha256(identity.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _scope(entry: SourceEntry, request: Inbound, said: Received, content: bytes, names: dict[str, str | None]) -> Scope:
    event = Event(
        id=names["id"] or "",
        type=said.type,
        source=entry.name,
        time=said.time or request.received,
        subject=said.subject,
        content=content,
        content_type=said.content_type,
        binary=said.binary,
        attributes=said.attributes,
    )
    paths = [mention.path for one in entry.expressions.values() for mention in one.program.paths]
    seen: dict[str, Any] = {"headers": request.headers, "query": request.query}
    if any(path[0] == "body" for path in paths):
        seen["body"] = request.values()
    return Scope(event=event, hook="", request=seen)


def _told(entry: SourceEntry, scope: Scope) -> dict[str, str | None]:
    """What the expressions give; null leaves what the source says."""
    found: dict[str, str | None] = {}
    for name, expression in entry.expressions.items():
        try:
            value = expression.of(scope)
        except ExpressionError as error:
            raise Refused("malformed", f"the event's {name} cannot be told: {error.message}") from None
        if value is not None:
            found[name] = value
    return found
