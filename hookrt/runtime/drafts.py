"""Events of the embedding program as drafts, and what no draft may claim."""

from __future__ import annotations

from collections.abc import Iterable

from hookrt.errors import EventError
from hookrt.model.event import Event, EventDraft


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
    if draft.type == "hookrt" or draft.type.startswith("hookrt."):
        raise EventError(f"'type' is {draft.type!r}: types that begin with 'hookrt.' are for hookrt itself")


def refuse_declared_source(draft: EventDraft, declared: Iterable[str]) -> None:
    """Raise EventError for an event that claims to come from a source that the configuration declares."""
    if draft.source is not None and draft.source in declared:
        raise EventError(f"'source' is {draft.source!r}: only the declared source of that name sends as it")
