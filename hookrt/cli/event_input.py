"""Events and their data as people hand them to a command: a file, `-` for standard input, or JSON in place."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from hookrt.errors import EventError, EventTooLarge
from hookrt.model.event import Event, EventDraft, check_type
from hookrt.model.json_depth import MAX_DEPTH, check_depth
from hookrt.web.malformed import find_fault
from hookrt.web.parse_events import Form, Limits, parse_events

MAX_INPUT = 16 * 1024 * 1024
"""Bytes that are read of a file or of standard input; no service takes more anyway."""

_EXAMPLE_ID = "evt_explained"


def read_bytes(path: str) -> bytes:
    """The content of a file, of standard input for `-`. Raises OSError, and EventTooLarge beyond MAX_INPUT."""
    if path == "-":
        if sys.stdin is None:
            raise EventError("standard input is closed")
        text = sys.stdin.buffer.read(MAX_INPUT + 1)
    else:
        with Path(path).open("rb") as file:
            text = file.read(MAX_INPUT + 1)
    if len(text) > MAX_INPUT:
        raise EventTooLarge(f"{_name(path)} has more than {MAX_INPUT // 1024**2} MiB: no service takes such an event")
    return text


def read_data(given: str) -> bytes:
    """The JSON text that `--data` stands for: itself, a file after `@`, or standard input for `-`.

    Raises EventError with the place of a fault, since the text goes out as it is.
    """
    path = given[1:] if given.startswith("@") else given
    text = given.encode("utf-8", "surrogateescape") if path == given and given != "-" else read_bytes(path)
    if fault := find_fault(text):
        where = "--data" if path == given and given != "-" else _name(path)
        raise EventError(f"{where}: {fault}")
    return text.strip()


def read_event(given: str) -> Event:
    """The event in a file, on standard input (`-`), or written in place (`{...}`), completed as a service would.

    It is taken as `POST /v1/events` takes a single one: the plain form, or a structured CloudEvent. Raises
    EventError, naming the place of the fault.
    """
    inline = is_inline(given)
    text = given.encode("utf-8", "surrogateescape") if inline else read_bytes(given)
    try:
        event = _read_draft(text).complete(_EXAMPLE_ID, "http", datetime.now(UTC))
    except EventError as error:
        raise EventError(f"{'the event' if inline else _name(given)}: {error}") from None
    return event


def is_inline(given: str) -> bool:
    """Whether this is meant as JSON in place, not as a file."""
    start = given.lstrip()[:1]
    return start == "{" or (start in ("[", '"') and not given.endswith(".json"))


def plain_form(type_: str, data: bytes, *, id_: str | None, source: str | None, subject: str | None) -> bytes:
    """The body that posts this event, its data byte for byte as given. Raises EventError for a bad type."""
    check_type(type_)
    named = {"type": type_, "id": id_, "source": source, "subject": subject}
    fields = [f'"{name}":{json.dumps(value)}' for name, value in named.items() if value is not None]
    return b"{" + ",".join(fields).encode() + b',"data":' + data + b"}"


def _read_draft(text: bytes) -> EventDraft:
    _refuse_other_list(text)
    drafts = parse_events(_form_of(text), (), text, Limits(MAX_INPUT, MAX_INPUT)).drafts
    if len(drafts) != 1:
        raise EventError(f"here are {len(drafts)} events, one is needed")
    return drafts[0]


def _refuse_other_list(text: bytes) -> None:
    """Raise EventError for a JSON array of something else than events; what is no array at all passes."""
    try:
        check_depth(text, MAX_DEPTH + 2)
        items = msgspec.json.decode(text, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, EventError):
        return  # whoever reads the event says what is wrong with it
    if not items or not all(bytes(item).startswith(b"{") for item in items):
        raise EventError('an event is a JSON object like {"type": "User.Created", "data": {}}, this is a JSON array')


def _form_of(text: bytes) -> Form:
    try:
        check_depth(text, MAX_DEPTH + 1)
        is_cloudevent = "specversion" in msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, EventError):
        is_cloudevent = False  # whatever it is, the plain form says best what is wrong with it
    return Form.STRUCTURED if is_cloudevent else Form.PLAIN


def _name(path: str) -> str:
    return "standard input" if path == "-" else path
