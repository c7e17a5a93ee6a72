from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hookrt.cli.demo.stage import InventedSecrets
from hookrt.config.load import Loaded, LoadOptions, load
from hookrt.plugin import Action, ActionCall, Outcome, Settings
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import Registry
from hookrt.proving.bench import run_tests
from hookrt.proving.results import TestResult


class LetterSettings(Settings):
    to: str
    text: str = ""


class Letter(Action[LetterSettings]):
    """Reaches the outside by a way of its own."""

    name = "letter"

    async def run(self, call: ActionCall[LetterSettings]) -> Outcome:
        raise AssertionError("this must not be run in a test")


class ProvingBench:
    """Loads a hooks.yaml and runs its tests."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.path = folder / "hooks.yaml"
        self.registry = registry

    def load(self, text: str) -> Loaded:
        self.path.write_text(text)
        return load(self.path, LoadOptions(registry=self.registry, env={}, last_resort=[InventedSecrets()]))

    def errors(self, text: str) -> list[str]:
        """Each error as `line:column message | hint`."""
        found = self.load(text).errors
        return [
            f"{one.place.line}:{one.place.column} {one.message}" + (f" | {one.hint}" if one.hint else "")
            for one in found
        ]

    def run(self, text: str) -> list[TestResult]:
        loaded = self.load(text)
        assert loaded.configuration is not None, [str(problem) for problem in loaded.problems]
        return asyncio.run(run_tests(loaded.configuration, self.registry, loaded.configuration.tests))

    def said(self, text: str) -> list[str]:
        """What is not as expected in the only test, each as `line:column message | hint`."""
        [result] = self.run(text)
        problems = [one.problem for one in result.mismatches]
        return [
            f"{one.place.line}:{one.place.column} {one.message}" + (f" | {one.hint}" if one.hint else "")
            for one in problems
        ]


@pytest.fixture(scope="session")
def plugins() -> Registry:
    registry = load_plugins()
    registry.add_action(Letter, "letters")
    return registry


@pytest.fixture
def proving(tmp_path: Path, plugins: Registry) -> ProvingBench:
    return ProvingBench(tmp_path, plugins)
