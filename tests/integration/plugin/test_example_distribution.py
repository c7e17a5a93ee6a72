"""The example under `plugins/`, built and installed as its users would, into an environment of its own."""

import importlib.util
import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent

REPORT = """
import json, sys
import hookrt, hookrt_file
from hookrt.plugin.manager import load_plugins
registry = load_plugins()
(plugin,) = [plugin for plugin in registry.plugins if plugin.distribution == "hookrt-file"]
print(json.dumps({
    "where": [hookrt.__file__, hookrt_file.__file__],
    "plugin": [plugin.version, plugin.entry_point, plugin.actions, plugin.errors],
    "known": ["file" in registry.actions, "hookrt-file:file" in registry.actions],
    "schema": registry.actions["file"].settings.model_json_schema()["required"],
}))
"""

RUN = """
import json, sys
from hookrt.plugin.manager import load_plugins
from hookrt.testing import event, run_action
outcome = run_action(
    load_plugins().actions["file"],
    {"path": "users.jsonl"},
    event=event("User.Created", {"name": "Ada"}),
    service_settings={"directory": sys.argv[1]},
)
print(json.dumps([outcome.kind, outcome.output]))
"""

HOOKS = """
service:
  actions: {file: {directory: audit}}
hooks:
  audit:
    on: User.*
    steps:
      - file: {path: "${{ event.type }}.jsonl", record: {who: "${{ event.data.name }}"}}
"""

EMBED = """
import asyncio, sys
from hookrt import Runtime

async def main():
    async with Runtime.from_file(sys.argv[1]) as runtime:
        [delivery] = await (await runtime.emit("User.Created", {"name": "Ada"})).wait(timeout=30)
        print(delivery.status.value)

asyncio.run(main())
"""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(source, wheels):
    """A wheel of a source tree. Where the build backend is installed it is used, else pip fetches it."""
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", *isolation, "-w", str(wheels), str(source))


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The Python of a fresh environment with hookrt and the example; what they depend on is lent by this one."""
    folder = tmp_path_factory.mktemp("fresh")
    wheels = folder / "wheels"
    build(ROOT, wheels)
    build(ROOT / "plugins" / "hookrt-file", wheels)
    run(sys.executable, "-m", "venv", "--without-pip", str(folder / "venv"))
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index"]
    run(*pip, *map(str, wheels.glob("*.whl")))
    site = Path(run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.mark.slow
def test_the_example_is_found_in_a_fresh_environment(environment):
    found = json.loads(run(str(environment), "-I", "-W", "error", "-c", REPORT))
    assert all(where.startswith(str(environment.parent.parent)) for where in found["where"])
    assert found["plugin"] == ["0.1.0", "file", ["file"], []]
    assert found["known"] == [True, True]
    assert found["schema"] == ["path"]


@pytest.mark.slow
def test_the_example_runs_in_a_fresh_environment(environment, tmp_path):
    kind, output = json.loads(run(str(environment), "-I", "-W", "error", "-c", RUN, str(tmp_path)))
    written = (tmp_path / "users.jsonl").read_text()
    assert (kind, output) == ("done", {"path": "users.jsonl", "bytes": len(written)})
    assert json.loads(written)["data"] == {"name": "Ada"}


@pytest.mark.slow
def test_the_example_runs_from_a_hooks_file_in_a_fresh_environment(environment, tmp_path):
    hooks = tmp_path / "hooks.yaml"
    hooks.write_text(HOOKS)
    listed = run(str(environment), "-I", "-m", "hookrt", "plugins", "list", "-o", "json")
    assert "hookrt-file" in listed
    run(str(environment), "-I", "-m", "hookrt", "check", str(hooks))
    assert run(str(environment), "-I", "-W", "error", "-c", EMBED, str(hooks)) == "succeeded\n"
    assert json.loads((tmp_path / "audit" / "User.Created.jsonl").read_text()) == {"who": "Ada"}
