"""Plugins as real files on the import path, in processes of their own."""

import json
import os
import select
import signal
import subprocess
import sys
import textwrap

import pytest

SOUND = """
from hookrt.plugin import Action, Outcome, Settings, impl

class Sound(Action[Settings]):
    name = "{name}"
    async def run(self, call):
        return Outcome.done()

@impl
def hookrt_actions():
    return [Sound]
"""

REPORT = """
import json
from hookrt.plugin.manager import load_plugins
registry = load_plugins()
shown = [[p.distribution, p.version, list(p.actions), list(p.errors)] for p in registry.plugins]
print(json.dumps({"plugins": [p for p in shown if p[0] != "hookrt"], "actions": list(registry.actions)}))
"""


@pytest.fixture
def site(tmp_path):
    """A folder on the import path; `add` installs a distribution into it by hand."""

    class Site:
        def add(self, distribution, source, entry_points=None, metadata=None):
            module = distribution.replace("-", "_")
            (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
            info = tmp_path / f"{module}-1.0.dist-info"
            info.mkdir()
            declared = f"[hookrt]\n{module} = {module}\n" if entry_points is None else entry_points
            (info / "entry_points.txt").write_text(declared)
            (info / "METADATA").write_text(f"Name: {distribution}\nVersion: 1.0\n" if metadata is None else metadata)

        def load(self):
            environment = {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", "PATH": ""}
            command = [sys.executable, "-W", "error", "-c", REPORT]
            done = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, done.stderr
            assert "Traceback" not in done.stderr
            found = json.loads(done.stdout.splitlines()[-1])
            return {name: (version, actions, errors) for name, version, actions, errors in found["plugins"]}

        def command(self, *arguments, **variables):
            environment = variables | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", "PATH": ""}
            command = [sys.executable, "-m", "hookrt", *arguments]
            return subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)

    return Site()


def test_an_installed_plugin_is_found(site):
    site.add("hookrt-sound", SOUND.format(name="sound"))
    assert site.load() == {"hookrt-sound": ("1.0", ["sound"], [])}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named 'no_such_module_anywhere' (bad.py:1)"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit('bye')", "SystemExit: bye (bad.py:1)"),
        ("class Stop(BaseException): pass\nraise Stop('now')", "Stop: now (bad.py:2)"),
        ("def deep(): deep()\ndeep()", "RecursionError"),
        ("from hookrt.plugin import Nonsense", "ImportError: cannot import name 'Nonsense'"),
    ],
)
def test_a_plugin_that_fails_to_import_costs_itself_only(site, source, said):
    site.add("bad", source)
    site.add("hookrt-sound", SOUND.format(name="sound"))
    found = site.load()
    assert found["hookrt-sound"] == ("1.0", ["sound"], [])
    version, actions, (error,) = found["bad"]
    assert (version, actions) == ("1.0", [])
    assert error.startswith("it cannot be imported: ")
    assert said in error


@pytest.mark.parametrize("metadata", ["", "\x00\xff nonsense", "Name:\n"])
def test_a_plugin_with_damaged_metadata_goes_by_its_module(site, metadata):
    site.add("odd", SOUND.format(name="odd"), metadata=metadata)
    assert site.load() == {"odd": ("", ["odd"], [])}


def test_an_entry_point_may_name_an_object_in_a_module(site):
    source = (
        SOUND.format(name="sound")
        + """
class Bundle:
    @impl
    def hookrt_actions(self):
        return [Sound]

bundle = Bundle()
"""
    )
    site.add("bundled", source, entry_points="[hookrt]\nmain = bundled:bundle\n")
    site.add("none", "nothing = None", entry_points="[hookrt]\nmain = none:nothing\n")
    site.add("missing", "", entry_points="[hookrt]\nmain = missing:nothing\n")
    found = site.load()
    assert found["bundled"] == ("1.0", ["sound"], [])
    assert found["none"][2] == ["the entry point names 'none:nothing', which is None"]
    assert "has no attribute 'nothing'" in found["missing"][2][0]


def test_a_plugin_that_hangs_while_it_is_loaded_is_named_and_can_be_left_out(site):
    site.add("hookrt-stuck", "import threading; threading.Event().wait()")
    with site.command("plugins", "list") as stuck:
        try:
            [readable], _, _ = select.select([stuck.stderr], [], [], 60)
            said = os.read(readable.fileno(), 1000).decode()
        finally:
            stuck.send_signal(signal.SIGINT)
    assert said.startswith("hookrt: still loading the plugin hookrt-stuck:hookrt_stuck;")
    assert "HOOKRT_PLUGINS__DENY=hookrt-stuck:hookrt_stuck\n" in said
    with site.command("plugins", "list", HOOKRT_PLUGINS__DENY="hookrt-stuck:hookrt_stuck") as without:
        assert without.wait(60) == 0
