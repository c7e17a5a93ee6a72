"""How the problems of a configuration look: their place, the line with its caret, the way out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from hookrt.cli.excerpt import cut_out
from hookrt.cli.render import Screen, annotation
from hookrt.cli.wording import counted
from hookrt.model.problem import Problem, Severity

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}


def show_problems(screen: Screen, problems: Sequence[Problem]) -> None:
    """Every problem in full, each followed by an empty line."""
    for problem in problems:
        _show(screen, problem)
        screen.line()


def annotate_problems(screen: Screen, problems: Sequence[Problem]) -> None:
    """Every problem as an annotation that GitHub shows at its line."""
    for problem in problems:
        message = problem.message + (f"\nhint: {problem.hint}" if problem.hint else "")
        place = problem.place
        if place.line:
            screen.raw(annotation(problem.severity.value, message, file=place.file, line=place.line, col=place.column))
        else:
            screen.raw(annotation(problem.severity.value, f"{place}: {message}"))


def count_problems(problems: Sequence[Problem]) -> str:
    """`2 errors, 1 warning`; only what there is."""
    errors, warnings = (sum(problem.severity is severity for problem in problems) for severity in Severity)
    counts = [counted(errors, "error")] if errors else []
    return ", ".join(counts + ([counted(warnings, "warning")] if warnings else [])) or "no problems"


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """A problem for programs."""
    place = dataclasses.asdict(problem.place)
    return {
        **place,
        "severity": problem.severity.value,
        "message": problem.message,
        "hint": problem.hint,
        "line_text": problem.line_text,
    }


def _show(screen: Screen, problem: Problem) -> None:
    """As `str(problem)`, the severity and the caret in the severity's colour, a long line cut around the place."""
    style = _STYLES[problem.severity]
    place, word = f"{problem.place}: ", f"{problem.severity.value}: "
    first, *rest = problem.message.expandtabs().split("\n")
    screen.line((place, "bold"), (word, style), first)
    for line in rest:
        screen.line(line)
    if problem.line_text is not None:
        number = f"{problem.place.line:5} | "
        excerpt = cut_out(problem, screen.width - len(number))
        screen.line(number, excerpt.line)
        screen.line(" " * (len(number) - 3), (f" | {excerpt.marks}", style))
    if problem.hint:
        for line in f"        hint: {problem.hint}".expandtabs().split("\n"):
            screen.line((line, "cyan"))
