"""The reference of every key of hooks.yaml and of every variable, made from the schema that editors get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hookrt.cli.reference_view import table_of
from hookrt.config.destinations import BreakerSettings, DestinationSettings
from hookrt.config.environment import CLIENT_VARIABLES, known_variables
from hookrt.config.schema import build_schema
from hookrt.config.service import ServiceSettings, Token
from hookrt.plugin.reference import Key, keys_of, type_in_words
from hookrt.plugin.registry import Registry

Schema = Mapping[str, Any]

_ABOUT_CLIENT = {
    "HOOKRT_URL": "The service that client commands ask, http://127.0.0.1:4665 by default",
    "HOOKRT_TOKEN": "The token that client commands send",
}
_OWN_WORDS = {
    "retry": "[see there](../../hooks-yaml.md#retries)",
    "stub": "an answer, a list of them, or `{output: ...}`",
    "tests": "list of [tests](#a-test-tests)",
}
_BY_NAME = {
    "duration": "duration",
    "condition": "CEL expression",
    "expression": "CEL expression",
    "eventType": "event type",
}


def keys_page(registry: Registry) -> Iterator[str]:
    """Every key of hooks.yaml: of the file, a hook, a step, a test, a destination, a source and the service."""
    schema = build_schema(registry)
    defs = schema["$defs"]
    test = defs["hook"]["properties"]["tests"]["items"]
    example = test["properties"]["steps"]["additionalProperties"]
    stub = example["properties"]["stub"]["anyOf"][0]["anyOf"][1]
    request = example["properties"]["request"]["anyOf"][0]
    yield "# Keys of hooks.yaml"
    yield ""
    yield "`hookrt schema` writes the same for editors, with the plugins that are installed with you."
    yield "[hooks.yaml](../../hooks-yaml.md) shows them at work."
    yield from _section("The file", schema, defs)
    yield from _section("A hook", defs["hook"], defs)
    yield from _section("A step", _without(defs["step"], registry.actions), defs)
    yield ""
    yield "Beside these a step has exactly one [action](actions.md), by its name."
    yield from _section("Defaults (`defaults`)", schema["properties"]["defaults"], defs)
    for name in ("fixed", "exponential"):
        shape = next(one for one in defs["retry"]["anyOf"] if name in one.get("properties", {}))
        yield from _section(f"`retry: {{{name}: ...}}`", shape["properties"][name], defs)
    yield from _section("A test (`tests`)", test, defs)
    yield from _section("The event of a test", test["properties"]["event"]["anyOf"][1], defs)
    yield from _section("A step of a test", example, defs)
    yield from _section("A stub that answers", stub, defs)
    yield from _section("A request that is expected", request, defs)
    yield from ("", "## A destination (`destinations`)", "", *table_of(keys_of(DestinationSettings)))
    yield from ("", "### Its breaker", "", *table_of(keys_of(BreakerSettings)))
    yield from ("", "## A source (`sources`)", "", "Exactly one key: the name of its [plugin](sources.md).")
    yield from ("", "## The service (`service`)", "", *table_of(keys_of(ServiceSettings)))
    yield from ("", "Those of `actions` are with [each action](actions.md).")
    yield from ("", "### One of its tokens", "", *table_of(keys_of(Token)))


def variables_page(registry: Registry) -> Iterator[str]:
    """Every variable: of the service's settings, of the client commands, of secrets."""
    settings = {key.name: key for key in keys_of(ServiceSettings)}
    for name, action in registry.actions.items():
        if action.service_settings is not None:
            settings.update({f"actions.{name}.{key.name}": key for key in keys_of(action.service_settings)})
    yield "# Environment variables"
    yield ""
    yield "A variable wins over `service:` in hooks.yaml, a flag over the variable; an empty one counts as not set."
    yield "A list is written with commas or as JSON. Any other variable that begins with `HOOKRT_` is an error."
    yield ""
    yield "| variable | sets | meaning |"
    yield "|---|---|---|"
    yield "| `HOOKRT_SECRET_NAME` | `secrets.NAME` | A secret; `service.secrets.prefix` sets its beginning |"
    for name in sorted(CLIENT_VARIABLES):
        yield f"| `{name}` | | {_ABOUT_CLIENT[name]} |"
    for name, variable in known_variables(registry).items():
        path = ".".join(variable.path)
        about = settings[path].about if path in settings else ""
        yield f"| `{name}` | `service.{path}` | {about} |"


def _section(title: str, schema: Schema, defs: Schema) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield from table_of(list(_keys(schema, defs)))


def _keys(schema: Schema, defs: Schema, above: str = "") -> Iterator[Key]:
    """A mapping's keys, with those of plain mappings inside below theirs."""
    needed = schema.get("required", ())
    for name, found in schema["properties"].items():
        target = defs.get(found.get("$ref", "").rpartition("/")[2], {})
        about = found.get("description") or target.get("description") or ""
        default = str(found["default"]).lower() if isinstance(found.get("default"), str | bool | int | float) else ""
        kind = _OWN_WORDS.get(name) or _kind(found, defs)
        yield Key(f"{above}{name}", kind, name in needed, default, about)
        if not above and found.get("type") == "object" and "properties" in found:
            yield from _keys(found, defs, f"{name}.")


def _kind(found: Schema, defs: Schema) -> str:
    """What kind of value it takes; of those with a name that name."""
    name = found.get("$ref", "").rpartition("/")[2]
    if name in _BY_NAME:
        return _BY_NAME[name]
    if "object" in found.get("type", ()):
        return "mapping"
    if found.get("type") == "array" and found["items"].get("$ref") == "#/$defs/step":
        return "list of [steps](#a-step)"
    return type_in_words(found, defs)


def _without(schema: Schema, names: Mapping[str, Any]) -> Schema:
    return {**schema, "properties": {key: one for key, one in schema["properties"].items() if key not in names}}
