"""Values of a hooks file of adnanh/webhook, as that program reads them: keys in any case, scalars as texts.

It goes through YAML 1.1, where `yes` is true, `1.10` is 1.1 and `010` is 8, and puts what comes of it into texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hookrt.config.nodes import Entry, ListNode, MapNode, Node, TextNode, describe, is_empty
from hookrt.importing.notes import Untranslatable

_TRUE, _FALSE = {"true", "yes", "on", "y"}, {"false", "no", "off", "n"}
_NUMBER_LIKE = re.compile(r"[-+.]?[0-9][0-9A-Fa-fxXob_.eE+:-]*")
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{0,8}[1-9])?")
_GETENV = re.compile(rb'\{\{-?\s*getenv\s+"([A-Za-z_][A-Za-z0-9_]*)"\s*(?:\|\s*js\s*)?-?\}\}')
_MARK = "\u27e6getenv {}\u27e7"
_MARKED = re.compile(_MARK.format("([A-Za-z_][A-Za-z0-9_]*)"))


def mark_variables(raw: bytes) -> bytes:
    """The file with `{{ getenv "NAME" }}` of its templates in a form that does not break YAML."""
    return _GETENV.sub(lambda found: _MARK.format(found[1].decode()).encode(), raw)


def variable_in(node: TextNode) -> str | None:
    """The variable that a text is, where it is nothing but one."""
    found = _MARKED.fullmatch(node.text.strip())
    return found[1] if found else None


def text_of(node: Node) -> str:
    """The text that a scalar becomes; raises Untranslatable for what is none, and for a template."""
    if not isinstance(node, TextNode):
        raise Untranslatable(node, f"this must be text, and is {describe(node)}; webhook does not load such a file")
    if is_empty(node):
        return ""
    if _MARKED.search(node.text) or "{{" in node.text:
        why = "this is a template of Go: import the file as it is once rendered, or write the value here"
        raise Untranslatable(node, why)
    return _as_read(node) if node.plain else node.text


def _as_read(node: TextNode) -> str:
    lowered = node.text.lower()
    if lowered in _TRUE | _FALSE:
        return "true" if lowered in _TRUE else "false"
    if _NUMBER_LIKE.fullmatch(node.text) and not _PLAIN_NUMBER.fullmatch(node.text):
        raise Untranslatable(node, "webhook reads this as a number and changes its form: quote it, as it is meant")
    return node.text


def flag_of(node: Node | None) -> bool:
    """Whether it is true; raises Untranslatable for what is neither."""
    if node is None or is_empty(node):
        return False
    text = text_of(node).lower()
    if text not in ("true", "false"):
        raise Untranslatable(node, "this must be true or false; webhook does not load such a file")
    return text == "true"


def number_of(node: Node | None) -> int | None:
    """The number; None without one, raises Untranslatable for what is none."""
    if node is None or is_empty(node):
        return None
    text = text_of(node)
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise Untranslatable(node, "this must be a number; webhook does not load such a file")
    return int(text)


def items_of(node: Node | None) -> tuple[Node, ...]:
    """The items of a list; none without one, raises Untranslatable for what is none."""
    if node is None or is_empty(node):
        return ()
    if not isinstance(node, ListNode):
        raise Untranslatable(node, f"this must be a list, and is {describe(node)}; webhook does not load such a file")
    return node.items


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping whose keys are in any case, as Go reads them."""

    node: MapNode
    entries: Mapping[str, Entry]

    @classmethod
    def of(cls, node: Node, what: str) -> Keys:
        """The keys of a mapping; raises Untranslatable for what is none."""
        if not isinstance(node, MapNode):
            raise Untranslatable(node, f"{what} must be a mapping, and is {describe(node)}")
        return cls(node, {key.lower(): entry for key, entry in node.entries.items()})

    def get(self, key: str) -> Node | None:
        """The value of a key; None where it is absent or null."""
        entry = self.entries.get(key)
        return None if entry is None or is_empty(entry.value) else entry.value

    def text(self, key: str) -> str:
        """A text, empty where there is none."""
        node = self.get(key)
        return "" if node is None else text_of(node)

    def unknown(self, known: frozenset[str]) -> Iterator[Entry]:
        """The entries that webhook knows nothing of."""
        return (entry for key, entry in self.entries.items() if key not in known)
