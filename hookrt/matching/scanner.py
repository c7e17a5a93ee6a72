"""Where things stand in the text of an expression: tokens, the end of a `${{ }}`, the parts of a condition.

It knows CEL's strings, comments and brackets, and nothing of its grammar, which is the library's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>//(?:(?!\}\}).)*)
    | (?P<string>(?i:b?rb?)(?:\"\"\"(?s:.*?)\"\"\"|'''(?s:.*?)'''|"[^"\n]*"|'[^'\n]*')
        | (?i:b?)(?:\"\"\"(?s:(?:\\.|[^\\])*?)\"\"\"|'''(?s:(?:\\.|[^\\])*?)'''
                   |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
        | `[^`\n]*`)
    | (?P<word>[A-Za-z_0-9]+)
    | (?P<sign>&&|\|\||.)
    """,
    re.VERBOSE,
)
_WORD_BEFORE = re.compile(r"[A-Za-z_0-9.]+\s*$")
_OPENING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression; `start` and `end` are offsets in the text, `depth` counts open brackets."""

    kind: str
    text: str
    start: int
    end: int
    depth: int


def tokens(text: str, start: int = 0) -> Iterator[Token]:
    """The tokens from `start` on, white space and comments left out; a closing bracket has its opener's depth."""
    depth, at = 0, start
    while found := _TOKEN.match(text, at):
        kind, piece = found.lastgroup or "", found.group()
        if piece in (")", "]", "}"):
            depth -= 1
        if kind not in ("space", "comment"):
            yield Token(kind, piece, found.start(), found.end(), depth)
        if piece in _OPENING:
            depth += 1
        at = found.end()


def find_closing(text: str, start: int) -> int | None:
    """The offset of the `}}` that closes an expression begun at `start`; None when nothing does.

    `}}` within a string or within the expression's own braces does not close.
    """
    braces = 0
    for token in tokens(text, start):
        if token.text == "{":
            braces += 1
        elif token.text == "}" and braces:
            braces -= 1
        elif token.text == "}" and text.startswith("}}", token.start):
            return token.start
    return None


def split_parts(text: str) -> list[str]:
    """The operands of an expression's outermost `&&`, `||` and `!( )`, in order; itself when it has none."""
    inner = _unwrapped(text.strip())
    found = list(tokens(inner))
    if any(token.text == "?" and token.depth == 0 and _is_ternary(inner, token) for token in found):
        return [inner]
    for operator in ("||", "&&"):
        cuts = [token for token in found if token.text == operator and token.depth == 0]
        if cuts:
            starts = [0, *(cut.end for cut in cuts)]
            ends = [*(cut.start for cut in cuts), len(inner)]
            return [part for start, end in zip(starts, ends, strict=True) for part in split_parts(inner[start:end])]
    if inner.startswith("!"):
        negated = split_parts(inner[1:])
        return negated if len(negated) > 1 else [inner]
    return [inner]


def _is_ternary(text: str, token: Token) -> bool:
    return not text[: token.start].rstrip().endswith(".")


def _unwrapped(text: str) -> str:
    while text.startswith("("):
        closing = next((token for token in tokens(text) if token.text == ")" and token.depth == 0), None)
        if closing is None or closing.end != len(text):
            break
        text = text[1:-1].strip()
    return text


def place_of(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of an offset."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def offset_of(text: str, line: int, column: int) -> int:
    """The offset of a line and column, from 1."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return start + column - 1


def start_of_name(text: str, offset: int) -> int:
    """Where the (dotted) name begins in which, or right behind which, this offset stands; else the offset."""
    if offset < len(text) and text[offset] in "(.":
        before = _WORD_BEFORE.search(text, 0, offset)
        if before and before.end() == offset:
            return _last_word(text, before.start(), offset)
    return offset


def _last_word(text: str, start: int, offset: int) -> int:
    """Of `a.b.size(` the start of `size`, of `evnt.type` (asked at its dot) the start of `evnt`."""
    if text[offset] == ".":
        return start
    return start + text[start:offset].rstrip().rfind(".") + 1


def next_is(text: str, offset: int, sign: str) -> bool:
    """Whether this sign is the next thing that is no white space."""
    return text[offset:].lstrip().startswith(sign)
