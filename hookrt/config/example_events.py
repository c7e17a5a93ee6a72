"""The event of a test: written out, or a sample of a source with changes."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from hookrt.config.context import LoadContext
from hookrt.config.example_values import read_value
from hookrt.config.fields import Fields, Keys, as_mapping
from hookrt.config.nodes import MapNode, Node, TextNode
from hookrt.config.suggest import did_you_mean, shorten
from hookrt.errors import EventError
from hookrt.matching.patterns import is_literal
from hookrt.model.event import Event, check_event, encode_data
from hookrt.model.hook import Hook
from hookrt.model.merge_patch import merge_patch
from hookrt.plugin.source import SampleEvent

EVENT_KEYS = ("type", "data", "source", "subject", "time", "id")
"""The keys of a test's event."""

TEST_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When a test takes place, unless its event says otherwise."""

TEST_SOURCE = "test"
"""Where its event comes from, unless the hook wants another source or the event says otherwise."""

_ELSEWHERE = {"event": "type", "payload": "data", "body": "data", "from": "source", "timestamp": "time"}


def read_event(fields: Fields, hook: Hook, context: LoadContext, *, told: bool) -> Event | None:
    """The event of a test; None, and it is reported, where there is none; `told` when a misspelt key was."""
    log = context.log
    if not {"event", "sample"} & fields.node.entries.keys():
        if not told:
            log.error(fields.node, "a test needs an `event`, or a `sample` of one", _example_of(context))
        return None
    node = fields.get("event")
    if isinstance(node, TextNode):
        node = MapNode(node.span)  # a bare text is the type, read below
        own: Fields | None = Fields(node, "`event`", log)
        type = fields.text("event")
    else:
        section = as_mapping(node, "`event`", log) if node is not None else MapNode(fields.node.span)
        own = None if section is None else Fields(section, "`event`", log)
        type = own.text("type") if own is not None else None
    if own is None:
        return None
    own.check_keys(Keys(EVENT_KEYS, _ELSEWHERE))
    named = fields.text("sample")
    sample = _find_sample(fields.get("sample"), named, context) if named is not None else SampleEvent(None)
    type = type or named or _type_of(hook, fields)
    if sample is None or type is None:
        return None
    return _make(own, type, sample, hook)


def _type_of(hook: Hook, fields: Fields) -> str | None:
    """The one type that the hook is for."""
    literal = [pattern for pattern in hook.patterns if is_literal(pattern)]
    if len(literal) == 1 == len(hook.patterns):
        return literal[0]
    fields.log.error(fields.get("event") or fields.node, "the event needs a `type`, since the hook is for several")
    return None


def _make(own: Fields, type: str, sample: SampleEvent, hook: Hook) -> Event | None:
    given = own.get("data")
    data = sample.data
    if given is not None:
        written = read_value(given, own.log).value
        data = written if sample.data is None else merge_patch(sample.data, written)
    try:
        event = Event(
            id=own.text("id") or "test",
            type=type,
            source=own.text("source") or hook.source or TEST_SOURCE,
            time=_time_of(own),
            subject=own.text("subject") or sample.subject,
            content=encode_data(data),
        )
        check_event(event)
    except EventError as error:
        own.log.error(own.node, f"this can be no event: {error}")
        return None
    return event


def _time_of(own: Fields) -> datetime:
    node, text = own.get("time"), own.text("time")
    if node is None or text is None:
        return TEST_TIME
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        own.log.error(node, f"{shorten(text)} is no time with a zone", "write it like 2026-01-01T12:00:00Z")
        return TEST_TIME
    return found


def _find_sample(node: Node | None, name: str, context: LoadContext) -> SampleEvent | None:
    known = _samples(context)
    if name in known:
        return known[name]
    if node is not None:
        hint = did_you_mean(name, known) or f"`event: {{type: {name}, data: ...}}` writes one out"
        context.log.error(node, f"no source brings a sample of {shorten(name)}", hint)
    return None


def _samples(context: LoadContext) -> dict[str, SampleEvent]:
    """All samples of the installed sources; one that fails brings none."""
    found: dict[str, SampleEvent] = {}
    for plugin in context.registry.sources.values():
        with suppress(Exception):
            found = {**plugin.samples(TEST_TIME), **found}
    return found


def _example_of(context: LoadContext) -> str:
    first = next(iter(_samples(context)), None)
    written = "`event: {type: ..., data: ...}`"
    return f"`sample: {first}`, say, or {written}" if first else written
