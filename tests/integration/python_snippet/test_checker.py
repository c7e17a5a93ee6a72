"""What a check of hooks.yaml says of a snippet, compiled in a worker process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from hookrt.actions.python_snippet import checker as checker_module
from hookrt.actions.python_snippet.action import PythonSnippet
from hookrt.actions.python_snippet.checker import Checker
from hookrt.actions.python_snippet.settings import PythonSettings
from hookrt.plugin import PluginError, SettingsProblem


@pytest.fixture
def checker() -> Iterator[Checker]:
    made = Checker()
    yield made
    made.close()


def problems(code: str) -> list[SettingsProblem]:
    return list(PythonSnippet().check(PythonSettings(code=code)))


def test_a_good_snippet_has_no_problem() -> None:
    assert problems("import json\ndef run(event, ctx):\n    return json.dumps(event)") == []


def test_a_snippet_that_does_not_compile_is_a_problem_at_its_own_line() -> None:
    [problem] = problems("def run(event, ctx):\n    x = (1,\n    return x")
    assert (problem.path, problem.line, problem.column) == (("code",), 2, 9)
    assert problem.message == "syntax error: '(' was never closed"
    assert problem.excerpt == "    x = (1,"


def test_every_violation_of_the_policy_is_named_with_line_and_column() -> None:
    found = problems("def run(event, ctx):\n    é = event._x\n    async def f(): pass\n    return é.__class__")
    assert [(problem.line, problem.column) for problem in found] == [(2, 9), (3, 5), (4, 12)]


def test_a_snippet_without_run_or_result_is_a_problem() -> None:
    [problem] = problems("x = 1")
    assert "def run(event, ctx):" in problem.message


def test_a_module_that_does_not_exist_for_snippets_comes_with_a_hint() -> None:
    [problem] = problems("import jsn\nresult = 1")
    assert (problem.message, problem.hint) == ("the module 'jsn' is not available in snippets", "did you mean json?")
    [problem] = problems("from json import load\nresult = 1")
    assert (problem.message, problem.hint) == ("json.load is not available in snippets", "did you mean loads?")


def test_an_import_that_the_snippet_guards_is_its_own_business() -> None:
    assert problems("try:\n    import yaml\nexcept ImportError:\n    yaml = None\nresult = 1") == []


def test_a_builtin_that_snippets_do_not_have_is_a_problem_unless_it_is_defined() -> None:
    [problem] = problems("def run(event, ctx):\n    return open('x')")
    assert (problem.message, problem.line, problem.column) == ("'open' is not available in snippets", 2, 12)
    assert problems("def open(x):\n    return x\nresult = open(1)") == []


def test_run_must_take_event_and_ctx() -> None:
    for signature in ("event", "", "event, ctx, more", "event, *, ctx"):
        [problem] = problems(f"def run({signature}):\n    return 1")
        assert "def run(event, ctx):" in problem.message
    for signature in ("event, ctx", "e, c=None", "*args", "event, ctx, more=1", "event, /, ctx"):
        assert problems(f"def run({signature}):\n    return 1") == []


def test_one_worker_compiles_all_snippets_and_each_text_once(checker: Checker) -> None:
    assert checker.pid is None
    checker.check("result = 1")
    first = checker.pid
    checker.check("result = 2")
    assert first is not None
    assert checker.pid == first
    os.kill(first, signal.SIGKILL)
    assert checker.check("result = 2") == ()


def test_a_worker_that_was_begun_compiles_the_first_snippet(checker: Checker) -> None:
    checker.begin()
    begun = checker.pid
    assert begun is not None
    checker.begin()
    assert checker.check("result = 1") == ()
    assert checker.pid == begun


def test_no_worker_is_begun_once_snippets_are_known(checker: Checker) -> None:
    checker.check("result = 1")
    checker.close()
    checker.begin()
    assert checker.pid is None


def test_a_worker_that_dies_before_it_is_ready_is_one_sentence(checker: Checker) -> None:
    checker.begin()
    assert checker.pid is not None
    os.kill(checker.pid, signal.SIGKILL)
    with pytest.raises(PluginError, match="did not start"):
        checker.check("result = 1")
    assert checker.check("result = 1") == ()


@pytest.mark.parametrize(
    "code",
    ["x = " + "(" * 5000, "result = event" + ".a" * 20000, "result = " + "-" * 30000 + "1", "result = '" + "x" * 70000],
)
def test_a_snippet_that_breaks_the_compiler_is_a_problem_and_costs_only_the_worker(checker: Checker, code: str) -> None:
    assert len(checker.check(code)) >= 1
    assert checker.check("result = 1") == ()


def test_a_worker_that_died_is_replaced(checker: Checker) -> None:
    checker.check("result = 1")
    assert checker.pid is not None
    os.kill(checker.pid, signal.SIGKILL)
    assert checker._child is not None
    checker._child.process.wait()
    assert checker.check("result = 2") == ()


def test_a_worker_that_hangs_from_what_was_before_does_not_count_against_the_next_snippet(
    checker: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker_module, "PATIENCE", 2.0)  # and a second to answer
    checker.check("result = 1")
    assert checker.pid is not None
    os.kill(checker.pid, signal.SIGSTOP)
    assert checker.check("result = 2") == ()


def test_the_worker_is_ended_when_nothing_more_is_asked(eventually: Any, is_alive: Any) -> None:
    checker = Checker(idle=0.1)
    checker.check("result = 1")
    pid = checker.pid
    assert pid is not None
    asyncio.run(eventually(lambda: checker.pid is None and not is_alive(pid)))
    assert checker.check("result = 2") == ()
    checker.close()


def test_half_a_surrogate_pair_is_a_problem(checker: Checker) -> None:
    [finding] = checker.check("result = '\ud800'")
    assert "surrogate" in finding.message
