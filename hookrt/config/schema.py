"""The JSON Schema of hooks.yaml, with the settings of every installed plugin, so that editors complete and check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookrt.config.deciding import CHOICES, MODES
from hookrt.config.destinations import DestinationSettings
from hookrt.config.keyed_schema import keyed_schema
from hookrt.config.model_schema import Definitions, model_schema
from hookrt.config.policies import NAMED, SHAPES
from hookrt.config.service import ServiceSettings
from hookrt.config.tests_schema import tests_schema
from hookrt.plugin.registry import Registry

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""The dialect of JSON Schema that it is written in."""

_NAME = "^[a-z0-9][a-z0-9_-]{0,63}$"
_DURATION = {
    "type": "string",
    "pattern": "^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$",
    "description": "A duration: 250ms, 15s, 5m, 1h30m, 2d",
}
_CONDITION = {
    "type": ["string", "boolean"],
    "description": 'A CEL expression that is true or false: event.data.age > 17, get(event, "data.name", "") != ""',
}
_EXPRESSION = {"type": "string", "pattern": "\\$\\{\\{", "description": "${{ a CEL expression }}"}
_TEXT_FILE = {"type": "string", "minLength": 1, "not": {"pattern": "^[/~]|(^|/)\\.\\.(/|$)|\\$\\{\\{"}}
_EVENT_TYPE = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "description": "An event type, or a pattern: User.* (one segment), User.** (any depth), ** (everything)",
}


def build_schema(registry: Registry) -> Schema:
    """The JSON Schema of a hooks.yaml with these plugins."""
    definitions = Definitions()
    properties = {
        "version": {"const": 1, "description": "The version of this format"},
        "defaults": _nullable(_object(_policies(expires=True), "What a hook without its own words gets")),
        "sources": _sources(registry, definitions),
        "destinations": _destinations(definitions),
        "hooks": _map(_ref("hook"), "Hooks by name", _NAME),
        "service": _service(registry, definitions),
    }
    return {
        "$schema": DIALECT,
        "title": "hooks.yaml",
        "description": "Hooks of hookrt: what happens when something happens",
        **_object(properties),
        "$defs": {
            "duration": _DURATION,
            "condition": _CONDITION,
            "expression": _EXPRESSION,
            "eventType": _EVENT_TYPE,
            "retry": _retry(definitions),
            "hook": _hook(),
            "step": _step(registry, definitions),
            **definitions.found,
        },
    }


def _hook() -> Schema:
    properties = {
        "on": {
            "anyOf": [_ref("eventType"), {"type": "array", "minItems": 1, "items": _ref("eventType")}],
            "description": "The event types that it is for",
        },
        "from": {"type": "string", "description": "Only events of this source"},
        "when": _ref("condition"),
        "steps": {
            "type": "array",
            "minItems": 1,
            "items": _ref("step"),
            "description": "What is done, in order; each step sees the outputs of those before it",
        },
        "enabled": {"type": "boolean", "default": True, "description": "false: it matches nothing"},
        "description": {"type": "string", "description": "What it is for"},
        "tests": tests_schema(),
        **_policies(expires=True),
        **keyed_schema(),
        **_deciding(),
    }
    return {
        **_object(properties, "A rule: which events, under which condition, which steps"),
        "required": ["on", "steps"],
    }


def _deciding() -> Schema:
    mode = "decide: it is asked before an application goes on, and no event fires it"
    answer = "With mode: decide, what it says when it cannot answer"
    return {
        "mode": {"enum": list(MODES), "default": MODES[0], "description": mode},
        "on_error": {"enum": list(CHOICES), "default": CHOICES[0], "description": answer},
    }


def _step(registry: Registry, definitions: Definitions) -> Schema:
    names = [name for name in registry.actions if ":" not in name or name.rpartition(":")[2] in registry.ambiguous]
    actions = {name: _action(name, registry, definitions) for name in names}
    properties = {
        **actions,
        "id": {
            "type": "string",
            "pattern": "^[a-z_][a-z0-9_]{0,63}$",
            "description": "Its name for later steps (steps.ID.output); by default the action's name",
        },
        "when": _ref("condition"),
        **_policies(expires=False),
        "continue_on_error": {
            "type": "boolean",
            "default": False,
            "description": "Whether the later steps run although this one has failed for good",
        },
    }
    return {
        **_object(properties, "One action with its settings"),
        "oneOf": [{"required": [name]} for name in names] or [False],
    }


def _action(name: str, registry: Registry, definitions: Definitions) -> Schema:
    action = registry.actions[name]
    settings = model_schema(action.settings, f"action.{name}", definitions, static=action.static)
    settings = _with_text_files(settings, action.text_files)
    return _described(_with_short(settings, action.short), action.__doc__)


def _sources(registry: Registry, definitions: Definitions) -> Schema:
    plugins = {}
    for name, plugin in registry.sources.items():
        settings = model_schema(plugin.settings, f"source.{name}", definitions)
        plugins[name] = _described(_with_short(settings, plugin.short), plugin.__doc__)
    entry = {**_object(plugins, "A source plugin with its settings"), "minProperties": 1, "maxProperties": 1}
    return _map(entry, "Where events come from, by name", _NAME)


def _destinations(definitions: Definitions) -> Schema:
    entry = model_schema(DestinationSettings, "destination", definitions)
    names = f"{_NAME[:-1]}$|^https?://[^/?#\\s]+$"
    return _map(entry, "Where steps send, by name or by origin (https://api.example.com)", names)


def _service(registry: Registry, definitions: Definitions) -> Schema:
    settings = model_schema(ServiceSettings, "service", definitions)
    actions = {
        name: model_schema(action.service_settings, f"service.{name}", definitions)
        for name, action in registry.actions.items()
        if action.service_settings is not None
    }
    settings["properties"]["actions"] = _object(actions, "Settings of actions, by their names")
    return _nullable(settings)


def _policies(*, expires: bool) -> Schema:
    found: Schema = {
        "timeout": {"$ref": "#/$defs/duration", "description": "How long one attempt may take"},
        "retry": {"$ref": "#/$defs/retry", "description": "When a failed attempt is tried again"},
        "max_retry_after": {
            "$ref": "#/$defs/duration",
            "description": "The longest wait that an endpoint can ask for (Retry-After), 24h at most and by default",
        },
    }
    if expires:
        found["expires"] = {"$ref": "#/$defs/duration", "description": "How long a delivery may take in all"}
    return found


def _retry(definitions: Definitions) -> Schema:
    shapes = [
        {**_object({name: model_schema(shape, f"retry.{name}", definitions, templates=False)}), "required": [name]}
        for name, shape in SHAPES.items()
    ]
    named = {"enum": list(NAMED)}
    waits = {"type": "array", "items": _ref("duration"), "description": "The waits between attempts"}
    return {"anyOf": [named, waits, *shapes]}


def _with_short(settings: Schema, short: str | None) -> Schema:
    """Settings, or the one that a bare text stands for; nothing at all where nothing is required."""
    forms = [settings]
    inner = settings.get("properties", {}).get(short) if short else None
    if inner is not None:
        forms.insert(0, {"allOf": [inner, {"not": {"type": ["object", "array"]}}]})
    if not settings.get("required") and "allOf" not in settings:
        forms.append({"type": "null"})
    return {"anyOf": forms} if len(forms) > 1 else settings


def _with_text_files(settings: Schema, pairs: Mapping[str, str]) -> Schema:
    """Settings of which some may come from a file instead: of each pair one is there, or none if none is needed."""
    properties, rules = dict(settings.get("properties", {})), []
    for file, target in pairs.items():
        properties[file] = {**_TEXT_FILE, "description": f"The path of a file that holds `{target}`"}
        each = {"oneOf": [{"required": [target]}, {"required": [file]}]}
        rules.append(each if target in settings.get("required", ()) else {"not": {"required": [file, target]}})
    if not rules:
        return settings
    required = [name for name in settings.get("required", ()) if name not in pairs.values()]
    return {**settings, "properties": properties, "required": required, "allOf": rules}


def _described(schema: Schema, text: str | None) -> Schema:
    first = (text or "").strip().partition("\n\n")[0]
    return {**schema, "description": " ".join(first.split())} if first else schema


def _object(properties: Mapping[str, Any], description: str | None = None) -> Schema:
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**found, "description": description} if description else found


def _map(value: Schema, description: str, names: str) -> Schema:
    return {
        "type": ["object", "null"],
        "description": description,
        "propertyNames": {"pattern": names},
        "additionalProperties": value,
    }


def _nullable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
