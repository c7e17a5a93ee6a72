"""`hookrt plugins verify`: what it finds wrong, and that hookrt's own plugins are sound."""

import json
import subprocess
import sys
import textwrap

import pytest

BAD = """
import pathlib, threading
from pydantic import Field
from hookrt.plugin import Action, Outcome, PluginError, Settings, impl

threading.Thread(target=print, daemon=True).start()
pathlib.Path("written.txt").write_text("by an import")

class BadSettings(Settings):
    to: str
    text: str
    api_key: str

class Bad(Action[BadSettings]):
    name = "bad"
    short = "to"
    async def open(self, setup):
        raise PluginError("there is no service")
    async def run(self, call):
        return Outcome.done()

@impl
def hookrt_actions():
    return [Bad]
"""


@pytest.fixture
def verify(tmp_path):
    """Runs the command, with a distribution `acme` that consists of this source."""

    def call(source, *arguments, code):
        (tmp_path / "acme.py").write_text(textwrap.dedent(source))
        info = tmp_path / "acme-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "entry_points.txt").write_text("[hookrt]\nbad = acme\n")
        (info / "METADATA").write_text("Name: acme\nVersion: 1.0\n")
        done = subprocess.run(
            [sys.executable, "-m", "hookrt", "plugins", "verify", *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path), "PATH": ""},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    return call


def test_each_fault_is_named(verify):
    checks = json.loads(verify(BAD, "acme", "-o", "json", code=1))["checks"]
    failed = {one["check"]: one["message"] for one in checks if one["state"] == "failed"}
    assert "the start of a thread" in failed["its import does nothing but define things"]
    assert "open for writing" in failed["its import does nothing but define things"]
    assert failed["says what it does"] == "it needs a docstring"
    assert "`api_key` of BadSettings is plain text" in failed["hides its secrets"]
    assert "`text`, `api_key` must be there too" in failed["has a short form that is enough"]
    assert "there is no service" in failed["opens and closes"]


def test_a_plugin_that_does_not_load_is_told_in_text(verify):
    said = verify("import no_such_module", "bad", code=1)
    assert "acme:bad" in said
    assert "No module named 'no_such_module'" in said


def test_an_unknown_name_gets_a_suggestion(verify):
    assert "no installed plugin is called 'acmee': did you mean 'acme'?" in verify(BAD, "acmee", code=1)


def test_hookrts_own_plugins_are_sound(verify):
    said = json.loads(verify("x = 1", "hookrt", "-o", "json", code=0))
    assert said["failed"] == 0
    assert {"hookrt:webhook", "hookrt:python", "hookrt:github"} <= {one["plugin"] for one in said["checks"]}
