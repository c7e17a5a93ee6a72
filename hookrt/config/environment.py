"""`HOOKRT_*` variables over `service:`; `__` goes one level down, and an unknown variable is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr

from hookrt.config.document import parse_document
from hookrt.config.nodes import Entry, ListNode, MapNode, Node, Path, Style, TextNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.service import ServiceSettings
from hookrt.config.source_text import Span
from hookrt.config.suggest import closest
from hookrt.plugin.registry import Registry
from hookrt.secrets.providers import DEFAULT_PREFIX

PREFIX = "HOOKRT_"
"""What the service's variables begin with."""

CLIENT_VARIABLES = frozenset({"HOOKRT_URL", "HOOKRT_TOKEN"})
"""Variables of the client commands, which are no settings of the service."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that is a setting: where the setting is, and what kind of value it takes."""

    path: tuple[str, ...]
    annotation: Any


def known_variables(registry: Registry) -> dict[str, Variable]:
    """Every variable that is a setting of the service or of an installed action, by name."""
    found = dict(_variables_of(ServiceSettings, ()))
    for name, action in registry.actions.items():
        if action.service_settings is not None and ":" not in name:
            found.update(_variables_of(action.service_settings, ("actions", name)))
    return found


def read_variables(env: Mapping[str, str], registry: Registry, log: ProblemLog) -> MapNode:
    """The settings in the variables; an empty variable counts as not set."""
    tree = MapNode(Span.whole("environment"))
    for name, variable in known_variables(registry).items():
        value = env.get(name, "")
        node = _value_node(name, value, variable.annotation, log) if value else None
        if node is not None:
            tree = merge(tree, _nested(variable.path, node))
    return tree


def check_variables(env: Mapping[str, str], registry: Registry, secret_prefix: str, log: ProblemLog) -> None:
    """Report every `HOOKRT_*` variable that is no setting, no secret and no client's."""
    known = {*known_variables(registry), *CLIENT_VARIABLES}
    prefixes = tuple(prefix for prefix in (DEFAULT_PREFIX, secret_prefix) if prefix)
    for name in sorted(env):
        if name.startswith(PREFIX) and name not in known and not name.startswith(prefixes):
            close = closest(name, known)
            hint = f"did you mean {close}?" if close else "`hookrt run --help` lists the settings"
            log.error(Span.whole(f"${name}"), f"the variable {name} is no setting of hookrt", hint)


def settings_node(settings: Mapping[str, Any], flag: str = "") -> MapNode:
    """Settings that a program or a flag gives, as nodes; None counts as not given."""
    entries: dict[str, Entry] = {}
    for key, value in settings.items():
        name = f"{flag}.{key}" if flag else f"--{key.replace('_', '-')}"
        node = _given_node(value, name)
        if node is not None:
            entries[key] = Entry(TextNode(node.span, key), node)
    return MapNode(Span.whole(flag or "flags"), entries)


def merge(base: MapNode, over: MapNode) -> MapNode:
    """Both mappings as one, key by key; where both have a value that is no mapping, the second one's counts."""
    entries = dict(base.entries)
    for name, entry in over.entries.items():
        below = entries.get(name)
        if below is not None and isinstance(below.value, MapNode) and isinstance(entry.value, MapNode):
            entries[name] = Entry(below.key, merge(below.value, entry.value))
        else:
            entries[name] = entry
    return MapNode(base.span, entries)


def _variables_of(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[str, Variable]]:
    for key, info in model.model_fields.items():
        below = (*path, info.alias or key)
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _variables_of(info.annotation, below)
        yield PREFIX + "__".join(below).upper(), Variable(below, info.annotation)


def _span(name: str) -> Span:
    return Span.whole(f"${name}", hidden=True)


def _nested(path: Path, node: Node) -> MapNode:
    for key in reversed(path):
        node = MapNode(node.span, {str(key): Entry(TextNode(node.span, str(key)), node)})
    return node if isinstance(node, MapNode) else MapNode(node.span)


def _value_node(name: str, value: str, annotation: Any, log: ProblemLog) -> Node | None:
    """A variable's value: JSON in brackets, a list by commas, text as it is, else a number, true or false."""
    span = _span(name)
    if value.lstrip().startswith(("[", "{")):
        return parse_document(value.encode("utf-8", "replace"), f"${name}", log, hidden=True)
    kinds = set(_kinds(annotation))
    if get_origin(annotation) in (tuple, list):
        items = [part.strip() for part in value.split(",")]
        return ListNode(span, tuple(TextNode(span, item, Style.DOUBLE) for item in items if item))
    return TextNode(span, value, Style.DOUBLE if kinds & {str, SecretStr} else Style.PLAIN)


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types that an annotation is made of; a choice of texts is text."""
    if get_origin(annotation) is Literal:
        yield str
    elif get_args(annotation):
        for argument in get_args(annotation):
            yield from _kinds(argument)
    elif annotation is not NoneType:
        yield annotation


def _given_node(value: Any, name: str) -> Node | None:
    span = Span.whole(name, hidden=True)
    if value is None:
        return None
    if isinstance(value, Mapping):
        return settings_node(value, name)
    if isinstance(value, (list, tuple)):
        nodes = [_given_node(item, name) for item in value]
        return ListNode(span, tuple(node for node in nodes if node is not None))
    if isinstance(value, bool):
        return TextNode(span, "true" if value else "false")
    return TextNode(span, str(value), Style.PLAIN if isinstance(value, (int, float)) else Style.DOUBLE)
