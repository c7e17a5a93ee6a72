"""One CEL expression, compiled, checked against every rule, and evaluated on a scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hookrt.errors import ExpressionError
from hookrt.matching.compile_errors import retell
from hookrt.matching.environment import environment_for
from hookrt.matching.failures import describe, describe_hidden, describe_miss
from hookrt.matching.handover import Handover
from hookrt.matching.names import STEP_FIELDS, Mentions, Names
from hookrt.matching.paths import Miss, Path, follow
from hookrt.matching.results import plain
from hookrt.matching.scanner import place_of
from hookrt.matching.survey import Mention, Survey, Surveyor, Use
from hookrt.matching.syntax_tree import read_tree
from hookrt.model.hook import Scope

MAX_BYTES = 4096
"""Longest text of an expression in UTF-8 (RULES, "The file")."""

_EVENT_TYPES: dict[str | int, str] = {
    "id": "STRING",
    "type": "STRING",
    "source": "STRING",
    "time": "STRING",
    "data_base64": "STRING",
    "attributes": "MAP",
}


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression.

    `type_name` is the library's name of its static type (`BOOL`, `DYN`, `MAP<STRING, INT>`). `path` is set when the
    expression is nothing but a path: its value is then copied without the library's help.
    """

    text: str
    type_name: str
    mentions: Mentions
    paths: tuple[Mention, ...]
    path: Path | None
    _compiled: Any
    _handover: Handover

    def evaluate(self, scope: Scope) -> Any:
        """The value as plain JSON values; raises ExpressionError, naming the part, when there is none."""
        if self.path is not None:
            return _copy(scope, self.path)
        try:
            value = self._compiled.eval(data=self._handover.take(scope))
            found = value.plain_value()
            if not isinstance(found, str) or value.type().name() != "ERROR":  # an error comes as its text
                return plain(found)
            report = found
        except (RuntimeError, TypeError, ValueError, OverflowError, SystemError) as error:
            report = str(error)
        raise ExpressionError(self._describe(report, scope))

    def _describe(self, report: str, scope: Scope) -> str:
        return (describe_hidden if self.mentions.secrets else describe)(report, self.paths, scope)


def _copy(scope: Scope, path: Path) -> Any:
    value = follow(scope, path)
    if isinstance(value, Miss):
        raise ExpressionError(describe_miss(path, value))
    return value


def compile_program(text: str, names: Names) -> Program:
    """Compile one bare expression; raises ExpressionError with line and column in this text."""
    _check_size(text)
    environment = environment_for(names)
    try:
        compiled = environment.compile(text)
    except RuntimeError as error:
        raise retell(str(error), text, names) from None
    surveyor = Surveyor(text, read_tree(compiled.serialize()), names)
    survey = surveyor.survey()
    for pattern, offset in surveyor.patterns:
        _check_pattern(environment, pattern, place_of(text, offset))
    return _build(text, compiled, surveyor, survey)


def _build(text: str, compiled: Any, surveyor: Surveyor, survey: Survey) -> Program:
    whole = surveyor.path_of(surveyor.tree.root)
    only = whole is not None and whole.use is Use.ONCE and whole.optional_from > len(whole.path)
    path = whole.path if whole and only else None
    type_name = _type_of_path(path) if path else _return_type(compiled)
    return Program(text, type_name, survey.mentions, survey.paths, path, compiled, Handover(survey.paths))


def _return_type(compiled: Any) -> str:
    try:
        return str(compiled.return_type().name())
    except RuntimeError:  # a map whose keys could never be JSON's
        raise ExpressionError("the value has a type that JSON does not have") from None


def _type_of_path(path: Path) -> str:
    """What is known of the type of a path, closer than the library knows it."""
    known = {"hook": "STRING", "env": "STRING", "secrets": "STRING", "steps": "MAP", "event": "MAP"}
    if path[0] in ("body", "headers", "query"):
        return "STRING" if path[0] != "body" and len(path) > 1 else "DYN"
    if len(path) == 1 or path[0] in ("env", "secrets"):
        return known[str(path[0])]
    if path[0] == "event":
        return _EVENT_TYPES.get(path[1], "DYN") if len(path) == 2 else "DYN"
    return "MAP" if len(path) == 2 else "STRING" if path[2:] == STEP_FIELDS[:1] else "DYN"


def _check_size(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ExpressionError("the expression is not valid Unicode", line=1, column=1) from None
    if size > MAX_BYTES:
        raise ExpressionError(f"the expression has {size:,} bytes: {MAX_BYTES:,} at most", line=1, column=1)
    if "\0" in text:
        raise ExpressionError("the expression has a NUL character", line=1, column=text.index("\0") + 1)


def _check_pattern(environment: Any, pattern: str, place: tuple[int, int]) -> None:
    """A bad literal pattern would otherwise fail at every event: let the library itself read it now."""
    quoted = '"' + "".join(_escape(character) for character in pattern) + '"'
    value = environment.compile(f'"".matches({quoted})').eval()
    if value.type().name() == "ERROR":
        report = str(value.plain_value()).partition("invalid regular expression: ")[2]
        raise ExpressionError(f"this is no RE2 pattern: {report or pattern}", line=place[0], column=place[1])


def _escape(character: str) -> str:
    return character if character.isalnum() and character.isascii() else f"\\U{ord(character):08x}"
