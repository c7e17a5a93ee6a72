"""Errors as sentences: no traceback reaches a user."""

from __future__ import annotations

import errno
import os

import pytest

from hookrt.cli.failures import EXIT_INTERRUPTED, EXIT_PROBLEMS, error_id, report_failure, report_stray
from hookrt.errors import ConfigError, HookrtError, StoreLocked
from hookrt.model.hook import Place
from hookrt.model.problem import Problem


def _reported(error: BaseException, capsys: pytest.CaptureFixture[str], *, debug: bool = False) -> tuple[int, str]:
    code = report_failure(error, ["run", "my hooks.yaml"], debug=debug)
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, captured.err


def _raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.ENOENT, "hooks.yaml: there is no such file or folder"),
        (errno.EACCES, "hooks.yaml: permission denied"),
        (errno.EROFS, "hooks.yaml: the disk is read-only"),
        (errno.ENOSPC, "hooks.yaml: no space left on the disk"),
        (errno.EISDIR, "hooks.yaml: it is a folder, a file is needed"),
        (errno.EADDRINUSE, "hooks.yaml: the port is in use"),
        (errno.EBADF, "hooks.yaml: Bad file descriptor"),
    ],
)
def test_what_the_system_refuses_is_one_sentence(code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, shown = _reported(OSError(code, os.strerror(code), "hooks.yaml"), capsys)
    assert exit_code == EXIT_PROBLEMS
    assert shown.startswith(f"hookrt: {said}")
    assert len(shown.splitlines()) == 1


def test_an_error_of_hookrt_says_its_own_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert _reported(StoreLocked("process 4711 delivers from it"), capsys) == (
        EXIT_PROBLEMS,
        "hookrt: process 4711 delivers from it\n",
    )


def test_further_lines_of_an_error_are_kept_and_indented(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown = _reported(HookrtError("first\nsecond \x1b"), capsys)
    assert shown == "hookrt: first\n  second \\x1b\n"


def test_all_problems_of_a_configuration_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    place = Place("hooks.yaml", 3, 5)
    error = ConfigError([Problem(place, "unknown key 'ons'", "  ons: A", "did you mean 'on'?"), Problem(place, "two")])
    code, shown = _reported(error, capsys)
    assert code == EXIT_PROBLEMS
    assert "hooks.yaml:3:5: error: unknown key 'ons'" in shown
    assert "did you mean 'on'?" in shown
    assert shown.endswith("hookrt: the configuration cannot be used: 2 errors\n")


def test_an_error_inside_a_group_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    inner = ExceptionGroup("tasks", [ValueError("x"), ExceptionGroup("more", [StoreLocked("taken")])])
    assert _reported(inner, capsys) == (EXIT_PROBLEMS, "hookrt: taken\n")


def test_a_bug_is_one_line_with_an_id_and_the_way_to_its_details(capsys: pytest.CaptureFixture[str]) -> None:
    error = _raised(ZeroDivisionError("secret value"))
    code, shown = _reported(error, capsys)
    assert code == EXIT_PROBLEMS
    assert len(shown.splitlines()) == 1
    assert error_id(error) in shown
    assert "hookrt --debug run 'my hooks.yaml'" in shown
    assert "Traceback" not in shown
    assert "secret value" not in shown


def test_the_id_of_a_bug_is_the_same_wherever_it_comes_from_the_same_place() -> None:
    first, second = (_raised(ZeroDivisionError(text)) for text in ("a", "b"))
    assert error_id(first) == error_id(second)
    assert error_id(first) != error_id(_raised(KeyError("a")))


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown = _reported(_raised(ZeroDivisionError()), capsys, debug=True)
    assert "Traceback" in shown


def test_an_interrupt_is_silent_and_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert _reported(KeyboardInterrupt(), capsys) == (EXIT_INTERRUPTED, "")


def test_lack_of_memory_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert _reported(MemoryError(), capsys) == (EXIT_PROBLEMS, "hookrt: there is not enough memory for this\n")


def test_an_error_that_nobody_could_catch_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    report_stray(_raised(ZeroDivisionError("secret value")))
    report_stray(StoreLocked("taken\nby another"))
    report_stray(KeyboardInterrupt())
    first, second = capsys.readouterr().err.splitlines()
    assert "(ZeroDivisionError): this is a bug" in first
    assert second == "hookrt: taken"
