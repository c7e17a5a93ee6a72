"""How the problems of a configuration look: their place, the line with its caret, the way out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

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
    """The lines of `str(problem)`, the severity and the caret in the severity's colour."""
    style = _STYLES[problem.severity]
    first, *rest = str(problem).expandtabs().split("\n")
    place = f"{problem.place}: "
    word = f"{problem.severity.value}: "
    if first.startswith(place + word):
        screen.line((place, "bold"), (word, style), first[len(place + word) :])
    else:
        screen.line(first)
    for line in rest:
        caret = line.lstrip(" |").startswith("^")
        hint = line.lstrip().startswith("hint: ")
        screen.line((line, style if caret else "cyan" if hint else ""))
