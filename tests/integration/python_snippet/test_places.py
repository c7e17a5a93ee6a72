"""What the action says of a run, with the snippet's line in the file that it stands in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hookrt.actions.python_snippet.action import MAX_EXCERPT, PythonSnippet
from hookrt.actions.python_snippet.settings import PythonSettings
from hookrt.config.load import LoadOptions, load_or_raise
from hookrt.model.outcome import Outcome
from hookrt.plugin.manager import load_plugins
from hookrt.testing import call_for, open_action


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the one step of a hooks.yaml with these settings (line 5, column 17) once."""
    monkeypatch.chdir(tmp_path)

    def go(settings: str) -> Outcome:
        text = f"hooks:\n  one:\n    on: A\n    steps:\n      - python: {settings}\n"
        Path("hooks.yaml").write_text(text)
        [hook] = load_or_raise(Path("hooks.yaml"), LoadOptions(load_plugins())).hooks
        [step] = hook.steps

        async def story() -> Outcome:
            async with open_action(PythonSnippet, service_settings={"spares": 0}) as action:
                call = call_for(PythonSnippet, step.settings.render(None))  # type: ignore[arg-type]
                call.written = step.written
                return await action.run(call)

        return asyncio.run(story())

    return go


LITERAL = "|\n          def run(event, ctx):\n\n              return event['x']"
QUOTED = "{code: \"def run(event, ctx):\\n  return event['x']\"}"
BELOW = "\n          code: |-\n\n            def run(event, ctx):\n              return event['x']"


@pytest.mark.parametrize(("settings", "line"), [(LITERAL, 8), (QUOTED, 5), (BELOW, 9)])
def test_an_error_of_an_inline_snippet_carries_its_line_of_hooks_yaml(run: Any, settings: str, line: int) -> None:
    outcome = run(settings)
    assert outcome.reason == "error"
    assert outcome.message.startswith(f"hooks.yaml:{line}: KeyError: 'x' | ")
    assert "return event['x']" in outcome.message


def test_an_error_of_a_snippet_in_a_file_carries_its_line_of_that_file(run: Any) -> None:
    Path("shape.py").write_text("\n\ndef run(event, ctx):\n    return event['x']\n")
    assert run("{file: shape.py}").message == "shape.py:4: KeyError: 'x' | return event['x']"


def test_an_error_is_one_line_and_shows_no_more_than_the_begin_of_a_long_one(run: Any) -> None:
    Path("shape.py").write_text(f"x = 1\nraise ValueError('a' + chr(10))  # {'x' * 500}\nresult = 1\n")
    message = run("{file: shape.py}").message
    assert message.startswith("shape.py:2: ValueError: a\\n | raise ValueError('a' + chr(10))  # xxx")
    assert message.endswith("x…")
    assert len(message) < MAX_EXCERPT + 50
    assert "\n" not in message


def test_a_run_that_is_stopped_names_the_line_too(run: Any) -> None:
    Path("shape.py").write_text("result = 1\nprint('x' * 100)\n")
    message = run("{file: shape.py, output: 64B}").message
    assert message == "shape.py:2: the run printed more than its limit (output: 64B) | print('x' * 100)"


def test_a_path_in_the_place_of_the_code_is_told_apart(tmp_path: Path) -> None:
    [problem] = PythonSnippet().check(PythonSettings(code="snippets/shape.py\n"))
    assert problem.message == "this is the path of a file, not a snippet"
    assert problem.hint == "write it as `file`: `python: {file: ...}`"
