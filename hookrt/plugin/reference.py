"""The reference of an action, a source or a signature scheme, made from its settings model and its class."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from pydantic import TypeAdapter

from hookrt.model.policy import RetryPolicy
from hookrt.plugin.settings import Settings, format_duration

Kind = Literal["action", "source", "signature scheme"]

_TYPES = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false", "null": "nothing"}
_LIKELY = {
    "url": "https://example.com/hooks",
    "type": "Something.Else",
    "code": "\"def run(event, ctx): return event['type']\"",
    "header": "X-Signature",
    "username": "hooks",
}
_ISO_DURATION = re.compile(r"P(\d+D)?(T[\dHMS.]+)?")
_MAX_CHOICES = 12
_MAX_DELAYS = 12
_LONGEST_DEFAULT = 60


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: how its values are written, whether it must be there, and what it is without."""

    name: str
    type: str
    required: bool
    default: str
    about: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Everything that a reference page says; `retry` and `timeout` are empty where they mean nothing."""

    kind: Kind
    name: str
    about: str
    short: str | None
    keys: tuple[Key, ...]
    service: tuple[Key, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    retry: str = ""
    timeout: str = ""
    static: tuple[str, ...] = ()
    example: str = ""


def reference_of(kind: Kind, plugin: type[Any]) -> Reference:
    """The reference of one class that a plugin brings; raises what its settings model raises."""
    keys = keys_of(plugin.settings)
    service = getattr(plugin, "service_settings", None)
    is_action = kind == "action"
    return Reference(
        kind=kind,
        name=plugin.name,
        about=inspect.cleandoc(plugin.__doc__ or ""),
        short=getattr(plugin, "short", None),
        keys=keys,
        service=keys_of(service) if service is not None else (),
        reasons=tuple(plugin.reasons.items()) if is_action else (),
        retry=retry_in_words(plugin.retry) if is_action else "",
        timeout=_timeout(plugin.default_timeout) if is_action else "",
        static=tuple(sorted(plugin.static)) if is_action else (),
        example=example_of(kind, plugin),
    )


def keys_of(model: type[Settings]) -> tuple[Key, ...]:
    """The keys of a settings model, required ones first, those of models inside below theirs: `logins[].user`."""
    schema = model.model_json_schema()
    return tuple(_keys(schema, schema.get("$defs", {}), "", depth=0))


def retry_in_words(policy: RetryPolicy) -> str:
    """When a step is tried again: `after 5s, 5m, 30m`, or that it is not."""
    if not policy.delays:
        return "none"
    shown = ", ".join(f"after {format_duration(one)}" if one else "at once" for one in policy.delays[:_MAX_DELAYS])
    more = len(policy.delays) - _MAX_DELAYS
    only = f", only for {', '.join(policy.only_after)}" if policy.only_after else ""
    attempts = "1 more attempt" if len(policy.delays) == 1 else f"{len(policy.delays)} more attempts"
    return f"{attempts}: {shown}{' and so on' if more > 0 else ''}{only}"


def example_of(kind: Kind, plugin: type[Any]) -> str:
    """A piece of YAML that uses it: the short form if that is enough, else every setting that must be there."""
    schema = plugin.settings.model_json_schema()
    properties, needed = schema.get("properties", {}), schema.get("required", [])
    short = getattr(plugin, "short", None)
    if examples := schema.get("examples"):
        written = f"{plugin.name}: {json.dumps(examples[0])}"
    elif short is not None and set(needed) <= {short}:
        written = f"{plugin.name}: {_sample(short, properties.get(short, {}))}"
    elif needed:
        inside = ", ".join(f"{name}: {_sample(name, properties.get(name, {}))}" for name in needed)
        written = f"{plugin.name}: {{{inside}}}"
    else:
        written = f"{plugin.name}: {{}}"
    if kind == "action":
        return f"hooks:\n  example:\n    on: Something.Happened\n    steps:\n      - {written}\n"
    if kind == "source":
        return f"sources:\n  example:\n    {written}\n"
    settings = [f"{one}: {_sample(one, properties.get(one, {}))}" for one in needed if one != "scheme"]
    inside = ", ".join([f"scheme: {plugin.name}", *settings])
    return f"destinations:\n  example:\n    url: https://example.com\n    signing: {{{inside}}}\n"


def _timeout(timeout: timedelta | None) -> str:
    return format_duration(timeout) if timeout is not None else "15s"


def _keys(schema: Mapping[str, Any], defs: Mapping[str, Any], above: str, depth: int) -> Iterator[Key]:
    needed = schema.get("required", [])
    properties = schema.get("properties", {})
    for name in sorted(properties, key=lambda one: one not in needed):
        found = properties[name]
        default = "" if name in needed or "default" not in found else _default(found["default"], found)
        about = " ".join(str(found.get("description", "")).split())
        yield Key(f"{above}{name}", type_in_words(found, defs), name in needed, default, about)
        for where, models in _inside(found, defs).items() if depth < 2 else ():
            yield from _joined([list(_keys(one, defs, f"{above}{name}{where}.", depth + 1)) for one in models])


def _inside(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The models of which a value may consist, by how one gets to them; one that is there in two ways is told once."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    seen: list[Mapping[str, Any]] = []
    for where, model in _inner(schema, defs):
        if model not in seen:
            seen.append(model)
            found.setdefault(where, []).append(model)
    return found


def _inner(
    schema: Mapping[str, Any], defs: Mapping[str, Any], where: str = ""
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every model that a value may consist of, and how one gets to it: `[]` for what is in a list, `.*` by any key."""
    schema = defs.get(str(schema.get("$ref", "")).rpartition("/")[2], schema)
    if schema.get("properties"):
        yield where, schema
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _inner(choice, defs, where)
    for key, step in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(schema.get(key), Mapping):
            yield from _inner(schema[key], defs, where + step)


def _joined(models: Sequence[Sequence[Key]]) -> Iterator[Key]:
    """The keys of several models of which a value is one: what is in more than one of them is one key."""
    found: dict[str, list[Key]] = {}
    for key in (key for keys in models for key in keys):
        found.setdefault(key.name, []).append(key)
    for same in found.values():
        types = " or ".join(dict.fromkeys(one.type for one in same))
        needed = len(same) == len(models) and all(one.required for one in same)
        yield replace(same[0], type=types, required=needed)


def type_in_words(schema: Mapping[str, Any], defs: Mapping[str, Any], depth: int = 0) -> str:
    """What a value may be, for people: `text`, `list of text`, `get or post`, `15s`-like for durations."""
    schema = defs.get(str(schema.get("$ref", "")).rpartition("/")[2], schema)
    if "const" in schema or "enum" in schema:
        return " or ".join(f"`{one}`" for one in list(schema.get("enum", [schema.get("const")]))[:_MAX_CHOICES])
    several = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if several and depth < 4:
        words = [type_in_words(one, defs, depth + 1) for one in several if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(words)) or "anything"
    if schema.get("format") == "password":
        return "secret"
    kind = schema.get("type")
    if kind == "array":
        return f"list of {type_in_words(schema.get('items', {}), defs, depth + 1)}" if depth < 4 else "list"
    if isinstance(kind, list):
        return " or ".join(_TYPES.get(str(one), str(one)) for one in kind)
    text = "mapping" if kind == "object" else _TYPES.get(str(kind), "anything")
    shown = " ".join(f"`{one}`" for one in schema.get("examples", ())[:2])
    return f"{text}, like {shown}" if shown else text


def _default(value: Any, schema: Mapping[str, Any]) -> str:
    """A default as somebody would write it; empty where it is nothing, or too long to be read."""
    if value is None or isinstance(value, dict) or value == []:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    examples = schema.get("examples", ())
    if isinstance(value, str) and _ISO_DURATION.fullmatch(value):
        value = format_duration(TypeAdapter(timedelta).validate_python(value))
    elif "1MiB" in examples and isinstance(value, int):
        value = _size(value)
    text = str(value)
    return text if len(text) <= _LONGEST_DEFAULT else ""


def _size(count: int) -> str:
    for unit, size in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if count and count % size == 0:
            return f"{count // size}{unit}"
    return str(count)


def _sample(name: str, schema: Mapping[str, Any]) -> str:
    """A value for a setting in an example: its own example, else something of its kind."""
    if schema.get("examples"):
        return str(schema["examples"][0])
    if schema.get("format") == "password" or "secret" in name or "token" in name or "password" in name:
        return f'"${{{{ secrets.{name.upper()} }}}}"'
    if "enum" in schema:
        return str(schema["enum"][0])
    samples = {"integer": "1", "number": "1.5", "boolean": "true", "array": "[]", "object": "{}"}
    return _LIKELY.get(name) or samples.get(str(schema.get("type"))) or '"${{ event.type }}"'
