"""Reading the keys of one mapping: each by its kind, every problem with its place, nothing silently ignored."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from hookrt.config.nodes import BrokenNode, ListNode, MapNode, Node, TextNode, describe, is_empty
from hookrt.config.problem_log import ProblemLog
from hookrt.config.scalars import AmbiguousNumber, scalar_value
from hookrt.config.suggest import closest, did_you_mean, shorten
from hookrt.plugin.settings import format_duration, parse_duration

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""What hooks, sources and destinations may be called."""

_NO_SPACE = re.compile(r"[\w.-]+:\S")


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that a mapping may have; `elsewhere` are other systems' words for some of them. `misplaced` are keys
    that have their place somewhere else, each with the hint that says where."""

    known: Collection[str]
    elsewhere: Mapping[str, str]
    misplaced: Mapping[str, str] = field(default_factory=dict)


def as_mapping(node: Node, what: str, log: ProblemLog) -> MapNode | None:
    """The node if it is a mapping, an empty one for a key without a value; else None, and it is reported."""
    if isinstance(node, MapNode):
        return node
    if isinstance(node, BrokenNode):
        return None
    if is_empty(node):
        return MapNode(node.span)
    hint = None
    if isinstance(node, TextNode) and _NO_SPACE.match(node.text):
        hint = "a space is missing behind the colon"
    elif isinstance(node, ListNode):
        hint = "write `key: value` lines, without `- ` before them"
    log.error(node, f"{what} must be a mapping of keys to values, this is {describe(node)}", hint)
    return None


def as_text(node: Node, what: str, log: ProblemLog) -> str | None:
    """The node's text if it is one; else None, and it is reported. A bare number, true or false is no text."""
    if isinstance(node, BrokenNode):
        return None
    if not isinstance(node, TextNode):
        log.error(node, f"{what} must be text, this is {describe(node)}")
        return None
    if is_empty(node):
        log.error(node, f"{what} has no value")
        return None
    if isinstance(written_value(node), str):
        return node.text
    log.error(node, f"{what} must be text, and {shorten(node.text)} is not", f'quote it: "{node.text}"')
    return None


def written_value(node: TextNode) -> object:
    """The value of a scalar, where a number that does not keep its form still counts as a number."""
    try:
        return scalar_value(node)
    except AmbiguousNumber:
        return 0


def read_duration(node: Node, what: str, log: ProblemLog) -> timedelta | None:
    """A duration such as `15s`; None, and it is reported, for anything else."""
    if isinstance(node, BrokenNode):
        return None
    if not isinstance(node, TextNode):
        log.error(node, f"{what} must be a duration like 15s, this is {describe(node)}")
        return None
    try:
        return parse_duration(node.text)
    except ValueError as error:
        if "longer" in str(error):
            log.error(node, f"{what} is too long: {error}")
        else:
            log.error(
                node,
                f"{what} must be a duration, and {shorten(node.text)} is none",
                "write a number with a unit, like 250ms, 15s, 5m, 2h or 1h30m",
            )
        return None


def check_name(key: TextNode, what: str, log: ProblemLog) -> bool:
    """Whether the key is a fit name; reported when it is not."""
    if NAME.fullmatch(key.text):
        return True
    log.error(
        key,
        f"{shorten(key.text)} is no name for a {what}",
        "up to 64 lower case letters, digits, `-` and `_`, beginning with a letter or digit",
    )
    return False


class Fields:
    """Reads one mapping. `owner` is what a message calls it, as in `hook 'welcome'`."""

    def __init__(self, node: MapNode, owner: str, log: ProblemLog) -> None:
        self.node = node
        self.owner = owner
        self.log = log

    def check_keys(self, keys: Keys) -> frozenset[str]:
        """Report every key that is unknown; returns the keys that were meant by them."""
        meant = set()
        for name, entry in self.node.entries.items():
            if name not in keys.known:
                hint = keys.misplaced.get(name) or did_you_mean(name, keys.known, keys.elsewhere)
                meant.add(keys.elsewhere.get(name) or closest(name, keys.known))
                self.log.error(entry.key, f"{self.owner} has no key {shorten(name)}", hint)
        return frozenset(key for key in meant if key is not None)

    def get(self, key: str) -> Node | None:
        """The value of a key as it is, None where it is absent or broken (and reported)."""
        node = self.node.get(key)
        return None if isinstance(node, BrokenNode) else node

    def text(self, key: str) -> str | None:
        """A text; None where it is absent or not one."""
        node = self.get(key)
        return None if node is None else as_text(node, f"`{key}`", self.log)

    def flag(self, key: str, *, default: bool) -> bool:
        """`true` or `false`; the default where it is absent or neither."""
        node = self.get(key)
        if node is None:
            return default
        value = written_value(node) if isinstance(node, TextNode) else None
        if isinstance(value, bool):
            return value
        shown = shorten(node.text) if isinstance(node, TextNode) else describe(node)
        self.log.error(node, f"`{key}` must be true or false, this is {shown}", "write true or false, without quotes")
        return default

    def positive_duration(self, key: str, most: timedelta) -> timedelta | None:
        """A duration above zero and not above `most`; None where it is absent or not one."""
        node = self.get(key)
        found = None if node is None else read_duration(node, f"`{key}`", self.log)
        if node is None or found is None:
            return None
        if not timedelta(0) < found <= most:
            self.log.error(node, f"`{key}` must be longer than 0s and at most {format_duration(most)}")
            return None
        return found
