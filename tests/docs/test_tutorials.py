"""The tutorials: their files are accepted and pass their tests, their programs run and print what the text says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hookrt.cli.new_plugin import NewPlugin, write_plugin
from hookrt.config.load import LoadOptions, load
from hookrt.plugin.manager import load_plugins

FOLDER = Path(__file__).parents[2] / "docs" / "tutorials"
HOOKRT = Path(sys.executable).with_name("hookrt")


def blocks(name: str, kind: str) -> list[str]:
    text = (FOLDER / f"{name}.md").read_text()
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", blocks("write-hooks", "yaml"))
def test_the_files_of_the_first_tutorial_are_accepted(text: str, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(text)
    loaded = load(tmp_path / "hooks.yaml", LoadOptions(registry=load_plugins(), env={}))
    assert loaded.configuration is not None, loaded.problems


def test_the_tests_of_its_last_file_pass(tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(blocks("write-hooks", "yaml")[-1])
    done = subprocess.run([HOOKRT, "test"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_plugin_of_the_second_one_passes_its_tests_and_those_of_its_hook(tmp_path: Path) -> None:
    write_plugin(NewPlugin("sms"), tmp_path)
    for text in blocks("ship-a-plugin", "python"):
        (tmp_path / text.partition("\n")[0].removeprefix("# ")).write_text(text)
    (tmp_path / "hooks.yaml").write_text(*blocks("ship-a-plugin", "yaml"))
    installed = tmp_path / "src" / "hookrt_sms-0.1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Name: hookrt-sms\nVersion: 0.1.0\n")
    (installed / "entry_points.txt").write_text("[hookrt]\nsms = hookrt_sms\n")
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    for command in ([sys.executable, "-m", "pytest", "-p", "no:cacheprovider"], [HOOKRT, "test"]):
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        assert " passed" in done.stdout


def test_the_programs_of_the_third_one_run_and_print_what_it_says(tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith("HOOKRT_")}
    said = []
    for number, program in enumerate(blocks("embed", "python")):
        file = tmp_path / f"program{number}.py"
        file.write_text(program)
        command = [sys.executable, file.name]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert said == ["packing order 42\nsucceeded\n", "", "packing order 43\n"]
