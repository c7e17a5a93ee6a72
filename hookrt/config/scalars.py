"""What a plain scalar is: null, true, false, a JSON number, or else the text that stands there."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from hookrt.config.nodes import TextNode

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS: dict[str, Any] = {"": None, "null": None, "true": True, "false": False}
_LEAST, _MOST = -(2**63), 2**64 - 1
_LONGEST_NUMBER = 40


class AmbiguousNumber(ValueError):  # noqa: N818 - a finding, told with its hint
    """A number that would not go out as it was written; `hint` says how to write it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def scalar_value(node: TextNode) -> Any:
    """The JSON value of a scalar; raises AmbiguousNumber for a number whose JSON form differs from its text.

    Quoted and block scalars are text. So are `yes`, dates, `12:30`, `0x1F`, `010` and `~`.
    """
    text = node.text
    if not node.plain:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return text
    value = _number(text)
    form = msgspec.json.encode(value).decode() if value is not None else None
    if form != text:
        raise _ambiguous(text, form)
    return value


def _number(text: str) -> int | float | None:
    """The number, None for one that JSON's usual readers cannot hold."""
    if len(text) > _LONGEST_NUMBER:
        return None
    if text.lstrip("-").isdigit():
        whole = int(text)
        return whole if _LEAST <= whole <= _MOST else None
    value = float(text)
    return value if abs(value) != float("inf") else None


def _ambiguous(text: str, form: str | None) -> AmbiguousNumber:
    shown = text if len(text) <= _LONGEST_NUMBER else text[:_LONGEST_NUMBER] + "…"
    if form is None:
        return AmbiguousNumber(f"the number {shown} is too large to be kept exactly", f'quote it: "{shown}"')
    return AmbiguousNumber(
        f"{shown} is a number that would become {form}", f'quote it to keep the text: "{shown}"; or write {form}'
    )
