"""`hookrt plugins verify`: what it finds wrong, and that hookrt's own plugins are sound."""

import json
import subprocess
import sys
import textwrap

import pytest

from hookrt.cli.import_watch import Watched, watch_imports
from hookrt.plugin.manager import installed_plugins

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


GOOD = """
from hookrt.plugin import action, impl

@action("twin")
async def twin(call):
    'Do nothing.'

@impl
def hookrt_actions():
    print("more rubbish")
    return [twin]
"""
HOSTILE = {
    "raises": "raise ValueError('bang\\n\\x1b[31mred')",
    "exits": "import sys; print('rubbish'); sys.exit(0)",
    "ends": "import os; os._exit(0)",
    "prints": "print('rub{]bish')\n" + GOOD,
    "twin": GOOD,
    "answers": "from hookrt.plugin import impl\n@impl\ndef hookrt_actions(): return 7",
}


def install(folder, distribution, metadata="", **modules):
    """A distribution with a module for each entry point."""
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_bytes(metadata or f"Name: {distribution}\nVersion: 1.0\n".encode())
    for name, source in modules.items():
        (folder / f"{distribution}_{name}.py").write_text(textwrap.dedent(source))
    lines = [f"{name} = {distribution}_{name}" for name in modules]
    (info / "entry_points.txt").write_text("\n".join(["[hookrt]", *lines, "nowhere = a b:::c", ""]))


@pytest.fixture
def hookrt_plugins(tmp_path):
    """Runs `hookrt plugins ...` where what is in the folder is installed."""

    def call(*arguments, code):
        done = subprocess.run(
            [sys.executable, "-m", "hookrt", "plugins", *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path), "PATH": ""},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout if code != 1 or "-o" in arguments else done.stdout + done.stderr

    return call


@pytest.fixture
def verify(tmp_path, hookrt_plugins):
    """Verifies, with a distribution `acme` that consists of this source."""

    def call(source, *arguments, code):
        (tmp_path / "acme.py").write_text(textwrap.dedent(source))
        info = tmp_path / "acme-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "entry_points.txt").write_text("[hookrt]\nbad = acme\n")
        (info / "METADATA").write_text("Name: acme\nVersion: 1.0\n")
        return hookrt_plugins("verify", *arguments, code=code)

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


def test_hostile_plugins_get_a_sentence_each_and_break_nothing(tmp_path, hookrt_plugins):
    install(tmp_path, "acme", **HOSTILE)
    install(tmp_path, "rubbish", b"\xff\xfe\0 no metadata", twin=GOOD)
    checks = json.loads(hookrt_plugins("verify", "-o", "json", code=1))["checks"]
    failed = {one["plugin"]: one["message"] for one in checks if one["state"] == "failed"}
    assert failed == {
        "acme:raises": "it cannot be imported: ValueError: bang \ufffd[31mred (acme_raises.py:1)",
        "acme:exits": "it cannot be imported: SystemExit: 0 (acme_exits.py:1)",
        "acme:ends": "it ends the process while it is loaded",
        "acme:answers": "hookrt_actions failed: TypeError: it must return a list, not int",
        "acme:nowhere": "its entry point is 'a b:::c', which names no module: write `name = \"package.module\"`",
        "acme:prints": "'twin' is brought by acme and rubbish_twin: write acme:twin",
        "acme:twin": "the action 'twin' is brought twice; 'twin' is brought by acme and rubbish_twin: write acme:twin",
        "a b:nowhere": failed["acme:nowhere"],
        "rubbish_twin:twin": "'twin' is brought by acme and rubbish_twin: write rubbish_twin:twin",
    }


def test_a_plugin_that_hangs_is_left_behind_and_the_others_are_looked_at(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    install(tmp_path, "acme", before=GOOD, hangs="import threading\nthreading.Event().wait()", rest=GOOD)
    points = [one for one in installed_plugins() if one.value.startswith("acme_")]
    assert watch_imports(points, patience_s=0.5) == {
        "acme:before": Watched(["it does the printing of text"]),
        "acme:hangs": Watched(lost="it hangs while it is loaded: no end after 0.5 s"),
        "acme:rest": Watched(["it does the printing of text"]),
    }


def test_what_the_hooks_file_denies_is_shown_and_not_imported(tmp_path, hookrt_plugins):
    install(tmp_path, "acme", bad="open('imported', 'w')")
    install(tmp_path, "fine", good=GOOD)
    (tmp_path / "hooks.yaml").write_text("service:\n  plugins: {deny: [acme]}\nhooks: {}\n")
    assert "denied by `service.plugins.deny` at hooks.yaml:2:20" in hookrt_plugins("list", code=1)
    assert not (tmp_path / "imported").exists()


def test_hookrts_own_plugins_are_sound(verify):
    said = json.loads(verify("x = 1", "hookrt", "-o", "json", code=0))
    assert said["failed"] == 0
    assert {"hookrt:webhook", "hookrt:python", "hookrt:github"} <= {one["plugin"] for one in said["checks"]}
