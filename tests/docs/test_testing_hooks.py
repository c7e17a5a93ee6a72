"""Every hooks.yaml in docs/testing-hooks.md passes its own tests."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from hookrt.cli.demo.stage import InventedSecrets
from hookrt.config.load import LoadOptions, load
from hookrt.plugin.manager import load_plugins
from hookrt.proving.bench import run_tests

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "testing-hooks.md").read_text()
FILES = [*re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL), (ROOT / "hooks.yaml").read_text()]


@pytest.mark.parametrize("text", FILES)
def test_the_tests_of_the_examples_pass(text: str, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(text)
    registry = load_plugins()
    options = LoadOptions(registry=registry, env={}, last_resort=[InventedSecrets()])
    loaded = load(tmp_path / "hooks.yaml", options)
    assert loaded.configuration is not None, loaded.problems
    results = asyncio.run(run_tests(loaded.configuration, registry, loaded.configuration.tests))
    assert results
    assert [str(one.problem) for result in results for one in result.mismatches] == []


def test_the_shown_output_names_the_tests() -> None:
    shown = re.findall(r"^passed  welcome: (.*?)  [\d.]+ ms$", TEXT, re.MULTILINE)
    assert shown == re.findall(r"^      - name: (.*)$", FILES[0], re.MULTILINE)
