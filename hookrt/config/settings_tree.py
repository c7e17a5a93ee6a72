"""Settings as they were written, ready to be validated: JSON values, and which of them are not known yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hookrt.config.nodes import ListNode, MapNode, Node, Path, TextNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.scalars import AmbiguousNumber, scalar_value
from hookrt.matching.template import Template, find_expression

_SAMPLES: dict[str, Any] = {"integer": 1, "number": 1, "boolean": True, "null": None, "array": [], "object": {}}


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a scalar has become: a value, a template to render later, or broken (and reported)."""

    value: Any = None
    template: Template | None = None
    broken: bool = False


BROKEN = Leaf(broken=True)
"""A scalar that has been reported."""

ReadLeaf = Callable[[Path, TextNode], Leaf]


@dataclass(frozen=True, slots=True)
class SettingsTree:
    """Settings as JSON values: a template stands in them as its text, something broken as null."""

    node: MapNode
    value: dict[str, Any]
    templates: Mapping[Path, Template]
    broken: frozenset[Path]

    def sample(self) -> Any:
        """The values with a sample in the place of each template whose type is known and is not text."""
        samples = {
            path: _SAMPLES[template.static_type]
            for path, template in self.templates.items()
            if template.static_type in _SAMPLES
        }
        return replaced(self.value, samples) if samples else self.value

    def is_open(self, path: Path) -> bool:
        """Whether the value at a path is not known yet, so that an error there says nothing."""
        return path in self.templates or path in self.broken


@dataclass(slots=True)
class _Reader:
    read_leaf: ReadLeaf
    log: ProblemLog
    templates: dict[Path, Template] = field(default_factory=dict)
    broken: set[Path] = field(default_factory=set)

    def read(self, node: Node, path: Path) -> Any:
        if isinstance(node, TextNode):
            return self._leaf(node, path)
        if isinstance(node, ListNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.items)]
        if isinstance(node, MapNode):
            return self.mapping(node, path)
        self.broken.add(path)
        return None

    def mapping(self, node: MapNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, entry in node.entries.items():
            if find_expression(name) is not None:
                self.log.error(
                    entry.key, "a key takes no `${{ }}`", "write the key out; only values can be expressions"
                )
                continue
            found[name] = self.read(entry.value, (*path, name))
        return found

    def _leaf(self, node: TextNode, path: Path) -> Any:
        leaf = self.read_leaf(path, node)
        if leaf.broken:
            self.broken.add(path)
        if leaf.template is None:
            return leaf.value
        self.templates[path] = leaf.template
        return node.text


def read_tree(node: MapNode, read_leaf: ReadLeaf, log: ProblemLog) -> SettingsTree:
    """Settings as JSON values; `read_leaf` says what becomes of each scalar."""
    reader = _Reader(read_leaf, log)
    value = reader.mapping(node, ())
    return SettingsTree(node, value, reader.templates, frozenset(reader.broken))


def read_scalar(node: TextNode, log: ProblemLog) -> Leaf:
    """A scalar without expressions; a number that would change its form is reported."""
    try:
        return Leaf(scalar_value(node))
    except AmbiguousNumber as error:
        log.error(node, str(error), error.hint)
        return BROKEN


def plain_tree(node: MapNode, log: ProblemLog) -> SettingsTree:
    """Settings in which `${{` means nothing."""
    return read_tree(node, lambda _, text: read_scalar(text, log), log)


def without(value: Any, paths: frozenset[Path], path: Path = ()) -> Any:
    """The same JSON values without what stands at these paths."""
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if (*path, key) not in paths}
        return {key: without(item, paths, (*path, key)) for key, item in kept.items()}
    if isinstance(value, list):
        return [without(item, paths, (*path, index)) for index, item in enumerate(value) if (*path, index) not in paths]
    return value


def replaced(value: Any, new: Mapping[Path, Any], path: Path = ()) -> Any:
    """The same JSON values with others at these paths."""
    if path in new:
        return new[path]
    if isinstance(value, dict):
        return {key: replaced(item, new, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, new, (*path, index)) for index, item in enumerate(value)]
    return value
