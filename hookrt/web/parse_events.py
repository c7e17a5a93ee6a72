"""From a request's body to the events in it, in whichever of the six forms it came."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import msgspec

from hookrt.errors import EventError, EventTooLarge
from hookrt.model.event import EventDraft
from hookrt.model.json_depth import MAX_DEPTH, check_depth
from hookrt.web.cloudevents import read_binary, read_structured
from hookrt.web.malformed import Malformed, find_fault, malformed_at
from hookrt.web.media_type import essence, is_utf8
from hookrt.web.plain_form import read_plain

MAX_BATCH = 10_000
"""Most events in one batch: a batch is one transaction, and an endless one would hold up all others."""

Headers = Sequence[tuple[bytes, bytes]]
_WHITE = b" \t\r\n"


class Form(Enum):
    """How events are written in a body."""

    PLAIN = "application/json"
    LINES = "application/x-ndjson"
    STRUCTURED = "application/cloudevents+json"
    STRUCTURED_BATCH = "application/cloudevents-batch+json"
    BINARY = "any type, with ce- headers"


_FORMS = {
    "application/json": Form.PLAIN,
    "application/x-ndjson": Form.LINES,
    "application/ndjson": Form.LINES,
    "application/cloudevents+json": Form.STRUCTURED,
    "application/cloudevents-batch+json": Form.STRUCTURED_BATCH,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Most bytes of one event, and of one request with many."""

    event: int = 1024 * 1024
    batch: int = 5 * 1024 * 1024

    def of(self, form: Form) -> int:
        """Most bytes that a body of this form may have."""
        return self.event if form is Form.STRUCTURED or form is Form.BINARY else max(self.batch, self.event)


class Parsed(NamedTuple):
    """The events of a body. `batch` says how to answer; `lines` are their lines where a line is an event."""

    drafts: Sequence[EventDraft]
    batch: bool = False
    lines: Sequence[int] = ()


class UnknownForm(Exception):  # noqa: N818 - becomes a problem document of its own status
    """The Content-Type is none that events come in; the text says which are."""


def form_of(head: Mapping[bytes, bytes]) -> Form:
    """How the events of a request with these headers (names in lower case) are written; raises UnknownForm."""
    raw = head.get(b"content-type", b"")
    if raw == b"application/json" and b"ce-specversion" not in head and b"ce-type" not in head:
        return Form.PLAIN
    content_type = raw.decode("latin-1")
    media = essence(content_type)
    if not media.startswith("application/cloudevents") and (b"ce-specversion" in head or b"ce-type" in head):
        return Form.BINARY
    form = _FORMS.get(media)
    if form is None:
        got = f"this one is {media[:80]}" if media else "there is none"
        raise UnknownForm(f"the Content-Type must be one of {', '.join(_FORMS)}, or ce- headers be given; {got}")
    if not is_utf8(content_type):
        raise UnknownForm("JSON must be sent in UTF-8")
    return form


def parse_events(form: Form, headers: Headers, body: bytes, limits: Limits) -> Parsed:
    """The events in this body.

    Raises EventTooLarge above a limit, and EventError (`Malformed` where the place is known) when one of the events
    cannot be read; then none of them counts.
    """
    if form is Form.PLAIN:
        if _starts_array(body):
            return _read_array(read_plain, body, limits)
        return Parsed((_read_one(read_plain, body, limits),))
    if form is Form.LINES:
        return _read_lines(body, limits)
    if form is Form.STRUCTURED:
        return Parsed((_read_one(read_structured, body, limits),))
    if form is Form.STRUCTURED_BATCH:
        return _read_array(read_structured, body, limits)
    return _read_binary(headers, body, limits)


def check_nesting(text: bytes, *, around: int) -> None:
    """Raise EventError for data nested deeper than the limit; `around` levels are not its own but the form's.

    It comes before any decoding, since a decoder's own recursion is the danger.
    """
    try:
        check_depth(text, MAX_DEPTH + around)
    except EventError:
        raise EventError(f"the data is nested more than {MAX_DEPTH} levels deep") from None


def _starts_array(body: bytes) -> bool:
    return not body.startswith(b"{") and body.lstrip(_WHITE).startswith(b"[")


def _read_one(read: Callable[[bytes], EventDraft], text: bytes, limits: Limits) -> EventDraft:
    check_nesting(text, around=1)
    return _read_shallow(read, text, limits)


def _read_shallow(read: Callable[[bytes], EventDraft], text: bytes, limits: Limits) -> EventDraft:
    if len(text) > limits.event:
        raise _too_large(limits)
    try:
        return read(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise find_fault(text) or Malformed(f"the JSON cannot be read: {error}") from None


def _read_binary(headers: Headers, body: bytes, limits: Limits) -> Parsed:
    if len(body) > limits.event:
        raise _too_large(limits)
    content_type = next((value for name, value in headers if name == b"content-type"), None)
    declared = None if content_type is None else content_type.decode("latin-1")
    return Parsed((read_binary(headers, declared, body),))


def _read_array(read: Callable[[bytes], EventDraft], body: bytes, limits: Limits) -> Parsed:
    check_nesting(body, around=2)
    try:
        texts = [bytes(raw) for raw in _decode_array(body)]
    except msgspec.ValidationError:
        raise EventError("a batch is a JSON array of events, this is none") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise find_fault(body) or Malformed(f"the JSON cannot be read: {error}") from None
    _check_count(len(texts))
    return Parsed([_read_element(read, body, texts, index, limits) for index in range(len(texts))], batch=True)


_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _read_element(
    read: Callable[[bytes], EventDraft], body: bytes, texts: Sequence[bytes], index: int, limits: Limits
) -> EventDraft:
    try:
        return _read_shallow(read, texts[index], limits)
    except EventTooLarge as error:
        raise _place_too_large(f"the event at index {index}: {error}", index) from None
    except EventError as error:
        raise _in_array(error, body, texts, index) from None


def _in_array(error: EventError, body: bytes, texts: Sequence[bytes], index: int) -> Malformed:
    """The same error at its place in the whole body."""
    start = 0
    for text in texts[:index]:
        start = body.find(text, start) + len(text)
    start = body.find(texts[index], start)
    inner = getattr(error, "position", None)
    reason = str(error).rpartition(" (line ")[0] if inner is not None else str(error)
    placed = malformed_at(f"the event at index {index}: {reason}", body, start + (inner or 0))
    placed.index = index
    return placed


def _read_lines(body: bytes, limits: Limits) -> Parsed:
    drafts, lines = [], []
    for number, line in _split_lines(body):
        try:
            drafts.append(_read_one(read_plain, line, limits))
        except EventTooLarge as error:
            raise _place_too_large(f"line {number}: {error}", len(drafts)) from None
        except EventError as error:
            raise _in_line(error, number, len(drafts)) from None
        lines.append(number)
        _check_count(len(drafts))
    if not drafts:
        raise Malformed("the body is empty: send one JSON event a line", position=0, line=1)
    return Parsed(drafts, batch=True, lines=lines)


def _split_lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.strip(_WHITE):
            yield number, line.removesuffix(b"\r")


def _in_line(error: EventError, number: int, index: int) -> Malformed:
    """The same error with the line of the body; its column stays, its byte is that within the line."""
    inner = getattr(error, "position", None)
    reason = str(error).rpartition(" (line ")[0] if inner is not None else str(error)
    column = getattr(error, "column", None)
    placed = Malformed(f"line {number}{f', column {column}' if column else ''}: {reason}", position=inner, line=number)
    placed.column, placed.index = column, index
    return placed


def _check_count(count: int) -> None:
    if count > MAX_BATCH:
        raise EventTooLarge(f"a batch holds at most {MAX_BATCH} events: send several batches")


def _place_too_large(message: str, index: int) -> EventTooLarge:
    error = EventTooLarge(message)
    error.index = index
    return error


def _too_large(limits: Limits) -> EventTooLarge:
    return EventTooLarge(f"an event may have {limits.event} bytes at most (service.limits.event)")
