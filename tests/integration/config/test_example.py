from __future__ import annotations

from pathlib import Path

import pytest

from hookrt.config.load import LoadOptions, load
from hookrt.config.starter import starter_text
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import Registry
from hookrt.signing import new_secret


@pytest.fixture(scope="module")
def installed() -> Registry:
    return load_plugins()


def test_the_starter_loads_without_any_problem(installed: Registry, tmp_path: Path) -> None:
    file = tmp_path / "hooks.yaml"
    file.write_text(starter_text())
    loaded = load(file, LoadOptions(installed))
    assert [str(problem) for problem in loaded.problems] == []
    assert loaded.configuration is not None
    assert [hook.name for hook in loaded.configuration.hooks] == ["welcome", "audit"]


def test_the_example_loads_without_any_problem_once_its_secrets_are_there(installed: Registry) -> None:
    env = {f"HOOKRT_SECRET_{name}_SIGNING_SECRET": new_secret() for name in ("CRM", "ALERTS")}
    example = Path(__file__).parents[3] / "hooks.yaml"
    loaded = load(example, LoadOptions(installed, env, missing_secrets="error"))
    assert [str(problem) for problem in loaded.problems] == []


def test_the_example_has_only_warnings_without_its_secrets(installed: Registry) -> None:
    loaded = load(Path(__file__).parents[3] / "hooks.yaml", LoadOptions(installed))
    assert loaded.configuration is not None
    assert len(loaded.problems) == 2
    assert len(loaded.configuration.missing_secrets) == 2
