"""Events of the embedding program as drafts, and what no draft may claim."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

from hookrt.config.sources import SourceEntry
from hookrt.errors import EventError
from hookrt.model.event import Event, EventDraft, encode_data
from hookrt.model.own_events import is_reserved
from hookrt.plugin.inbound_body import read_json
from hookrt.plugin.refusal import Refused

EMBEDDED_SOURCE = "app"
"""The source of events that the embedding program emits, unless it says otherwise."""

EMITTED = "hook:"
"""What the sources of events begin with that steps emit."""


def draft_of(event: Event) -> EventDraft:
    """An event as a draft that becomes the same event."""
    return EventDraft(
        type=event.type,
        content=event.content,
        id=event.id,
        source=event.source,
        subject=event.subject,
        time=event.time,
        content_type=event.content_type,
        binary=event.binary,
        attributes=event.attributes,
    )


def content_of(data: Any, *, binary: bool) -> bytes:
    """What a source brings as the content of an event: bytes as they are (JSON, unless `binary`), all else as JSON.

    Raises EventError for what is none.
    """
    if not isinstance(data, bytes):
        return encode_data(data)
    if not binary:
        try:
            read_json(data)
        except Refused as refused:
            raise EventError(refused.message) from None
    return data


def refuse_reserved(draft: EventDraft) -> None:
    """Raise EventError for a type that only hookrt itself may emit, or that is no text."""
    if not isinstance(draft.type, str):
        raise EventError(f"'type' must be text, this is {type(draft.type).__name__}")
    if is_reserved(draft.type):
        raise EventError(f"'type' is {draft.type!r}: types that begin with 'hookrt.' are for hookrt itself")


def check_foreign(drafts: Sequence[EventDraft], sources: Iterable[SourceEntry]) -> None:
    """Raise EventError, with the `index` of the draft at fault, for what nobody outside may send: reserved types, and
    events that claim to come from one of these declared sources, or from a step of a hook.
    """
    declared = {entry.name for entry in sources} if any(draft.source is not None for draft in drafts) else ()
    for index, draft in enumerate(drafts):
        try:
            refuse_reserved(draft)
            _refuse_declared_source(draft, declared)
        except EventError as error:
            error.index = index
            raise


def _refuse_declared_source(draft: EventDraft, declared: Container[str]) -> None:
    if draft.source is not None and draft.source in declared:
        raise EventError(f"'source' is {draft.source!r}: only the declared source of that name sends as it")
    if draft.source is not None and draft.source.startswith(EMITTED):  # its ids can be guessed, and taken before it
        raise EventError(f"'source' is {draft.source!r}: only the steps of that hook send as it")
