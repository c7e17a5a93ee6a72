"""A step's settings at run time: fixed, or rendered and validated anew for every event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from pydantic import ValidationError

from hookrt.config.model_errors import Finding, Subject, explain_error
from hookrt.config.nodes import Path, node_at, real_path
from hookrt.config.settings_tree import SettingsTree
from hookrt.errors import ExpressionError
from hookrt.matching.template import Template
from hookrt.model.hook import Scope
from hookrt.plugin.settings import KnownDestinations, Settings

_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
_HIDDEN = "the value is not acceptable; why is not shown, since it mentions a secret"

Fill = Callable[[Scope], Any]


@dataclass(frozen=True, slots=True)
class FixedSettings:
    """Settings without expressions: validated once."""

    settings: Settings = field(repr=False)

    def render(self, scope: Scope) -> Settings:
        """The settings, the same for every event."""
        return self.settings


@dataclass(frozen=True, slots=True)
class TemplatedSettings:
    """Settings with expressions: filled in and validated for each event."""

    model: type[Settings]
    tree: SettingsTree = field(repr=False)
    destinations: KnownDestinations | None = None
    _fill: Fill = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_fill", self._filler(self.tree.value, ()))

    @property
    def secrets(self) -> frozenset[str]:
        """The names of the secrets that they mention."""
        return frozenset(name for template in self.tree.templates.values() for name in template.mentions.secrets)

    def render(self, scope: Scope) -> Settings:
        """The validated settings for this event; raises ExpressionError naming the file and line of what fails."""
        value = self._fill(scope)
        try:
            return self.model.model_validate_json(msgspec.json.encode(value), context=self.destinations)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise self._unacceptable(first, value) from None
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise self._failed((), f"the settings cannot be written as JSON: {type(error).__name__}") from None

    def _filler(self, value: Any, path: Path) -> Fill:
        """A function that gives the value at a path for a scope; what holds no template is made once."""
        template = self.tree.templates.get(path)
        if template is not None:
            return self._template_filler(template, path)
        if not any(open_path[: len(path)] == path for open_path in self.tree.templates):
            return lambda _: value
        if isinstance(value, dict):
            fields = [(key, self._filler(item, (*path, key))) for key, item in value.items()]
            return lambda scope: {key: fill(scope) for key, fill in fields}
        items = [self._filler(item, (*path, index)) for index, item in enumerate(value)]
        return lambda scope: [fill(scope) for fill in items]

    def _template_filler(self, template: Template, path: Path) -> Fill:
        tree = self.tree  # and not `self`, which has this function: a circle would outlive its hook

        def fill(scope: Scope) -> Any:
            try:
                return template.render(scope)
            except ExpressionError as error:
                raise _failure(tree, path, error.message) from None

        return fill

    def _unacceptable(self, error: Any, value: Any) -> ExpressionError:
        path = real_path(self.tree.node, tuple(error["loc"]))
        finding = Finding(path, error)
        if self._may_show_secret(finding):
            return self._failed(path, f"`{finding.name}`: {_HIDDEN}")
        given = _JSON_TYPES.get(type(_value_at(value, path)), "null")
        names = (self.destinations.names or ()) if self.destinations else ()
        subject = Subject("the action", node_at(self.tree.node, path), self.model, given, names)
        return self._failed(path, explain_error(finding, subject)[0])

    def _may_show_secret(self, finding: Finding) -> bool:
        """Whether a validator's own words could repeat a secret; hookrt's words about types never do."""
        if finding.nouns or finding.unknown_key or finding.error["type"] == "missing":
            return False
        length = len(finding.path)
        return any(
            template.mentions.secrets and path[:length] == finding.path
            for path, template in self.tree.templates.items()
        )

    def _failed(self, path: Path, message: str) -> ExpressionError:
        return _failure(self.tree, path, message)


def _failure(tree: SettingsTree, path: Path, message: str) -> ExpressionError:
    span = node_at(tree.node, path).span
    return ExpressionError(f"{span.source.name}:{span.line}: {message}", line=span.line, column=span.column)


def _value_at(value: Any, path: Path) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value
