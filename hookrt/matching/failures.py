"""Why an expression has no answer for an event, in words that name the path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hookrt.matching.names import OPERATOR_SIGNS
from hookrt.matching.paths import Miss, Path, follow, format_path, show
from hookrt.matching.survey import Mention, Use
from hookrt.model.hook import Scope

_PREFIX = re.compile(r"^[A-Z_]+: ")
_CODE = re.compile(r" \[[A-Z_]+\]$")
_KEY = re.compile(r'Key not found in map : "?(.*?)"?$')
_OVERLOAD = re.compile(r"No matching overloads found : (.*)$")
_TYPE_NAMES = {"null_type": "null", "int64": "int", "uint64": "uint"}
_WANTED = {
    "_&&_": "true or false",
    "_||_": "true or false",
    "!_": "true or false",
    "<jump_condition>": "true or false",
    "<iter_range>": "a list",
    "@in": "a list or an object",
}


def describe(report: str, mentions: Iterable[Mention], scope: Scope) -> str:
    """The library's run-time error, retold with the path and the value that brought it about."""
    message = _CODE.sub("", _PREFIX.sub("", report.split("\n")[0]))
    required = [one for one in mentions if one.path[0] != "secrets"]
    if found := _KEY.search(message):
        return _missing_key(found[1], required, scope)
    if found := _OVERLOAD.search(message):
        return _not_taken(found[1], required, scope)
    if "SELECT" in message or "container type" in message or "Index error: expected" in message:
        return _not_an_object(required, scope) or "a field is read of something that is no object"
    if "Non-CEL value" in message:
        return "get() cannot give a time or a span of time: wrap it in string()"
    if "Index error" in message:
        return _short_list(required, scope) or message
    return message


def describe_hidden(report: str, mentions: Iterable[Mention], scope: Scope) -> str:
    """The same for an expression that mentions a secret: the library's text may hold its value, and is not shown."""
    shown = (mention for mention in mentions if mention.path[0] != "secrets")
    for mention, miss in _misses(shown, scope):
        if not _tolerated(mention, miss):
            return describe_miss(mention.path, miss)
    return "it cannot be evaluated (it mentions a secret, so that the reason is not shown)"


def _misses(mentions: Iterable[Mention], scope: Scope) -> Iterator[tuple[Mention, Miss]]:
    for mention in mentions:
        found = follow(scope, mention.path)
        if isinstance(found, Miss):
            yield mention, found


def _missing_key(key: str, mentions: list[Mention], scope: Scope) -> str:
    for mention, miss in _misses(mentions, scope):
        if not _tolerated(mention, miss) and str(mention.path[miss.depth]) == key:
            return describe_miss(mention.path, miss)
    return f'"{key}" is missing'


def _not_an_object(mentions: list[Mention], scope: Scope) -> str | None:
    for mention, miss in _misses(mentions, scope):
        if not isinstance(miss.value, Mapping) and not mention.tolerant:
            return describe_miss(mention.path, miss)
    return None


def _short_list(mentions: list[Mention], scope: Scope) -> str | None:
    for mention, miss in _misses(mentions, scope):
        if isinstance(miss.value, list):
            return describe_miss(mention.path, miss)
    return None


def describe_miss(path: Path, miss: Miss) -> str:
    """What stops a path, for people: `event.data.user.name is missing`, `event.data.user is null`."""
    here, there = format_path(path[: miss.depth]), format_path(path[: miss.depth + 1])
    if isinstance(miss.value, list) and isinstance(path[miss.depth], int):
        return f"{there} is missing: the list has {len(miss.value)} elements"
    if isinstance(miss.value, Mapping):
        return f"{there} is missing"
    return f"{here} is null" if miss.value is None else f"{here} is {show(miss.value)}, not an object"


def _tolerated(mention: Mention, miss: Miss) -> bool:
    """Whether the expression provides for this: `.?`, `has` and `get` do."""
    return miss.depth >= mention.optional_from and (mention.tolerant or isinstance(miss.value, Mapping))


def _not_taken(call: str, mentions: list[Mention], scope: Scope) -> str:
    """No function takes these types: name the value of such a type, null before all others."""
    wanted = next((words for sign, words in _WANTED.items() if call.startswith(sign)), None)
    if call.startswith(("_[?_]", "_?._")):
        return _not_an_object(mentions, scope) or "an optional field is read of something that is no object"
    values = [(one, follow(scope, one.path)) for one in mentions if one.use is not Use.PRESENCE and not one.tolerant]
    for mention, value in values:
        if value is None and ("null_type" in call or wanted):
            return f"{format_path(mention.path)} is null"
    for mention, value in values:
        if wanted and not isinstance(value, Miss) and not _fits(value, wanted):
            return f"{format_path(mention.path)} is {show(value)}, not {wanted}"
        if "bytes" in call and isinstance(value, int) and value.bit_length() > 63:
            return f"{format_path(mention.path)} is {show(value)}, too large to calculate with"
    if wanted and call.startswith("<"):
        return f"a part of it is not {wanted}"
    culprit = next((one for one in values if _library_type(one[1]) in re.findall(r"\w+", call)), None)
    said = f"{_written(call)}"
    return f"{said}: {format_path(culprit[0].path)} is {show(culprit[1])}" if culprit else said


def _fits(value: Any, wanted: str) -> bool:
    if wanted == "true or false":
        return isinstance(value, bool)
    return isinstance(value, list | dict)


def _library_type(value: Any) -> str:
    names = {str: "string", bool: "bool", int: "int64", float: "double", list: "list", dict: "map"}
    return names.get(type(value), "")


def _written(call: str) -> str:
    """`(int64).endsWith(string)` as `endsWith() cannot take int and string`."""
    for sign, written in OPERATOR_SIGNS.items():
        if call.startswith(sign):
            return f"'{written}' cannot take {_types_in(call[len(sign) :])}"
    name = re.sub(r"^\(.*?\)\.", "", call).partition("(")[0]
    return f"{name}() cannot take {_types_in(call.replace(name, ' ', 1))}"


def _types_in(text: str) -> str:
    named = [_TYPE_NAMES.get(word, word) for word in re.findall(r"\w+", text)]
    return " and ".join(named) or "this"
