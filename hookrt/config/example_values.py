"""Values in tests of hooks: JSON as it is written, each part with its place."""

from __future__ import annotations

from collections.abc import Collection

from hookrt.config.cut_text import warn_if_cut
from hookrt.config.fields import Fields
from hookrt.config.nodes import ListNode, MapNode, Node, TextNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.settings_tree import read_scalar
from hookrt.config.source_text import Span
from hookrt.config.suggest import did_you_mean, shorten
from hookrt.model.hook_test import Expected, ValuePath, Written


def written_at(span: Span) -> Written:
    """The place of something, with its line."""
    return Written(span.place, span.line_text, span.width)


def read_value(node: Node, log: ProblemLog) -> Expected:
    """The JSON value that a node is; what is broken is null, and reported. `${{` means nothing here."""
    parts: dict[ValuePath, Written] = {}
    value = _read(node, (), parts, log)
    return Expected(value, parts)


def read_choice(fields: Fields, key: str, choices: Collection[str]) -> Expected | None:
    """One of a few words; None where the key is absent, or is none of them (and reported)."""
    node = fields.get(key)
    text = fields.text(key)
    if node is None or text is None:
        return None
    if text not in choices:
        fields.log.error(node, f"`{key}` cannot be {shorten(text)}", did_you_mean(text, choices))
        return None
    return Expected(text, {(): written_at(node.span)})


def read_text(fields: Fields, key: str) -> Expected | None:
    """A text with its place; None where the key is absent, or is none (and reported)."""
    node, text = fields.get(key), fields.text(key)
    return None if node is None or text is None else Expected(text, {(): written_at(node.span)})


def read_list(fields: Fields, key: str) -> tuple[ListNode, Expected] | None:
    """A list of texts, a single text standing for a list of it; None where it is absent, or none (and reported)."""
    node = fields.get(key)
    if node is None:
        return None
    whole = node if isinstance(node, ListNode) else ListNode(node.span, (node,))
    found = read_value(whole, fields.log)
    for index, text in enumerate(found.value):
        if not isinstance(text, str):
            fields.log.error(whole.items[index], f"`{key}` must be a list of names")
            return None
    return whole, found


def _read(node: Node, path: ValuePath, parts: dict[ValuePath, Written], log: ProblemLog) -> object:
    parts[path] = written_at(node.span)
    if isinstance(node, TextNode):
        warn_if_cut(node, log)
        return read_scalar(node, log).value
    if isinstance(node, ListNode):
        return [_read(item, (*path, index), parts, log) for index, item in enumerate(node.items)]
    if isinstance(node, MapNode):
        return {name: _read(entry.value, (*path, name), parts, log) for name, entry in node.entries.items()}
    return None
