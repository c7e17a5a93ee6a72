"""docs/hooks-yaml.md: `hookrt check` accepts every file in it, every condition compiles, no key is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hookrt.cli.demo.stage import InventedSecrets
from hookrt.config.hooks_file import HOOK_KEYS
from hookrt.config.load import LoadOptions, load
from hookrt.config.policies import HOOK_POLICY_KEYS
from hookrt.config.schema import build_schema
from hookrt.config.steps import STEP_KEYS
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Names
from hookrt.plugin.manager import load_plugins

TEXT = (Path(__file__).parents[2] / "docs" / "hooks-yaml.md").read_text()
FILES = [one for one in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL) if "\nhooks:" in f"\n{one}"]

CONDITIONS = re.findall(r"^when: (.+?)(?:  +#.*)?$", TEXT, re.MULTILINE)

SNIPPETS = re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", FILES, ids=lambda text: text.split("hooks:\n")[1].split(":")[0].strip())
def test_an_example_is_accepted(text: str, tmp_path: Path) -> None:
    path = tmp_path / "hooks.yaml"
    path.write_text(text)
    for name, code in SNIPPETS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code)
    loaded = load(path, LoadOptions(registry=load_plugins(), env={}, last_resort=[InventedSecrets()]))
    assert [str(problem) for problem in loaded.problems] == []


@pytest.mark.parametrize("text", CONDITIONS)
def test_a_condition_compiles(text: str) -> None:
    compile_condition(text, Names())


def test_every_key_of_the_file_a_hook_and_a_step_is_spoken_of() -> None:
    overview = TEXT.partition("\n## ")[0]
    keys = {*HOOK_KEYS, *STEP_KEYS, *HOOK_POLICY_KEYS, *build_schema(load_plugins())["properties"]}
    named = {word for words in re.findall(r"`([^`\n]+)`", overview) for word in re.findall(r"\w+", words)}
    assert keys - named == set()
