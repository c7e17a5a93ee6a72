"""`type`, `subject` and `id` of a source: CEL expressions over the request that came in, whose values are texts."""

from __future__ import annotations

from dataclasses import dataclass, field

from hookrt.errors import ExpressionError
from hookrt.matching.condition import compile_bare
from hookrt.matching.names import Names
from hookrt.matching.paths import format_path, show
from hookrt.matching.program import Program
from hookrt.matching.results import as_text, json_type
from hookrt.model.hook import Scope

NAMES = Names(request=True)
"""What such an expression sees."""

_FIT = (None, "string", "integer", "number", "boolean", "null")


@dataclass(frozen=True, slots=True)
class CelAttribute:
    """A compiled expression; two of the same text are equal."""

    text: str
    program: Program = field(compare=False, repr=False)

    def of(self, scope: Scope) -> str | None:
        """Its value as text, None where it is null; raises ExpressionError, naming the part, when there is none."""
        value = self.program.evaluate(scope)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, int | float):
            return as_text(value)
        what = format_path(self.program.path) if self.program.path else "the value"
        raise ExpressionError(f"{what} is {show(value)}, which is no text")


def compile_attribute(text: str, names: Names = NAMES) -> CelAttribute:
    """Compile one, bare or as one `${{ }}`; other `names` may bring functions along.

    Raises ExpressionError, with line and column in `text`, as a condition does, and for a type that is no text.
    """
    return CelAttribute(text, compile_bare(text, "this", names, _check_type))


def _check_type(program: Program) -> None:
    kind = json_type(program.type_name)
    if kind not in _FIT:
        article = "an" if kind in ("object", "array") else "a"
        raise ExpressionError(f"this has to be a text; it is {article} {kind}")
