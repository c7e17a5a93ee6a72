"""pydantic's errors in the words of somebody who writes YAML."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from hookrt.config.fields import NAME
from hookrt.config.nodes import Node, Path, TextNode, describe
from hookrt.config.scalars import AmbiguousNumber, scalar_value
from hookrt.config.suggest import closest, did_you_mean, shorten

_NOUNS = {
    "string_type": "text",
    "string_sub_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "none_required": "null",
    "date_type": "a date like 2027-01-31",
    "datetime_type": "a time like 2027-01-31T12:00:00Z",
    "time_delta_type": "a duration",
    "bytes_type": "text",
}
_STATIC = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "array": "a list"}
_HOW_TO_NAME_ONE = 'write secret: "${{ secrets.NAME }}", and provide that secret'
_SHOULD = re.compile(r"[A-Z][a-z]+ should ")
_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Finding:
    """One error of pydantic's: where in the document, and what; `nouns` are what would be right there."""

    path: Path
    error: Any
    also: tuple[Any, ...] = ()

    def joined(self, other: Finding) -> Finding:
        """The two of one value as one finding."""
        return Finding(self.path, self.error, (*self.also, other.error))

    @property
    def nouns(self) -> list[str]:
        """What kinds of value would be right; empty for other errors than of the type."""
        found = [_NOUNS[error["type"]] for error in (self.error, *self.also) if error["type"] in _NOUNS]
        return list(dict.fromkeys(found))

    @property
    def unknown_key(self) -> bool:
        """Whether the key itself is wrong, whatever its value."""
        return self.error["type"] in ("extra_forbidden", "reserved_header")

    @property
    def name(self) -> str:
        """The setting as a path: `headers.Accept`."""
        return ".".join(str(part) for part in self.path)


def is_type_error(kind: str) -> bool:
    """Whether pydantic complains of the kind of value, not of the value."""
    return kind in _NOUNS


@dataclass(frozen=True, slots=True)
class Subject:
    """What an error is about: the node, whose settings it belongs to, and what could stand there instead.

    `static_type` is the JSON type of an expression in its place, `destinations` the names that exist, `also` keys
    beside the model's own.
    """

    owner: str
    node: Node
    model: type[BaseModel]
    static_type: str | None = None
    destinations: Collection[str] = ()
    also: tuple[str, ...] = ()


def explain_error(finding: Finding, subject: Subject) -> tuple[str, str | None]:
    """A message and a hint for one error."""
    kind, context = finding.error["type"], finding.error.get("ctx", {})
    if kind == "missing":
        wanted = str(finding.error["loc"][-1])
        return f"{_whose(subject.owner, finding)} needs `{wanted}`", _HOW_TO_NAME_ONE if wanted == "secret" else None
    if kind == "extra_forbidden":
        unknown = str(finding.error["loc"][-1])
        choices = list(_keys_at(subject.model, tuple(finding.error["loc"])[:-1]))
        choices += subject.also if len(finding.path) == 1 else ()
        return f"{subject.owner} has no setting {shorten(unknown)}", did_you_mean(unknown, choices)
    if kind == "unknown_destination":
        hint = did_you_mean(context["name"], subject.destinations)
        return f"there is no destination {shorten(context['name'])}", hint or _how_to_declare(context["name"])
    if finding.nouns:
        return _explain_type(finding, subject.node, subject.static_type)
    if kind in ("literal_error", "enum"):
        return _explain_choice(finding, subject.node, str(context.get("expected", "")))
    return _explain_other(finding, subject.owner), getattr(context.get("error"), "hint", None)


def _how_to_declare(destination: str) -> str:
    name = destination if NAME.fullmatch(destination) else "NAME"
    return f"declare it below `destinations:`, as `{name}: {{url: https://...}}`"


def _whose(owner: str, finding: Finding) -> str:
    return f"`{finding.name}` of {owner}" if finding.path else owner


def _explain_type(finding: Finding, node: Node, static_type: str | None) -> tuple[str, str | None]:
    wanted = " or ".join(finding.nouns)
    if static_type is not None:
        kind = _STATIC.get(static_type, {"string": "text", "object": "a mapping"}.get(static_type, static_type))
        return f"`{finding.name}` must be {wanted}, and this expression gives {kind}", None
    return f"`{finding.name}` must be {wanted}, this is {_kind(node)}", _type_hint(finding.nouns, node)


def _kind(node: Node) -> str:
    value = _value(node)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "a number" if isinstance(value, (int, float)) else describe(node)


def _value(node: Node) -> Any:
    try:
        return scalar_value(node) if isinstance(node, TextNode) else None
    except AmbiguousNumber:
        return None


def _type_hint(nouns: list[str], node: Node) -> str | None:
    if not isinstance(node, TextNode):
        return None
    value = _value(node)
    if "text" in nouns and isinstance(value, (bool, int, float)):
        return f'quote it: "{node.text}"'
    if "true or false" in nouns:
        return "write true or false, without quotes"
    if node.text.strip("-").replace(".", "", 1).isdigit() and not node.plain:
        return "write it without quotes"
    return None


def _explain_choice(finding: Finding, node: Node, expected: str) -> tuple[str, str | None]:
    message = f"`{finding.name}` must be {expected}"
    written = node.text if isinstance(node, TextNode) else ""
    close = closest(written, _QUOTED.findall(expected))
    return message, f"did you mean {close!r}?" if close else None


def _explain_other(finding: Finding, owner: str) -> str:
    error = finding.error
    text: str = error["msg"]
    if error["type"] in ("value_error", "assertion_error"):
        text = str(error.get("ctx", {}).get("error", text))
    whose = f"`{finding.name}`" if finding.path else owner
    if said := _SHOULD.match(text):
        return f"{whose} must {text[said.end() :].replace(' after validation', '')}"
    return f"{whose}: {text}"


def _keys_at(model: type[BaseModel], loc: Path) -> Iterator[str]:
    """The keys that the model at a path of pydantic's has."""
    models = [model]
    for part in loc:
        inner = [found for one in models for found in _models_below(one, str(part))]
        models = inner or models
    for one in models:
        for name, info in one.model_fields.items():
            yield info.alias or name


def _models_below(model: type[BaseModel], part: str) -> list[type[BaseModel]]:
    for name, info in model.model_fields.items():
        if part in (name, info.alias):
            written = [one.written_model for one in info.metadata if hasattr(one, "written_model")]
            return [*written, *models_in(info.annotation)]
    return []


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)
