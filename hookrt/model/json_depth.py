"""How deep a JSON text is nested, found without decoding it, since a decoder's own recursion is the danger."""

from __future__ import annotations

from hookrt.errors import EventError

MAX_DEPTH = 64
"""Deepest nesting of an event's JSON (the rules' figure; CEL's own reader crashes at 10,000)."""

_NOT_MARKS = bytes(sorted(set(range(256)) - set(b'[]{}"')))


def check_depth(text: bytes, limit: int = MAX_DEPTH) -> None:
    """Raise EventError when the JSON text is nested deeper than `limit`.

    The text may be hostile and no JSON at all: the work is linear in its length, and what is right up to the
    first syntax error is judged as a decoder would see it.
    """
    if text.count(b"[") + text.count(b"{") <= limit:  # nearly always, and two quick scans
        return
    depth = 0
    for bracket in _outside_strings(text):
        depth += 1 if bracket in b"[{" else -1
        if depth > limit:
            raise EventError(f"the JSON is nested more than {limit} levels deep")


def _outside_strings(text: bytes) -> bytes:
    """The brackets that are no part of a string; an unclosed string reaches to the end."""
    unescaped = text.replace(b"\\\\", b"").replace(b'\\"', b"")  # what is left of `"` opens or closes
    return b"".join(unescaped.translate(None, _NOT_MARKS).split(b'"')[::2])
