"""Snippets in files of their own: checked, served, changed while `hookrt run` runs, and named by their errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Attempt = Callable[[Any, str], dict[str, Any]]
Until = Callable[..., Any]
Service = Any

HOOKS = """\
hooks:
  shape:
    on: Order.*
    steps:
      - python: {file: snippets/shape.py}
  inline:
    on: Other.*
    steps:
      - python: |
          def run(event, ctx):
              ctx.log("before"); print("printed")

              return event["data"]["nope"]
        retry: none
"""

SHAPE = """\
import json

def run(event, ctx):
    print("the first")
    return json.loads("{}")
"""


@pytest.fixture
def attempt(until: Until) -> Attempt:
    """The attempt of the delivery that a new event leads to, once it is final."""

    def make(service: Service, event_type: str) -> dict[str, Any]:
        answer = service.post("/v1/events", {"type": event_type, "data": {}})
        assert answer.status_code == 202
        [delivery] = answer.json()["deliveries"]
        until(lambda: service.delivery(delivery)["status"] in {"succeeded", "dead"})
        [made] = service.delivery(delivery)["attempts"]
        return dict(made)

    return make


@pytest.fixture
def snippet(tmp_path: Path) -> Path:
    """The file that hooks.yaml names."""
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    (tmp_path / "snippets").mkdir()
    file = tmp_path / "snippets" / "shape.py"
    file.write_text(SHAPE)
    return file


@pytest.fixture
def service(serve: Callable[..., Any], snippet: Path) -> Service:
    """`hookrt run` with that file."""
    return serve("--port", "0")


def test_a_changed_snippet_file_is_taken_up_while_the_service_runs(
    service: Service, snippet: Path, attempt: Attempt
) -> None:
    assert attempt(service, "Order.Paid")["logs"] == ["the first"]
    snippet.write_text(SHAPE.replace("first", "second"))
    told = json.loads(service.running.wait_for("config-reloaded"))
    assert told["changes"] == "1 hook changed (shape)"
    assert attempt(service, "Order.Paid")["logs"] == ["the second"]
    other = snippet.with_name("other")
    other.write_text(SHAPE.replace("first", "third"))
    other.rename(snippet)
    service.running.wait_for("config-reloaded")
    assert attempt(service, "Order.Paid")["logs"] == ["the third"]


def test_a_broken_or_absent_snippet_file_changes_nothing_and_can_be_mended(
    service: Service, snippet: Path, attempt: Attempt
) -> None:
    snippet.write_text(SHAPE + "x = = 1\n")
    told = json.loads(service.running.wait_for("config-rejected"))
    assert told["problems"].startswith("snippets/shape.py:6:5: error: syntax error")
    assert attempt(service, "Order.Paid")["logs"] == ["the first"]
    snippet.unlink()
    told = json.loads(service.running.wait_for("config-rejected"))
    assert "there is no file 'snippets/shape.py'" in told["problems"]
    assert attempt(service, "Order.Paid")["logs"] == ["the first"]
    snippet.write_text(SHAPE.replace("first", "second"))
    service.running.wait_for("config-reloaded")
    assert attempt(service, "Order.Paid")["logs"] == ["the second"]


def test_an_error_of_a_snippet_names_the_line_of_the_file_that_it_stands_in(
    service: Service, snippet: Path, attempt: Attempt
) -> None:
    inline = attempt(service, "Other.Thing")
    assert inline["message"] == 'hooks.yaml:13: KeyError: \'nope\' | return event["data"]["nope"]'
    assert inline["logs"] == ["info: before", "printed"]
    snippet.write_text(SHAPE.replace("{}", "{"))
    service.running.wait_for("config-reloaded")
    message = attempt(service, "Order.Paid")["message"]
    assert message.startswith("snippets/shape.py:5: JSONDecodeError: Expecting property name")
    assert message.endswith(' | return json.loads("{")')
    assert "Traceback" not in message


def test_check_places_errors_in_the_snippets_own_file(hookrt: Callable[..., Any], snippet: Path) -> None:
    assert hookrt("check").returncode == 0
    snippet.write_text("def run(event, ctx):\n    import os\n    return = 1\n")
    done = hookrt("check")
    assert done.returncode == 1
    assert "snippets/shape.py:3:12: error: syntax error: invalid syntax (in the hook 'shape', hooks.yaml:5:9)" in (
        done.stdout
    )
    assert "    3 |     return = 1\n      |            ^\n" in done.stdout
    told = json.loads(hookrt("check", "-o", "json").stdout)
    assert [(one["file"], one["line"], one["column"]) for one in told["problems"]] == [("snippets/shape.py", 3, 12)]
    snippet.write_text("def run(event, ctx):\n    import os\n    return 1\n")
    assert "snippets/shape.py:2:5: error: the module 'os' is not available in snippets" in hookrt("check").stdout


def test_check_finds_a_missing_snippet_file_and_says_which_was_meant(hookrt: Callable[..., Any], snippet: Path) -> None:
    snippet.rename(snippet.with_name("shapes.py"))
    done = hookrt("check")
    assert done.returncode == 1
    assert "hooks.yaml:5:24: error: `file`: there is no file 'snippets/shape.py'" in done.stdout
    assert "did you mean 'snippets/shapes.py'?" in done.stdout


def test_the_path_is_relative_to_hooks_yaml_wherever_the_command_runs(
    serve: Callable[..., Any], hookrt: Callable[..., Any], snippet: Path, tmp_path: Path, attempt: Attempt
) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "hooks.yaml").rename(tmp_path / "deploy" / "hooks.yaml")
    (tmp_path / "snippets").rename(tmp_path / "deploy" / "snippets")
    assert hookrt("check", "deploy").returncode == 0
    service = serve("deploy/hooks.yaml", "--port", "0")
    assert attempt(service, "Order.Paid")["logs"] == ["the first"]
