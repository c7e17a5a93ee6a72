"""The `Idempotency-Key` header: an identity for events whose sender gives them no id.

It is as draft-ietf-httpapi-idempotency-key-header says, but that nothing is remembered beside the events themselves:
the key becomes the event's id, so that a repeated request is answered like any repeated event, for as long as retention
keeps the first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hookrt.model.event import MAX_NAME, EventDraft
from hookrt.model.ids import derived_id
from hookrt.web.problem import ProblemDocument, Refusal

HEADER = b"idempotency-key"

_QUOTED = re.compile(rb'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_PLAIN = re.compile(rb"[\x21\x23-\x7e][\x21-\x7e]*")
_ESCAPED = re.compile(r"\\(.)")


def read_key(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """The key of a request that has one: a quoted text, as the draft has it, or a bare one, as most send it.

    Raises Refusal (400) when it is empty, longer than an id may be, no visible ASCII, or there twice.
    """
    values = [value.strip(b" \t") for name, value in headers if name == HEADER]
    if len(values) > 1:
        raise _bad("the header stands there twice")
    [value] = values
    if quoted := _QUOTED.fullmatch(value):
        key = _ESCAPED.sub(r"\1", quoted[1].decode("ascii"))
    elif value.startswith(b'"'):
        raise _bad("its quotes are not closed, or something stands behind them")
    elif value and not _PLAIN.fullmatch(value):
        raise _bad("it must be of visible ASCII characters; one with spaces stands in quotes")
    else:
        key = value.decode("ascii")
    if not key.strip():
        raise _bad("it is empty")
    if len(key) > MAX_NAME:
        raise _bad(f"it has {len(key)} characters, more than {MAX_NAME}")
    return key


def identify(drafts: Sequence[EventDraft], key: str, *, batch: bool) -> Sequence[EventDraft]:
    """The same events with ids from the key; one that brings an id of its own keeps it.

    In a batch the ids are made of the key and the place of the event.
    """
    if not batch:
        return [draft if draft.id is not None else replace(draft, id=key) for draft in drafts]
    return [
        draft if draft.id is not None else replace(draft, id=derived_id("evt", "idempotency-key", key, str(index)))
        for index, draft in enumerate(drafts)
    ]


def describe_header() -> Mapping[str, object]:
    """The header for the OpenAPI document."""
    text = (
        "Makes a request safe to repeat: it becomes the id of an event that has none (in a batch, together with the "
        "event's place). A repeated request is answered with `duplicate: true` and the first's deliveries, one with "
        "other content with 409. An id in the body wins. Quoted, as the draft has it, or bare."
    )
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": text,
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    }


def _bad(why: str) -> Refusal:
    return Refusal(ProblemDocument(400, "idempotency-key-invalid", f"the header Idempotency-Key is no key: {why}"))
