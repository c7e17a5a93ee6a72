"""Masking: a secret's value, and its common encodings, become `***` in whatever is shown or kept."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
"""What stands in place of a secret."""

_SHORTEST_ANYWHERE = 4
_SHORTEST_LINE = 8
_SHORTEST_CORE = 8


class Masker:
    """Remembers secret values, and replaces them in texts.

    Values shorter than four characters are masked only where they stand as a whole word, since `a` or `42` would
    turn every text into stars. Without any secret, masking costs nothing.
    """

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._passing: dict[str, tuple[str, ...]] = {}
        self._pattern: re.Pattern[str] | None = None
        self._anywhere: tuple[str, ...] = ()
        self._words: re.Pattern[str] | None = None
        self._compiled = 0
        self._changes = 0

    def add(self, value: str) -> None:
        """Remember a value; one that is known already, or empty, costs nothing."""
        if value and value not in self._values:
            self._values.add(value)
            self._changes += 1

    def add_passing(self, owner: str, value: str) -> None:
        """Remember a value that soon gives way to another, such as a token: of each owner the last two are known."""
        before = self._passing.get(owner, ())
        if value not in before:
            self._passing[owner] = (*before, value)[-2:]
            self._changes += 1

    def learn(self, other: Masker) -> None:
        """Remember what another one remembers."""
        self._values |= other._values
        self._passing |= other._passing
        self._changes += 1

    def mask(self, text: str) -> str:
        """The text with every remembered value, also in base64, URL-encoded or escaped, replaced by `***`."""
        if self._changes != self._compiled:
            self._compile()
        if self._pattern is None or not self._may_hold(text):
            return text
        return self._pattern.sub(MASK, text)

    def _may_hold(self, text: str) -> bool:
        """Whether any secret is in the text: nearly never, and this finds it out a tenfold faster than the pattern."""
        for form in self._anywhere:
            if form in text:
                return True
        return self._words is not None and self._words.search(text) is not None

    def _compile(self) -> None:
        self._compiled = self._changes
        passing = (value for values in self._passing.values() for value in values)
        forms = {form for value in (*self._values, *passing) for form in _forms(value)}
        short = [form for form in forms if len(form) < _SHORTEST_ANYWHERE]
        self._anywhere = tuple(forms.difference(short))
        self._words = _pattern_of(short) if short else None
        self._pattern = _pattern_of(forms) if forms else None

    def __repr__(self) -> str:
        return f"Masker({len(self._values)} values)"


def mask_within(value: Any, mask: Callable[[str], str]) -> Any:
    """A JSON value with every text in it masked, also the keys; the value itself stays as it is."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [mask_within(item, mask) for item in value]
    if isinstance(value, dict):
        return {mask(key): mask_within(item, mask) for key, item in value.items()}
    return value


def _pattern_of(forms: Iterable[str]) -> re.Pattern[str]:
    ordered = sorted(forms, key=lambda form: (-len(form), form))
    return re.compile("|".join(_expression(form) for form in ordered))


def _expression(form: str) -> str:
    if len(form) >= _SHORTEST_ANYWHERE:
        return re.escape(form)
    return rf"(?<!\w){re.escape(form)}(?!\w)"


def _forms(value: str) -> set[str]:
    """How a value may show up in a text: as it is, line by line, escaped, URL-encoded, in base64."""
    forms = {value, *_lines(value), json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    forms.add(repr(value)[1:-1])
    raw = value.encode("utf-8", "surrogatepass")
    for encoded in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        forms.update({encoded, re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), encoded)})
    forms.update(_base64_forms(raw))
    forms.discard("")
    return forms


def _lines(value: str) -> list[str]:
    return [line for line in value.splitlines() if len(line) >= _SHORTEST_LINE]


def _base64_forms(raw: bytes) -> set[str]:
    """Its base64, alone, and as a part of a longer text (`user:secret`), where it may begin at any of three bits."""
    forms = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        forms.add(encode(raw).decode("ascii").rstrip("="))
        for before in (0, 1, 2):
            whole = encode(b"\0" * before + raw).decode("ascii")
            first = (before * 8 + 5) // 6
            last = (before + len(raw)) * 8 // 6
            if last - first >= _SHORTEST_CORE:
                forms.add(whole[first:last])
    return {form for form in forms if len(form) >= _SHORTEST_ANYWHERE}
