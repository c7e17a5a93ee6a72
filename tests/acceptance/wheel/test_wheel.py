"""The wheel holds all of hookrt, and works where nothing else of the repository is."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of what is there."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    [built] = folder.glob("hookrt-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with the wheel, and the libraries of this one behind it."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    [site] = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "python"


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    package = ROOT / "hookrt"
    files = {file for file in package.rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    with zipfile.ZipFile(wheel) as packed:
        held = {name for name in packed.namelist() if name.startswith("hookrt/")}
    assert held == {str(file.relative_to(ROOT)) for file in files}
    assert {"hookrt/py.typed", "hookrt/cli/plugin_template/pyproject.toml.txt"} <= held


def test_the_installed_command_checks_hooks_and_begins_plugins(python: Path, tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("HOOKRT_", "PYTHONPATH"))}

    def hookrt(*arguments: str) -> str:
        command = [python, "-m", "hookrt", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    where = [python, "-c", "import hookrt; print(hookrt.__file__)"]
    assert subprocess.check_output(where, cwd=tmp_path, env=env, text=True).startswith(str(python.parents[1]))
    assert hookrt("--version").startswith("hookrt ")
    hookrt("plugins", "new", "sms")
    (tmp_path / "hooks.yaml").write_text(
        "hooks: {a: {on: X, steps: [{log: hi}, {python: 'def run(event, ctx): pass'}]}}\n"
    )
    assert "no problems" in hookrt("check")
