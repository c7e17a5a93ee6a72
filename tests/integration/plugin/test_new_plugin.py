"""`hookrt plugins new`: from the command to a passing test and a hook that uses the plugin, no file edited."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version

import pytest
from packaging.specifiers import SpecifierSet

EMBED = """
import asyncio
from hookrt import Runtime

async def main():
    async with Runtime.from_file("hooks.yaml", store="memory:") as runtime:
        [delivery] = await (await runtime.emit("User.Created", {"name": "Ada"})).wait(timeout=30)
        print(delivery.status.value)

asyncio.run(main())
"""


def run(*arguments, cwd, code=0, **env):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HOOKRT_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**clean, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The new distribution, and a folder in which pip has installed it; hookrt is the one of these tests."""
    folder = tmp_path_factory.mktemp("new")
    said = run("-m", "hookrt", "plugins", "new", "sms", cwd=folder)
    project, site = folder / "hookrt-sms", folder / "site"
    pip = ["-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation", "--target", str(site)]
    run(*pip, str(project), cwd=folder)
    return said, project, {"PYTHONPATH": str(site)}


@pytest.mark.slow
def test_it_says_the_next_steps(made):
    said, _, _ = made
    steps = ("cd hookrt-sms", "pip install -e . pytest", "pytest", "hookrt check", "hookrt plugins verify hookrt-sms")
    places = [said.index(f"\n  {step} ") for step in steps]
    assert places == sorted(places)
    assert "src/hookrt_sms/action.py" in said


@pytest.mark.slow
def test_its_tests_pass_with_the_contract_of_every_action_among_them(made):
    _, project, env = made
    said = run("-m", "pytest", "-v", "-p", "no:cacheprovider", cwd=project, **env)
    assert "TestContract::test_the_runtime_admits_it" in said
    assert re.search(r"\n=+ 1\d passed", said)


@pytest.mark.slow
def test_its_hooks_file_is_sound_and_runs(made):
    _, project, env = made
    run("-m", "hookrt", "check", cwd=project, **env)
    assert run("-W", "error", "-c", EMBED, cwd=project, **env) == "succeeded\n"


@pytest.mark.slow
def test_it_is_verified_documented_and_denied(made):
    _, project, env = made
    verified = json.loads(run("-m", "hookrt", "plugins", "verify", "hookrt-sms", "-o", "json", cwd=project, **env))
    assert verified["failed"] == 0
    assert {one["state"] for one in verified["checks"]} == {"ok"}
    assert "| `message` | text, like `hello` | **required** |" in run("-m", "hookrt", "docs", "sms", cwd=project, **env)
    denied = run("-m", "hookrt", "check", cwd=project, code=1, **env, HOOKRT_PLUGINS__DENY="sms")
    assert "the plugin 'sms' of hookrt-sms 0.1.0 is denied by `service.plugins.deny` at $HOOKRT_PLUGINS__DENY" in denied


@pytest.mark.slow
def test_it_is_a_complete_distribution_that_depends_on_this_hookrt(made):
    _, project, _ = made
    files = {str(file.relative_to(project)) for file in project.rglob("*") if file.is_file()}
    assert files >= {
        "pyproject.toml",
        "src/hookrt_sms/__init__.py",
        "src/hookrt_sms/action.py",
        "src/hookrt_sms/py.typed",
        "tests/test_sms.py",
        "README.md",
        "hooks.yaml",
        ".github/workflows/test.yml",
        ".gitignore",
        "LICENSE",
    }
    text = (project / "pyproject.toml").read_text()
    [needs] = re.findall(r"hookrt(~=[\d.]+)", text)
    assert SpecifierSet(needs).contains(version("hookrt"))
    assert '[project.entry-points.hookrt]\nsms = "hookrt_sms"' in text
    assert (project / "hooks.yaml").read_text() in (project / "README.md").read_text()
    assert not any("%%" in (project / name).read_text() for name in files if not name.endswith(".pyc"))
