"""The library's compile errors, retold for people, each at the place that it means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hookrt.errors import ExpressionError
from hookrt.matching.names import EVENT_FIELDS, OPERATOR_SIGNS, Names, suggest, variables_for
from hookrt.matching.scanner import next_is, offset_of, place_of, start_of_name

_ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): ([^\n]*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '\((.*)\)'")
_UNEXPECTED = re.compile(
    r"(?:extraneous input|mismatched input|no viable alternative at input) '(.*?)'(?: expecting|$)"
)
_UNREADABLE = re.compile(r"token recognition error at: '(.*?)'?$")
_MISSING = re.compile(r"missing (.+) at '(.*)'$")
_QUESTION_DOT = re.compile(r"\w\?\.\w")
_RESERVED = re.compile(r"reserved identifier: (\w+)")

_WORDS_FOR_SIGNS = {"and": "&&", "or": "||", "not": "!", "is": "==", "AND": "&&", "OR": "||"}


@dataclass(frozen=True, slots=True)
class _Reported:
    """One error of the library; the offset is None where it names no place."""

    offset: int | None
    message: str


def retell(report: str, text: str, names: Names) -> ExpressionError:
    """The first of the library's errors (they come unsorted) as an ExpressionError."""
    if "recursion" in report:
        return ExpressionError(
            "the expression is nested too deep: 32 levels at most, each '+', '.', '[' and '(' of a chain counts"
        )
    reported = [_reported(text, *found.groups()) for found in _ERROR.finditer(report)]
    placed = sorted((one for one in reported if one.offset is not None), key=lambda one: one.offset or 0)
    if not placed:
        return ExpressionError(report.split("\n")[0])
    first = placed[0]
    offset, message = _retell_one(first.message, text, first.offset or 0, names)
    line, column = place_of(text, offset)
    return ExpressionError(message, line=line, column=column)


def _reported(text: str, line: str, column: str, message: str) -> _Reported:
    placed = int(line) > 0 and int(column) > 0
    return _Reported(offset_of(text, int(line), int(column)) if placed else None, message)


def _retell_one(message: str, text: str, offset: int, names: Names) -> tuple[int, str]:
    if found := _UNDECLARED.search(message):
        return _undeclared(found[1], text, offset, names)
    if found := _OVERLOAD.search(message):
        return start_of_name(text, offset), _no_overload(found[1], found[2], names)
    if found := _RESERVED.search(message):
        return offset, f"'{found[1]}' is a reserved word"
    if "Syntax error" in message:
        return offset, _syntax(message.partition("Syntax error: ")[2], text, offset)
    return start_of_name(text, offset), message


def _undeclared(name: str, text: str, offset: int, names: Names) -> tuple[int, str]:
    start = start_of_name(text, offset)
    if next_is(text, offset, "("):
        return start, _unknown_function(name.rpartition(".")[2] if name not in names.forms else name, names)
    root = name.partition(".")[0]
    known = variables_for(names)
    if names.request:
        return start, _undeclared_in_source(root, known)
    if root == "steps":
        return start, "'steps' cannot be used here: before the first step there are event, env and hook"
    if root == "secrets":
        return start, "'secrets' cannot be used here: only settings of a step can mention a secret"
    if root in EVENT_FIELDS:
        return start, f"unknown name '{root}'; did you mean 'event.{root}'?"
    return start, f"unknown name '{root}'{suggest(root, known) or '; there are ' + ', '.join(known)}"


def _undeclared_in_source(root: str, known: tuple[str, ...]) -> str:
    if root == "data":
        return "unknown name 'data'; did you mean 'event.data', or 'body'?"
    close = suggest(root, known)
    return f"unknown name '{root}'{close or '; there are ' + ', '.join(known) + '; a fixed text stands in quotes'}"


def _unknown_function(name: str, names: Names) -> str:
    if name in names.forms:
        return f"{name}() is not called so: write {names.forms[name]}"
    close = suggest(name, names.forms)
    return f"unknown function '{name}'{close or (names.missing and f'; {names.missing}')}"


def _no_overload(function: str, arguments: str, names: Names) -> str:
    if function in OPERATOR_SIGNS:
        return f"'{OPERATOR_SIGNS[function]}' cannot take {arguments.replace(', ', ' and ')}"
    form = names.forms.get(function)
    return f"{function}() cannot take ({arguments})" + (f": write {form}" if form else "")


def _syntax(message: str, text: str, offset: int) -> str:
    if text.startswith("${{", offset):
        return "'${{' has no place inside an expression: the expression is CEL already"
    if found := _MISSING.search(message):
        return f"{found[1]} is missing" + ("" if found[2] == "<EOF>" else f" before '{found[2]}'")
    if found := _UNREADABLE.search(message):
        return _unreadable(found[1].strip())
    if found := _UNEXPECTED.search(message):
        return _unexpected(found[1], text, offset)
    return f"syntax error: {message}"


def _unreadable(piece: str) -> str:
    if piece[:1] in ("'", '"', "`"):
        return f"the text that begins with {piece[:1]} has no end"
    if piece == "=":
        return "'=' compares nothing: write '=='"
    return f"unexpected '{piece}'"


def _unexpected(piece: str, text: str, offset: int) -> str:
    if _QUESTION_DOT.search(text):
        return "an optional field is written 'a.?b', not 'a?.b'"
    if piece == "<EOF>":
        return "the expression ends too early"
    before = text[:offset].split()[-1:]
    sign = _WORDS_FOR_SIGNS.get(piece) or ("!" if before == ["not"] else None)
    written = piece if piece[:1] in ("'", '"') else f"'{piece}'"
    return f"unexpected {written}" + (f"; did you mean '{sign}'?" if sign else "")
