"""What became of each part of a condition, with the values that it looked at."""

from __future__ import annotations

from collections.abc import Sequence

from hookrt.errors import ExpressionError
from hookrt.matching.failures import describe_miss
from hookrt.matching.names import Names
from hookrt.matching.paths import Miss, follow, format_path, show
from hookrt.matching.program import Program, compile_program
from hookrt.matching.scanner import split_parts
from hookrt.matching.survey import Mention
from hookrt.model.hook import Finding, Scope


def explain_parts(program: Program, names: Names, scope: Scope) -> list[Finding]:
    """A finding for each operand of the outermost `&&`, `||` and `!( )`, each followed by the paths it mentions."""
    findings: list[Finding] = []
    for part in split_parts(program.text):
        findings += _explain_part(compile_program(part, names), scope)
    return findings


def _explain_part(part: Program, scope: Scope) -> list[Finding]:
    try:
        found = Finding(part.text, show(part.evaluate(scope)))
    except ExpressionError as error:
        found = Finding(part.text, "unanswerable", error.message)
    paths = {mention.path: mention for mention in part.paths if format_path(mention.path) != part.text}
    return [found, *(_explain_path(mention, scope) for mention in paths.values() if mention.path[0] != "secrets")]


def _explain_path(mention: Mention, scope: Scope) -> Finding:
    written = format_path(mention.path)
    value = follow(scope, mention.path)
    if not isinstance(value, Miss):
        return Finding(written, show(value))
    return Finding(written, "missing", describe_miss(mention.path, value))


def summarize(findings: Sequence[Finding]) -> str:
    """The parts that are false, each with the values it looked at, in one line; empty when no part is."""
    said: list[str] = []
    part = ""
    for finding in findings:
        if part and finding.expression in part:  # a path, which follows the part that mentions it
            if said and said[-1].startswith(f"{part} is false"):
                said[-1] += f", {finding.expression} is {finding.value}"
            continue
        part = finding.expression
        if finding.value == "false":
            said.append(f"{part} is false")
    return "; ".join(said[:3])
