"""Settings with `${{ }}` in them: one whole expression keeps its type, anything else is text with values put in.

`$${{` is a literal `${{`. `}}` inside an expression's strings or braces does not close it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from hookrt.errors import ExpressionError
from hookrt.matching.condition import shifted
from hookrt.matching.names import Mentions, Names
from hookrt.matching.program import Program, compile_program
from hookrt.matching.results import json_type
from hookrt.matching.scanner import find_closing, place_of
from hookrt.model.hook import Scope

_OPENING = re.compile(r"\$?\$\{\{")
_NULL = "is null, which has no place inside a text; get(object, 'path', '') gives a default"


@dataclass(frozen=True, slots=True)
class Hole:
    """One expression in a template, with its place (from 1) in the whole text."""

    program: Program
    line: int
    column: int

    def value(self, scope: Scope) -> Any:
        """The value of the expression; raises ExpressionError with its place."""
        try:
            return self.program.evaluate(scope)
        except ExpressionError as error:
            raise self.failed(error.message) from None

    def failed(self, message: str) -> ExpressionError:
        """An error at this expression's place."""
        return ExpressionError(message, line=self.line, column=self.column)


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled setting. `pieces` are its literal texts and expressions, in order.

    `static_type` is the JSON type that it will have (string, integer, number, boolean, null, array, object), None
    where that is only known when it is rendered.
    """

    text: str
    pieces: tuple[str | Hole, ...]
    mentions: Mentions
    static_type: str | None

    def render(self, scope: Scope) -> Any:
        """The setting for this event; raises ExpressionError, with the expression's place in the text.

        A value that is only a path is not copied: do not change what this returns.
        """
        only = self.pieces[0]
        if len(self.pieces) == 1 and isinstance(only, Hole):
            return only.value(scope)
        return "".join(piece if isinstance(piece, str) else text_of(piece, scope) for piece in self.pieces)


def text_of(hole: Hole, scope: Scope) -> str:
    """The value of an expression as it stands inside a text; raises ExpressionError, also for null."""
    value = hole.value(scope)
    if isinstance(value, str):
        return value
    if value is None:
        raise hole.failed(f"{hole.program.text.strip()} {_NULL}")
    return msgspec.json.encode(value).decode()


def compile_template(text: str, names: Names) -> Template | None:
    """Compile a setting's text; None when it holds no `${{` at all, so that it is a plain text.

    Raises ExpressionError, with line and column in `text`; of several it is the first of `find_faults`.
    """
    if "${{" not in text:
        return None
    pieces = tuple(_merged(_compiled(text, names))) or ("",)
    mentions = Mentions()
    for piece in pieces:
        if isinstance(piece, Hole):
            mentions = mentions.joined(piece.program.mentions)
    only = pieces[0] if len(pieces) == 1 else ""
    static_type = json_type(only.program.type_name) if isinstance(only, Hole) else "string"
    return Template(text, pieces, mentions, static_type)


def find_faults(text: str, names: Names) -> Iterator[ExpressionError]:
    """What is wrong with the expressions of a text, one error for each, with line and column in `text`."""
    return (piece for piece in _pieces(text, names) if isinstance(piece, ExpressionError))


def _compiled(text: str, names: Names) -> Iterator[str | Hole]:
    for piece in _pieces(text, names):
        if isinstance(piece, ExpressionError):
            raise piece
        yield piece


def _pieces(text: str, names: Names) -> Iterator[str | Hole | ExpressionError]:
    """The text's parts in order, an error in the place of an expression that is none."""
    at = 0
    while opening := _OPENING.search(text, at):
        yield text[at : opening.start()]
        at = opening.end()
        if opening[0].startswith("$$"):
            yield "${{"
            continue
        closing = find_closing(text, at)
        if closing is None:
            yield _unclosed(text, opening.start())
            return
        yield _compile_hole(text, at, closing, names)
        at = closing + 2
    yield text[at:]


def _merged(pieces: Iterable[str | Hole]) -> Iterator[str | Hole]:
    """Neighbouring literal texts as one, empty ones left out."""
    literal = ""
    for piece in pieces:
        if isinstance(piece, str):
            literal += piece
            continue
        if literal:
            yield literal
        literal = ""
        yield piece
    if literal:
        yield literal


def _unclosed(text: str, opening: int) -> ExpressionError:
    line, column = place_of(text, opening)
    return ExpressionError("this '${{' is not closed by '}}'", line=line, column=column)


def _compile_hole(text: str, start: int, closing: int, names: Names) -> Hole | ExpressionError:
    inner = text[start:closing]
    try:
        program = compile_program(inner, names)
        json_type(program.type_name)
    except ExpressionError as error:
        return shifted(error, text, start, inner)
    return Hole(program, *place_of(text, start + len(inner) - len(inner.lstrip())))


def find_expression(text: str) -> tuple[int, int] | None:
    """Line and column, from 1, of the first `${{` that begins an expression; None when there is none."""
    found = next((one for one in _OPENING.finditer(text) if not one[0].startswith("$$")), None)
    return place_of(text, found.start()) if found else None


def unescape(text: str) -> str:
    """The text of a field without expressions, each `$${{` a `${{`."""
    return text.replace("$${{", "${{")
