"""Compiling what somebody wrote: conditions and templates, their errors placed inside the YAML line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from hookrt.config.cut_text import HINT, comment_behind, warn_if_cut
from hookrt.config.nodes import TextNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.text_position import locate
from hookrt.errors import ExpressionError
from hookrt.matching.attribute import CelAttribute, compile_attribute
from hookrt.matching.condition import CelCondition, compile_condition
from hookrt.matching.key import CelKey, compile_key
from hookrt.matching.names import Names
from hookrt.matching.template import Template, compile_template, find_expression, find_faults
from hookrt.plugin.registry import Registry

T = TypeVar("T")


def names_for(registry: Registry) -> Names:
    """The names that every expression sees, with the functions that plugins brought."""
    return Names(functions=registry.functions, missing=registry.why_no_function())


def compile_when(node: TextNode, names: Names, log: ProblemLog) -> CelCondition | None:
    """The condition of a `when`; None, and it is reported, when it is none."""
    return _compiled(node, compile_condition, names, log)


def compile_by(node: TextNode, names: Names, log: ProblemLog) -> CelKey | None:
    """The key of a `by`; None, and it is reported, when it is none."""
    return _compiled(node, compile_key, names, log)


def compile_of_request(node: TextNode, names: Names, log: ProblemLog) -> CelAttribute | None:
    """The `type`, `subject` or `id` of a source; None, and it is reported, when it is none."""
    return _compiled(node, compile_attribute, replace(names, request=True), log)


def _compiled(node: TextNode, make: Callable[[str, Names], T], names: Names, log: ProblemLog) -> T | None:
    try:
        made = make(node.text, names)
    except ExpressionError as error:
        report_expression(node, error, log)
        return None
    warn_if_cut(node, log, expression=True)
    return made


def compile_setting(node: TextNode, names: Names, log: ProblemLog) -> Template | None:
    """The template of a text that holds `${{`; None, and every fault is reported, when it does not compile."""
    try:
        template = compile_template(node.text, names)
    except ExpressionError:
        for fault in find_faults(node.text, names):
            report_expression(node, fault, log)
        return None
    warn_if_cut(node, log)
    return template


def report_expression(node: TextNode, error: ExpressionError, log: ProblemLog) -> None:
    """Report an error of an expression at its own place inside the YAML text."""
    span = locate(node, error.line, error.column or 1) if error.line is not None else node.span
    log.error(span, error.message, HINT if comment_behind(node) else None)


def refuse_expression(node: TextNode, what: str, log: ProblemLog, hint: str) -> bool:
    """Whether an expression stands in a text that takes none; reported at the expression."""
    found = find_expression(node.text)
    if found is None:
        return False
    log.error(locate(node, *found, width=3), f"{what} takes no `${{{{ }}}}`", hint)
    return True
