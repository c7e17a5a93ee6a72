"""What docs/import.md shows is what `hookrt import` does."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hookrt.config.load import LoadOptions, load
from hookrt.plugin import Action, ActionCall, Outcome, Settings
from hookrt.plugin.manager import load_plugins

TEXT = (Path(__file__).parents[2] / "docs" / "import.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
FILES = [text for kind, text in BLOCKS if kind == "json"]
RESULTS = [text for kind, text in BLOCKS if kind == "yaml"]
COMMANDS = re.findall(r"^\$ (hookrt .+)$", TEXT, re.MULTILINE)


class CommandSettings(Settings):
    argv: list[str]
    cwd: str | None = None
    env: dict[str, str]


class Command(Action[CommandSettings]):
    """Says what it would run."""

    name = "command"
    static = frozenset({"argv"})

    async def run(self, call: ActionCall[CommandSettings]) -> Outcome:
        return Outcome.done(call.settings.argv)


@pytest.mark.parametrize("number", range(2))
def test_an_example_is_imported_as_shown(number: int, tmp_path: Path) -> None:
    command = COMMANDS[number].split()
    (tmp_path / command[3]).write_text(FILES[number])
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    made = (tmp_path / "hooks.yaml").read_text()
    assert made.endswith("\n" + RESULTS[number])
    above = made.removesuffix(RESULTS[number]).splitlines()
    assert all(line.startswith("#") for line in above if line)
    assert stat.S_IMODE((tmp_path / "hookrt.env").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", RESULTS, ids=range(len(RESULTS)))
def test_what_becomes_of_it_is_accepted(text: str, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(text)
    env = {f"HOOKRT_SECRET_{name}": "a-secret-of-the-test" for name in re.findall(r"secrets\.(\w+)", text)}
    registry = load_plugins()
    registry.add_action(Command)
    loaded = load(tmp_path / "hooks.yaml", LoadOptions(registry=registry, env=env))
    assert [str(problem) for problem in loaded.problems] == []
