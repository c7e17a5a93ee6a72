"""The JSON Schema of `order`, `dedupe`, `debounce` and `throttle`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hookrt.config.keyed import BLOCKED

Schema = dict[str, Any]

_BY = {
    "type": "string",
    "minLength": 1,
    "description": "The key, a CEL expression: event.data.user.id, or hook for all events of the hook",
}


def keyed_schema() -> dict[str, Schema]:
    """The properties of a hook that go by a key."""
    blocked = {
        "enum": list(BLOCKED),
        "default": "wait",
        "description": "While the first of a key waits for a retry: wait holds the others back, skip lets them pass",
    }
    return {
        "order": _rule("Events of one key are delivered one at a time, in order", ["by"], blocked=blocked),
        "dedupe": _rule(
            "Of one key only the first event within a time is delivered",
            ["by", "within"],
            within=_duration("How long after it no other one is"),
        ),
        "debounce": _rule(
            "Of a burst of events of one key only the last is delivered",
            ["by", "wait"],
            wait=_duration("How long no other one must come before it is delivered"),
            max=_duration("How long after the first of the burst it is delivered at the latest"),
        ),
        "throttle": _rule(
            "At most one event of one key in a time is delivered",
            ["by", "every"],
            every=_duration("How long after it no other one is"),
        ),
    }


def _rule(description: str, required: Sequence[str], **settings: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": {"by": _BY, **settings},
        "required": list(required),
        "additionalProperties": False,
    }


def _duration(description: str) -> Schema:
    return {"$ref": "#/$defs/duration", "description": description}
