"""What the READMEs of hookrt-command and hookrt-email show is accepted, and their tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hookrt.config.load import LoadOptions, load
from hookrt.plugin.manager import load_plugins

PLUGINS = Path(__file__).parents[2] / "plugins"
TEXTS = {name: (PLUGINS / f"hookrt-{name}" / "README.md").read_text() for name in ("command", "email")}
BLOCKS = [
    (name, text)
    for name, readme in TEXTS.items()
    for text in re.findall(r"^```yaml\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
]
ELSEWHERE = {"email": {"dns", "blocked-address"}, "command": set()}


@pytest.fixture
def registry(monkeypatch):
    for name in TEXTS:
        monkeypatch.syspath_prepend(str(PLUGINS / f"hookrt-{name}" / "src"))
    from hookrt_command import Command
    from hookrt_email import Email

    found = load_plugins()
    for action in (Command, Email):
        if action.name not in found.actions:
            found.add_action(action)
    return found


@pytest.mark.parametrize(("name", "text"), BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_is_accepted(name, text, registry, tmp_path, monkeypatch):
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in (programs / "pg_dump", tmp_path / "deploy.sh"):
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    (tmp_path / "hooks.yaml").write_text(text)
    env = {f"HOOKRT_SECRET_{secret}": "a-secret-of-the-test" for secret in re.findall(r"secrets\.(\w+)", text)}
    loaded = load(tmp_path / "hooks.yaml", LoadOptions(registry=registry, env=env))
    found = [str(one) for one in loaded.problems if "no hooks" not in str(one)]
    assert found == []


@pytest.mark.parametrize("name", TEXTS)
def test_each_setting_and_each_reason_is_explained(name, registry):
    action = registry.actions[name]
    rows = "\n".join(line for line in TEXTS[name].splitlines() if line.startswith("| `"))
    named = set(re.findall(r"`([\w-]+)`", rows))
    fields = {field.alias or key for key, field in action.settings.model_fields.items()}
    assert fields <= named
    reasons = {
        word
        for line in TEXTS[name].partition("| reason |")[2].splitlines()
        if line.startswith("| `")
        for word in re.findall(r"`([\w-]+)`", line.split("|")[1])
    }
    assert reasons == set(action.reasons) | ELSEWHERE[name]
