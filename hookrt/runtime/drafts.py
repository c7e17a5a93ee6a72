"""Events of the embedding program as drafts, and what no draft may claim."""

from __future__ import annotations

from collections.abc import Container, Iterable

from hookrt.errors import EventError
from hookrt.model.event import Event, EventDraft
from hookrt.model.own_events import is_reserved

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


def refuse_reserved(draft: EventDraft) -> None:
    """Raise EventError for a type that only hookrt itself may emit."""
    if is_reserved(draft.type):
        raise EventError(f"'type' is {draft.type!r}: types that begin with 'hookrt.' are for hookrt itself")


def check_foreign(drafts: Iterable[EventDraft], declared: Container[str]) -> None:
    """Raise EventError, with the `index` of the draft at fault, for what nobody outside may send: reserved types, and
    events that claim to come from a source that the configuration declares, or from a step of a hook.
    """
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
