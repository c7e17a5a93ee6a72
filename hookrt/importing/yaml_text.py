"""Writing YAML that people like to read: values quoted where they must be, comments wrapped."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence

Value = str | int | bool | Sequence["Value"] | Mapping[str, "Value"]

_WORD = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*")
_BARE = re.compile(r"[A-Za-z(/$][^#]*[^\s:#]|[A-Za-z]")
_MEANT = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~", ".inf", ".nan"}
_UNSEEN = re.compile("[\x00-\x1f\x7f-\xa0\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]")
_WIDTH = 110


def scalar(value: str | int | bool) -> str:
    """A text, number or boolean as one line that reads back as the same."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if _UNSEEN.search(value):
        return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
    if _WORD.fullmatch(value) and value.lower() not in _MEANT:
        return value
    if '"' in value or "\\" in value:
        return "'" + value.replace("'", "''") + "'"
    return f'"{value}"'


def expression(text: str) -> str:
    """A text that stands alone behind its key, such as an expression, without quotes where YAML takes it so."""
    plain = _BARE.fullmatch(text) and ": " not in text and text.lower() not in _MEANT and not _UNSEEN.search(text)
    return text if plain else scalar(text)


def flow(value: Value) -> str:
    """A value on one line: texts, lists and mappings in brackets and braces."""
    if isinstance(value, str | int):
        return scalar(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(one)}" for key, one in value.items()) + "}"
    return "[" + ", ".join(map(flow, value)) + "]"


def block(key: str, value: Value, indent: int) -> list[str]:
    """`key: value` as lines: on one line where it fits, else a mapping key by key, a list item by item."""
    start = " " * indent + (key if _WORD.fullmatch(key) else scalar(key)) + ":"
    if isinstance(value, str):
        return [f"{start} {expression(value)}"]
    one = f"{start} {flow(value)}"
    if isinstance(value, int) or len(one) <= _WIDTH:
        return [one]
    if isinstance(value, Mapping):
        return mapping(key, value, indent)
    return [start, *(f"{' ' * indent}  - {flow(item)}" for item in value)]


def mapping(key: str, value: Mapping[str, Value], indent: int) -> list[str]:
    """`key:` and below it each entry of its mapping."""
    return [f"{' ' * indent}{key}:", *(line for inner in value.items() for line in block(*inner, indent + 2))]


def comment(text: str, indent: int = 0, hang: str = "") -> list[str]:
    """A text as comment lines; those after the first are moved in by `hang`."""
    start = " " * indent + "# "
    safe = _UNSEEN.sub("\ufffd", text)
    return textwrap.wrap(safe, _WIDTH, initial_indent=start, subsequent_indent=start + hang, break_on_hyphens=False)


def long_expression(key: str, text: str, indent: int) -> list[str]:
    """`key: expression`, over several lines before its `&&` and `||` where one is too long."""
    one = f"{' ' * indent}{key}: {expression(text)}"
    if len(one) <= _WIDTH or _UNSEEN.search(text):
        return [one]
    return [f"{' ' * indent}{key}: >-", *(f"{' ' * (indent + 2)}{part}" for part in _parts(text))]


def _parts(text: str) -> list[str]:
    """The text cut before each operator that stands in no parentheses and no quotes."""
    parts, start, depth, at = [], 0, 0, 0
    for found in re.finditer(r'"(?:[^"\\]|\\.)*"|[()]|&& |\|\| ', text):
        at = found.start()
        if found[0] in "()":
            depth += 1 if found[0] == "(" else -1
        elif found[0][0] in "&|" and not depth:
            parts.append(text[start:at].rstrip())
            start = at
    return [*parts, text[start:]]
