"""Every whole hooks.yaml in docs/hooks-yaml.md is one that `hookrt check` accepts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hookrt.config.load import LoadOptions, load
from hookrt.plugin.manager import load_plugins

TEXT = (Path(__file__).parents[2] / "docs" / "hooks-yaml.md").read_text()
FILES = [one for one in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL) if "\nhooks:" in f"\n{one}"]

SNIPPETS = re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", FILES, ids=lambda text: text.split("hooks:\n")[1].split(":")[0].strip())
def test_an_example_is_accepted(text: str, tmp_path: Path) -> None:
    path = tmp_path / "hooks.yaml"
    path.write_text(text)
    for name, code in SNIPPETS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code)
    loaded = load(path, LoadOptions(registry=load_plugins(), env={}))
    assert [str(problem) for problem in loaded.problems] == []
