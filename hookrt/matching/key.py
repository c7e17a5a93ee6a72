"""The `by` of `order`, `dedupe`, `debounce` and `throttle`: a CEL expression whose value is the key of an event."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from hookrt.errors import ExpressionError
from hookrt.matching.condition import compile_bare
from hookrt.matching.names import Names
from hookrt.matching.paths import format_path, show
from hookrt.matching.program import Program
from hookrt.matching.results import as_text, json_type
from hookrt.model.hook import Scope

MAX_KEY = 200
"""Characters of a key that is kept as it is; of a longer one, or one that cannot be printed, only the hash is kept."""

_FIT = (None, "string", "integer", "number", "boolean")


@dataclass(frozen=True, slots=True)
class CelKey:
    """A compiled `by`: the model's Key."""

    text: str
    program: Program

    def of(self, scope: Scope) -> str:
        """The key; raises ExpressionError, naming the part, when there is none."""
        value = self.program.evaluate(scope)
        if isinstance(value, str | int | float):
            return key_text(value)
        what = format_path(self.program.path) if self.program.path else "the key"
        raise ExpressionError(f"{what} is {show(value)}: a key is text, a number, true or false")


def compile_key(text: str, names: Names) -> CelKey:
    """Compile a `by`, bare or as one `${{ }}`.

    Raises ExpressionError, with line and column in `text`, as a condition does, and for a type that no key has.
    """
    return CelKey(text, compile_bare(text, "a key", names, _check_type))


def key_text(value: Any) -> str:
    """The key of a text, a number or a bool: 7, 7.0 and "7" are one key, and so are true and "true"."""
    text = as_text(value)
    if len(text) <= MAX_KEY and text.isprintable():
        return text
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _check_type(program: Program) -> None:
    kind = json_type(program.type_name)
    if kind not in _FIT:
        article = "an" if kind in ("object", "array") else "a" if kind != "null" else ""
        raise ExpressionError(f"a key is text, a number, true or false; this is {article} {kind}".replace("  ", " "))
