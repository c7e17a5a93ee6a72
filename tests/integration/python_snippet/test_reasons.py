"""Every end of a run by its name, through the engine, and the line of hooks.yaml that each of them names."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookrt import Runtime
from hookrt.actions.python_snippet.action import PythonSnippet
from hookrt.model.attempt import Attempt

Attempting = Callable[..., Attempt]

HOOKS = """\
service: {{actions: {{python: {{spares: 0, timeout: 1s}}}}}}
hooks:
  shape:
    on: Order.Created
    retry: none
    steps:
      - python:
          code: |
{code}
          {settings}
"""
CODE_LINE = 9
"""The line of hooks.yaml in which the code begins."""


@pytest.fixture
def attempt(tmp_path: Path) -> Attempting:
    """The one attempt that a real runtime makes with this code."""

    def made(code: str, settings: str = "memory: 128MiB", name: str = "order-1") -> Attempt:
        indented = "\n".join("            " + line for line in code.splitlines())
        (tmp_path / "hooks.yaml").write_text(HOOKS.format(code=indented, settings=settings))

        async def story() -> Attempt:
            async with Runtime.from_file(tmp_path / "hooks.yaml", store="memory:", env={}) as runtime:
                receipt = await runtime.emit("Order.Created", {"name": name})
                await receipt.wait(30)
                [found] = await runtime.store.attempts(receipt.deliveries[0])
                return found

        return asyncio.run(story())

    return made


def told_at(attempt: Attempt, line: int, message: str, excerpt: str) -> None:
    """It names this line of the code as one of hooks.yaml, with its text, and shows nothing of the host."""
    assert attempt.message is not None
    assert re.fullmatch(
        rf"\S*hooks\.yaml:{CODE_LINE + line - 1}: {message} \| {re.escape(excerpt)}", attempt.message
    ), attempt.message
    for frame in ("Traceback", ".py", 'File "', "worker/", "RestrictedPython"):
        assert frame not in attempt.message


def test_timeout(attempt: Attempting) -> None:
    made = attempt("def run(event, ctx):\n    while True:\n        pass")
    assert (made.outcome, made.reason) == ("retry", "timeout")
    assert made.message is not None
    assert "the run took longer than its timeout" in made.message
    assert re.search(rf"hooks\.yaml:({CODE_LINE + 1}|{CODE_LINE + 2}): ", made.message)


def test_timeout_of_what_only_a_kill_ends(attempt: Attempting) -> None:
    made = attempt("import itertools\nresult = sum(itertools.repeat(1))")
    assert (made.outcome, made.reason) == ("retry", "timeout")
    assert made.message == "the run took longer than its timeout and was killed (timeout: 1s)"


def test_memory(attempt: Attempting) -> None:
    made = attempt("kept = []\nwhile True:\n    kept.append('x' * 10**6)\nresult = 1")
    assert (made.outcome, made.reason) == ("retry", "memory")
    told_at(made, 3, r"the run needs more memory than its limit \(memory: 128MiB\)", "kept.append('x' * 10**6)")


def test_output_limited(attempt: Attempting) -> None:
    made = attempt("while True:\n    print('x' * 1000)\nresult = 1")
    assert (made.outcome, made.reason) == ("retry", "output_limited")
    told_at(made, 2, r"the run printed more than its limit \(output: 64KiB\)", "print('x' * 1000)")
    assert made.logs[0] == "x" * 1000


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("result = {1, 2}", "the result is a set: return plain values only"),
        ("result = 'x' * 10**6", "the result has more than 262,144 bytes as JSON"),
        ("result = 1\nfor _ in range(33):\n    result = [result]", "the result is nested more than 32 levels deep"),
        ("result = 2 ** 300", "the result is a number of more than 256 bits"),
        ("result = float('inf')", "the result is inf, which JSON does not have"),
    ],
)
def test_bad_result(attempt: Attempting, code: str, message: str) -> None:
    made = attempt(code)
    assert (made.outcome, made.reason) == ("reject", "bad_result")
    assert made.message is not None
    assert made.message.startswith(message)


def test_crashed(attempt: Attempting) -> None:
    made = attempt("x = ()\nfor i in range(300000):\n    x = (x,)\nresult = hash(x)")
    assert (made.outcome, made.reason) == ("retry", "crashed")
    assert made.message == "the worker process was ended by SIGSEGV"


def test_denied(attempt: Attempting) -> None:
    made = attempt("x = 1\nresult = str(getattr(x, '__' + 'class__'))")
    assert (made.outcome, made.reason) == ("reject", "denied")
    told_at(made, 2, ".*__class__.*", "result = str(getattr(x, '__' + 'class__'))")


def test_rejected(attempt: Attempting) -> None:
    made = attempt("if event['data'].get('never'):\n    result = 1")
    assert (made.outcome, made.reason) == ("reject", "rejected")
    assert made.message is not None
    assert "result" in made.message


def test_error(attempt: Attempting) -> None:
    made = attempt("def run(event, ctx):\n    name = event['data']['name']\n    return int(name)")
    assert (made.outcome, made.reason) == ("retry", "error")
    told_at(made, 3, r"ValueError: invalid literal for int\(\) with base 10: 'order-1'", "return int(name)")


def test_an_error_below_the_library_is_at_the_snippets_own_innermost_line(attempt: Attempting) -> None:
    made = attempt(
        "import json\n\ndef read(text):\n    return json.loads(text)\n\ndef run(event, ctx):\n    return read('{')"
    )
    assert made.reason == "error"
    told_at(made, 4, "JSONDecodeError: Expecting property name.*", "return json.loads(text)")


def test_an_error_in_a_guard_of_ours_is_at_the_snippets_line(attempt: Attempting) -> None:
    made = attempt("def run(event, ctx):\n    rows = sorted([1, 'a'])\n    return rows")
    told_at(made, 2, "TypeError: .*", "rows = sorted([1, 'a'])")
    made = attempt("def run(event, ctx):\n    return '{0.x}'.format(1)")
    assert made.message is not None
    assert f"hooks.yaml:{CODE_LINE + 1}: " in made.message


def test_what_is_printed_and_logged_is_in_the_log_of_the_attempt(attempt: Attempting) -> None:
    made = attempt("print('one')\nctx.log('two', 'warning', n=2)\nresult = 1")
    assert (made.outcome, made.logs) == ("done", ("one", "warning: two n=2"))


def test_the_time_of_the_service_is_that_of_steps_without_one(tmp_path: Path, attempt: Attempting) -> None:
    code = (
        "import time\ndef run(event, ctx):\n    end = time.monotonic() + 1.6\n"
        "    while time.monotonic() < end:\n        pass\n    return 1"
    )
    assert attempt(code).reason == "timeout"
    text = (tmp_path / "hooks.yaml").read_text()
    assert "timeout: 1s" in text
    assert attempt(code, "memory: 128MiB\n        timeout: 4s").outcome == "done"


def test_every_reason_that_the_issue_of_a_run_can_have_is_documented() -> None:
    named: dict[str, Any] = dict.fromkeys(
        ["timeout", "memory", "output_limited", "bad_result", "crashed", "denied", "rejected", "error"]
    )
    assert named.keys() <= PythonSnippet.reasons.keys()
