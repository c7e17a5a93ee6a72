"""How the tests of hooks look: a line each, what was not as expected with its place, and a count."""

from __future__ import annotations

from typing import Any

from hookrt.cli.problem_view import problem_as_json, show_problems
from hookrt.cli.render import Piece, Screen
from hookrt.cli.wording import counted, milliseconds
from hookrt.proving.comparison import ABSENT
from hookrt.proving.results import Mismatch, Report, TestResult

MOST_NAMED = 10
"""So many hooks without tests are named."""


def show_report(screen: Screen, report: Report, *, detailed: bool = True) -> None:
    """Every test on a line of its own, with `detailed` what was not as expected below it, and the count at the end."""
    for result in report.results:
        word: Piece = ("passed", "green") if result.passed else ("FAILED", "bold red")
        took = (f"  {milliseconds(result.duration_ms)}", "dim")
        screen.line(word, f"  {result.test.hook}: ", (result.test.name, "bold"), took)
        if detailed and not result.passed:
            screen.line()
            show_problems(screen, [mismatch.problem for mismatch in result.mismatches])
    if report.results:
        screen.line(*_count(report))
    else:
        screen.line(("no tests: write some below `tests:` of a hook", "yellow"))
    if report.untested and report.results:
        named = ", ".join(report.untested[:MOST_NAMED]) + (", …" if len(report.untested) > MOST_NAMED else "")
        without = counted(len(report.untested), "hook has no test", "hooks have no tests")
        screen.line((f"{without}: {named}", "dim"))


def report_as_json(report: Report) -> dict[str, Any]:
    """The report for programs."""
    return {
        "passed": len(report.results) - report.failed,
        "failed": report.failed,
        "duration_ms": round(report.duration_ms, 3),
        "tests": [_result_as_json(result) for result in report.results],
        "untested": list(report.untested),
    }


def _count(report: Report) -> list[Piece]:
    passed = len(report.results) - report.failed
    pieces: list[Piece] = [(f"{passed} passed", "bold green" if not report.failed else "green")]
    if report.failed:
        pieces += [", ", (f"{report.failed} failed", "bold red")]
    return [*pieces, f" in {milliseconds(report.duration_ms)}"]


def _result_as_json(result: TestResult) -> dict[str, Any]:
    place = result.test.written.place
    return {
        "hook": result.test.hook,
        "name": result.test.name,
        "passed": result.passed,
        "duration_ms": round(result.duration_ms, 3),
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "mismatches": [_mismatch_as_json(mismatch) for mismatch in result.mismatches],
    }


def _mismatch_as_json(mismatch: Mismatch) -> dict[str, Any]:
    found = problem_as_json(mismatch.problem)
    found["subject"] = mismatch.subject
    if mismatch.compared:
        found["expected"] = mismatch.expected
        found["actual"] = None if mismatch.actual is ABSENT else mismatch.actual
    return found
