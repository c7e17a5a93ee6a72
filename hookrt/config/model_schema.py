"""The JSON Schema of one settings model, where every value may also be an expression."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from hookrt.config.model_errors import models_in
from hookrt.plugin.blame import FAULTS
from hookrt.plugin.settings import format_duration

Schema = dict[str, Any]

_TEXTS = ("title", "description", "default", "examples", "deprecated")


@dataclass(slots=True)
class Definitions:
    """The definitions that schemas refer to, collected for the whole document."""

    found: dict[str, Schema] = field(default_factory=dict)


def model_schema(
    model: type[BaseModel],
    prefix: str,
    definitions: Definitions,
    *,
    static: Collection[str] = (),
    templates: bool = True,
) -> Schema:
    """The schema of a model; what it refers to goes to `definitions` under `prefix`.

    With `templates` every value but the `static` ones may be a text with `${{ }}`. A model that pydantic cannot
    describe accepts any mapping.
    """
    try:
        schema = model.model_json_schema(ref_template=f"#/$defs/{prefix}.{{model}}", schema_generator=_AsWritten)
    except FAULTS:
        return {"type": "object"}
    docs = {one.__name__: field_docs(one) for one in _models_of(model)}
    inside = schema.pop("$defs", {})
    free = {name: one for name, one in schema.get("properties", {}).items() if name not in static}
    opened = _reached({**schema, "properties": free}, inside, f"#/$defs/{prefix}.") if templates else set()
    for name, inner in inside.items():
        _describe(inner, docs.get(name, {}))
        definitions.found[f"{prefix}.{name}"] = _open(inner) if name in opened else inner
    _describe(schema, docs.get(model.__name__, {}))
    if templates:
        kept = {name: one for name, one in schema.get("properties", {}).items() if name in static}
        schema = _open(schema)
        schema.get("properties", {}).update(kept)
    schema.pop("title", None)
    return schema


def _reached(part: Any, inside: Schema, prefix: str) -> set[str]:
    """The definitions that a part of a schema refers to, also by way of others."""
    found: set[str] = set()
    waiting = [part]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            name = str(one.get("$ref", "")).removeprefix(prefix)
            if name in inside and name not in found:
                found.add(name)
                waiting.append(inside[name])
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return found


class _AsWritten(GenerateJsonSchema):
    """Shows defaults as they are written in YAML: a duration as `7d`, not as `P7D`, which nobody may write."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return format_duration(dft)
        if isinstance(dft, BaseModel):
            return {name: self.encode_default(getattr(dft, name)) for name in type(dft).model_fields}
        return super().encode_default(dft)


def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """The strings below the fields of a class, as its source has them; nothing where there is no source."""
    try:
        [tree] = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return {}
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    found = {}
    for statement, following in pairwise(body):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            text = following.value if isinstance(following, ast.Expr) else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                found[statement.target.id] = " ".join(text.value.split())
    return found


def _models_of(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model and all models inside it."""
    seen, waiting = set(), [model]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            yield one
            waiting.extend(found for info in one.model_fields.values() for found in models_in(info.annotation))


def _describe(schema: Schema, docs: dict[str, str]) -> None:
    for name, text in docs.items():
        inner = schema.get("properties", {}).get(name)
        if isinstance(inner, dict):
            inner.setdefault("description", text)


def _open(schema: Schema) -> Schema:
    """The schema with every value inside it allowed to be an expression."""
    found = dict(schema)
    if "properties" in found:
        found["properties"] = {name: _value(inner) for name, inner in found["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = _value(found[key])
    for key in ("anyOf", "oneOf", "allOf"):
        if key in found:
            found[key] = [_open(inner) for inner in found[key]]
    if "prefixItems" in found:
        found["prefixItems"] = [_value(inner) for inner in found["prefixItems"]]
    return found


def _value(schema: Schema) -> Schema:
    """One value: as its schema says, or an expression."""
    opened = _open(schema)
    if not set(opened) - set(_TEXTS):
        return opened
    texts = {key: opened.pop(key) for key in _TEXTS if key in opened}
    forms = opened.pop("anyOf") if set(opened) == {"anyOf"} else [opened]
    return {**texts, "anyOf": [*forms, {"$ref": "#/$defs/expression"}]}
