"""The reference that the documentation generates: complete, and nothing in it without a word of what it means."""

from __future__ import annotations

import asyncio
import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from hookrt.actions.python_snippet.action import PythonSnippet
from hookrt.actions.python_snippet.worker.modules import MODULES
from hookrt.actions.python_snippet.worker.offer import BUILTINS
from hookrt.cli.lazy_group import COMMANDS
from hookrt.config.environment import CLIENT_VARIABLES, known_variables
from hookrt.config.hook_tests import TEST_KEYS
from hookrt.config.hooks_file import HOOK_KEYS
from hookrt.config.service import ServiceSettings
from hookrt.config.step_examples import ANSWER_KEYS, EXAMPLE_KEYS, REQUEST_KEYS
from hookrt.config.steps import STEP_KEYS
from hookrt.matching.names import FUNCTIONS
from hookrt.model.outcome import Outcome, OutcomeKind
from hookrt.plugin.manager import load_plugins
from hookrt.testing import call_for, open_action
from hookrt.web.api.app import build_api
from hookrt.web.faults import Faults
from hookrt.web.options import WebOptions

DOCS = Path(__file__).parents[2] / "docs"
SOURCE = DOCS.parent / "hookrt" / "observability" / "metrics.py"


def from_docs(module: str) -> Any:
    sys.path.insert(0, str(DOCS))
    try:
        return importlib.import_module(module)
    finally:
        sys.path.remove(str(DOCS))


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    generate = from_docs("generate")
    return {name: "\n".join(lines) for name, lines in generate.pages().items()}


def rows(page: str, title: str | None = None) -> dict[str, list[str]]:
    """The cells of the rows of a page or of one of its sections, by the first."""
    text = page if title is None else page.partition(f"## {title}\n")[2].partition("\n## ")[0]
    cells = [re.split(r"(?<!\\) *\| *", line.strip("| ")) for line in text.splitlines() if line.startswith("| `")]
    return {one[0].strip("`"): one[1:] for one in cells}


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        ("A hook", HOOK_KEYS),
        ("A step", STEP_KEYS),
        ("A test (`tests`)", TEST_KEYS),
        ("A step of a test", EXAMPLE_KEYS),
        ("A stub that answers", ANSWER_KEYS),
        ("A request that is expected", REQUEST_KEYS),
        ("The service (`service`)", ServiceSettings.model_fields),
    ],
)
def test_the_page_of_keys_has_every_key_and_what_it_means(pages: dict[str, str], title: str, keys: list[str]) -> None:
    found = rows(pages["keys.md"], title)
    assert set(keys) <= set(found)
    assert [name for name, cells in found.items() if not cells[-1]] == []


def test_every_variable_is_listed_with_what_it_means(pages: dict[str, str]) -> None:
    found = rows(pages["variables.md"])
    assert set(found) == {*known_variables(load_plugins()), *CLIENT_VARIABLES, "HOOKRT_SECRET_NAME"}
    assert [name for name, cells in found.items() if not cells[-1]] == []


def test_every_metric_is_listed(pages: dict[str, str]) -> None:
    found = rows(pages["metrics.md"])
    named = set(re.findall(r'"(hookrt_[a-z_]+)"', SOURCE.read_text()))
    assert {name.removesuffix("_total") for name in found} == named
    assert found["hookrt_attempts_total"] == ["counter", "`hook`, `outcome`, `reason`", "Attempts."]


def test_every_command_is_described_and_its_examples_are_blocks(pages: dict[str, str]) -> None:
    page = pages["commands.md"]
    assert [name for name in COMMANDS if f"## `hookrt {name}`" not in page] == []
    assert "Examples:" not in page
    assert "```sh\nhookrt test\n" in page


def test_every_route_is_described_with_the_scope_that_it_needs(pages: dict[str, str]) -> None:
    page = pages["routes.md"]
    described = build_api(None, WebOptions(log=None), Faults(None)).openapi()["paths"]  # type: ignore[arg-type]
    routes = [f"## {method.upper()} {path}\n" for path, methods in described.items() for method in methods]
    assert [route for route in [*routes, "## POST /in/{source}\n"] if route not in page] == []
    assert "## POST /v1/deliveries/replay\n" in page
    assert "Scope: `admin`; for a dry run `read`." in page


def test_every_function_of_expressions_is_listed(pages: dict[str, str]) -> None:
    assert set(rows(pages["expressions.md"], "Functions")) == {one.form for one in FUNCTIONS}


def test_the_page_of_snippets_has_every_module_and_built_in(pages: dict[str, str]) -> None:
    page = pages["snippets.md"]
    assert set(MODULES) == set(rows(page, "Modules"))
    assert [name for name in BUILTINS if f"`{name}`" not in page] == []


def test_what_snippets_do_without_is_refused_and_what_is_shown_instead_works() -> None:
    async def story() -> list[tuple[str, Outcome, Outcome]]:
        async with open_action(PythonSnippet, service_settings={"spares": 0}) as action:

            async def outcome(program: str) -> Outcome:
                return await action.run(call_for(PythonSnippet, {"code": program}))

            differences = from_docs("snippet_page").DIFFERENCES
            programs = [
                (one.around.replace("{}", one.written), one.around.replace("{}", one.instead)) for one in differences
            ]
            return [(written, await outcome(written), await outcome(instead)) for written, instead in programs]

    for written, refused, worked in asyncio.run(story()):
        assert (refused.kind, worked.kind) == (OutcomeKind.REJECT, OutcomeKind.DONE), (written, refused, worked)
