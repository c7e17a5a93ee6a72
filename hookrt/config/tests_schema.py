"""The JSON Schema of a hook's `tests:`."""

from __future__ import annotations

from typing import Any

from hookrt.config.hook_tests import MAX_TESTS, STATUSES
from hookrt.config.step_examples import FAULTS, OUTCOMES, STEP_STATUSES

Schema = dict[str, Any]

_NAMES = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_HEADERS = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}


def tests_schema() -> Schema:
    """What a hook's `tests` takes."""
    properties = {
        "name": {"type": "string", "description": "What it shows; `hookrt test -k` looks for it"},
        "event": _event(),
        "sample": {"type": "string", "description": "A type whose sample is the event; `event` changes parts of it"},
        "env": {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean"]},
            "description": "All variables that expressions see",
        },
        "fires": {"type": "boolean", "default": True, "description": "Whether the event fires this hook"},
        "hooks": {**_NAMES, "description": "The names of all hooks that the event fires"},
        "status": {"enum": list(STATUSES), "description": "How the delivery ends"},
        "reason": {"type": "string", "description": "Why the delivery is dead"},
        "steps": {"type": "object", "additionalProperties": _step(), "description": "What is said of steps, by id"},
    }
    one = _object(properties, "An example: an event, and what is expected to come of it")
    needs = {"anyOf": [{"required": ["event"]}, {"required": ["sample"]}]}
    return {
        "type": "array",
        "maxItems": MAX_TESTS,
        "items": {**one, **needs},
        "description": "Examples that `hookrt test` runs offline",
    }


def _event() -> Schema:
    properties = {
        "type": {"type": "string", "description": "By default the one type that the hook is for"},
        "data": {"description": "Any JSON; beside a `sample` a JSON Merge Patch for it"},
        "source": {"type": "string", "description": "By default what the hook wants (`from`), else test"},
        "subject": {"type": "string", "description": "What the event is about"},
        "time": {"type": "string", "description": "When the test takes place, 2026-01-01T12:00:00Z by default"},
        "id": {"type": "string", "description": "test by default"},
    }
    return {"anyOf": [{"type": "string"}, _object(properties)], "description": "The event; a bare text is its type"}


def _step() -> Schema:
    properties = {
        "stub": {
            "anyOf": [_answer(), {"type": "array", "minItems": 1, "items": _answer()}, _stand_in()],
            "description": "What answers its requests, or its output without it being run",
        },
        "status": {"enum": list(STEP_STATUSES), "description": "What becomes of it"},
        "outcome": {"enum": list(OUTCOMES), "description": "What its last attempt ends with"},
        "reason": {"type": "string", "description": "Why its last attempt failed"},
        "attempts": {"type": "integer", "minimum": 0, "description": "How many attempts it takes"},
        "output": {"description": "Its output, in part"},
        "request": {
            "anyOf": [_request(), {"type": "array", "items": _request()}],
            "description": "Its last request, or a list of all, in part",
        },
        "settings": {"description": "What it was run with, rendered, in part"},
        "emits": {**_NAMES, "description": "The types of the events that it emits"},
    }
    return _object(properties, "What a test says of a step")


def _stand_in() -> Schema:
    return {**_object({"output": {"description": "Its output"}}), "required": ["output"]}


def _answer() -> Schema:
    status = {"type": "integer", "minimum": 100, "maximum": 599, "default": 200, "description": "The answer's status"}
    properties = {
        "status": status,
        "headers": {**_HEADERS, "description": "The answer's headers"},
        "body": {"description": "A text as it is, all else as JSON"},
        "error": {"enum": list(FAULTS), "description": "Why no answer comes"},
    }
    alone = {"dependentSchemas": {"error": {"maxProperties": 1}}}
    return {"anyOf": [status, {**_object(properties), **alone}]}


def _request() -> Schema:
    properties = {
        "method": {"type": "string", "description": "In capitals or not"},
        "url": {"type": "string", "description": "The whole URL"},
        "path": {"type": "string", "description": "Its path, without the query"},
        "headers": {"type": "object", "description": "Those that matter, secrets as ***"},
        "body": {"description": "JSON in part, or a text"},
    }
    return _object(properties)


def _object(properties: Schema, description: str | None = None) -> Schema:
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "description": description} if description else found
