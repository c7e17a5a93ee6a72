"""`when`: a CEL expression that is true or false of an event, or cannot be answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hookrt.errors import ExpressionError
from hookrt.matching.explain import explain_parts
from hookrt.matching.names import Mentions, Names
from hookrt.matching.paths import format_path, show
from hookrt.matching.program import Program, compile_program
from hookrt.matching.results import json_type
from hookrt.matching.scanner import find_closing, place_of
from hookrt.model.hook import Finding, Scope

_OPENING = "${{"


@dataclass(frozen=True, slots=True)
class CelCondition:
    """A compiled `when`: the model's Condition, and what it mentions."""

    text: str
    names: Names
    program: Program

    @property
    def mentions(self) -> Mentions:
        """The steps and variables that it mentions."""
        return self.program.mentions

    def holds(self, scope: Scope) -> bool:
        """Whether it is true; raises ExpressionError, naming the part, when it cannot be answered."""
        value = self.program.evaluate(scope)
        if value is True or value is False:
            return value
        what = format_path(self.program.path) if self.program.path else "the condition"
        raise ExpressionError(f"{what} is {show(value)}, not true or false")

    def explain(self, scope: Scope) -> list[Finding]:
        """Each part of it with its value, followed by the values of the paths that the part mentions."""
        return explain_parts(self.program, self.names, scope)


def compile_condition(text: str, names: Names) -> CelCondition:
    """Compile a `when`, bare or as one `${{ }}`.

    Raises ExpressionError, with line and column in `text`, for whatever can be known to be wrong before the first
    event: syntax, names, functions, patterns, sizes, a type that is not bool.
    """
    return CelCondition(text, names, compile_bare(text, "a condition", names, _check_type))


def compile_bare(text: str, what: str, names: Names, check: Callable[[Program], None]) -> Program:
    """Compile `what`, bare or as one `${{ }}`; raises ExpressionError, as `check` does, with its place in `text`."""
    start, inner = bare(text, what)
    try:
        program = compile_program(inner, names)
        check(program)
    except ExpressionError as error:
        raise shifted(error, text, start, inner) from None
    return program


def shifted(error: ExpressionError, text: str, start: int, inner: str) -> ExpressionError:
    """An error in the expression that begins at `start` of a text, with its place in the whole text.

    One without a place gets that of the expression's first character.
    """
    line, column = place_of(text, start + len(inner) - len(inner.lstrip()))
    if error.line is not None and error.column is not None:
        first_line, first_column = place_of(text, start)
        line = first_line + error.line - 1
        column = error.column + (first_column - 1 if error.line == 1 else 0)
    return ExpressionError(error.message, line=line, column=column)


def bare(text: str, what: str) -> tuple[int, str]:
    """The expression without its `${{ }}`, and where it begins; raises ExpressionError where `what` is not just one."""
    stripped = text.strip()
    if not stripped.startswith(_OPENING):
        return 0, text
    start = text.index(_OPENING) + len(_OPENING)
    closing = find_closing(text, start)
    if closing is None:
        raise _at(text, start - len(_OPENING), "this '${{' is not closed by '}}'")
    if text[closing + 2 :].strip():
        raise _at(text, closing + 2, f"{what} is one expression: write it bare, without '${{' and '}}'")
    return start, text[start:closing]


def _at(text: str, offset: int, message: str) -> ExpressionError:
    line, column = place_of(text, offset)
    return ExpressionError(message, line=line, column=column)


def _check_type(program: Program) -> None:
    if program.type_name not in ("BOOL", "DYN"):
        kind = json_type(program.type_name)
        article = "an" if kind in ("object", "array", "integer") else "a"
        raise ExpressionError(f"a condition has to be true or false; this is {article} {kind}")
