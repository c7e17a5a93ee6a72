"""The language policy and the walls cannot be turned off by configuration, environment or plugin."""

from __future__ import annotations

import ast
import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hookrt
from hookrt.actions.python_snippet.settings import PythonServiceSettings, PythonSettings
from hookrt.actions.python_snippet.spawn import BOOT
from hookrt.plugin.spec import __dict__ as hook_specifications

PACKAGE = Path(hookrt.__file__).parent
SUSPECT = ("polic", "restrict", "raw", "unsafe", "trust", "wall", "seccomp", "boot", "guard", "interpreter")


def calls_in_hookrt(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a function or method of that name in the package."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
                if called == name:
                    yield str(path.relative_to(PACKAGE)), node


def test_no_setting_names_the_policy_or_the_walls() -> None:
    for settings in (PythonSettings, PythonServiceSettings):
        assert not [name for name in settings.model_fields if any(part in name for part in SUSPECT)]


def test_no_plugin_hook_names_the_policy_or_the_walls() -> None:
    names = [name for name in hook_specifications if name.startswith("hookrt_")]
    assert names
    assert not [name for name in names if any(part in name for part in (*SUSPECT, "python", "worker", "sandbox"))]


def test_the_service_starts_workers_by_its_own_script_only() -> None:
    for path, call in calls_in_hookrt("Pool"):
        assert (path, len(call.args), call.keywords) == ("actions/python_snippet/action.py", 1, [])
    assert {path for path, _ in calls_in_hookrt("start_child")} == {
        "actions/python_snippet/checker.py",
        "actions/python_snippet/process.py",
    }


def test_the_workers_script_brings_no_executor_and_no_walls_of_its_own() -> None:
    script = ast.parse(BOOT.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(script) if isinstance(node, ast.Call)]
    [entry] = [call for call in calls if "serve" in {n.id for n in ast.walk(call.func) if isinstance(n, ast.Name)}]
    assert (len(entry.args), entry.keywords) == (3, [])
    assert not [path for path, _ in calls_in_hookrt("serve") if "python_snippet" in path]
    executors = [(path, ast.unparse(call)) for path, call in calls_in_hookrt("Executor")]
    assert executors
    assert all("worker/serve.py" in path and text == "Executor(compile_snippet)" for path, text in executors)


@pytest.mark.parametrize("option", ["--raw", "--no-policy", "--no-walls"])
def test_the_workers_script_takes_no_such_option(option: str) -> None:
    command = [sys.executable, "-I", "-S", str(BOOT), option, "0", str(os.getpid()), str(2**28)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    assert done.returncode == 1
    assert done.stdout == b""


def test_the_environment_reaches_no_worker(open_bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('the environment was read')")
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("HOOKRT_SANDBOX", "HOOKRT_POLICY", "HOOKRT_RAW", "HOOKRT_ACTIONS__PYTHON__RAW"):
        monkeypatch.setenv(name, "off")

    async def story() -> tuple[str, str]:
        async with open_bench() as bench:
            return (await bench.run("import os\nresult = 1")).outcome, bench.pool.isolation

    outcome, isolation = asyncio.run(story())
    assert outcome == "denied"
    assert isolation


def test_what_can_start_workers_without_the_policy_is_not_shipped() -> None:
    assert not list(PACKAGE.rglob("*unguarded*"))
    for path in PACKAGE.rglob("*.py"):
        assert "sandbox_corpus" not in path.read_text(encoding="utf-8"), path
