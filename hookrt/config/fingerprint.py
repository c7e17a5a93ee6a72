"""Fingerprints of hooks: whether one is written as it was before, wherever in the files it stands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Protocol

from hookrt.config.nodes import Entry, ListNode, MapNode, Node, TextNode


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


def fingerprints(hooks: Mapping[str, Entry], defaults: Entry | None) -> dict[str, bytes]:
    """The fingerprint of each hook, over its text without comments and spaces, and over the defaults for all hooks."""
    shared = hashlib.blake2b(digest_size=16)
    if defaults is not None:
        _add(defaults.value, shared)
    found = {}
    for name, entry in hooks.items():
        own = shared.copy()
        _add(_without_tests(entry.value), own)
        found[name] = own.digest()
    return found


def with_texts(fingerprint: bytes, texts: Iterable[str]) -> bytes:
    """The fingerprint of a hook that has these texts from files as well; the paths stand in the hook already."""
    own = hashlib.blake2b(fingerprint, digest_size=16)
    for text in texts:
        _add_text(text, b"f", own)
    return own.digest()


def _without_tests(hook: Node) -> Node:
    """The hook without its examples, which change nothing of what it does."""
    if not isinstance(hook, MapNode) or "tests" not in hook.entries:
        return hook
    return MapNode(hook.span, {name: entry for name, entry in hook.entries.items() if name != "tests"})


def _add(node: Node, to: _Hash) -> None:
    if isinstance(node, TextNode):
        _add_text(node.text, b"p" if node.plain else b"q", to)
    elif isinstance(node, ListNode):
        to.update(b"[%d" % len(node.items))
        for item in node.items:
            _add(item, to)
    elif isinstance(node, MapNode):
        to.update(b"{%d" % len(node.entries))
        for key, entry in node.entries.items():
            _add_text(key, b"k", to)
            _add(entry.value, to)


def _add_text(text: str, kind: bytes, to: _Hash) -> None:
    encoded = text.encode("utf-8", "surrogatepass")
    to.update(b"%s%d:" % (kind, len(encoded)))
    to.update(encoded)
