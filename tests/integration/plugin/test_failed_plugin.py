"""What people are told where a plugin failed whose names nobody can guess, and where the extra `serve` is missing."""

import subprocess
import sys

import pytest

HOOKS = {
    "step": ("hooks: {h: {on: T, steps: [{shout: {}}]}}", "there is no action 'shout'"),
    "source": ("sources: {s: {shout: {}}}\nhooks: {}", "there is no source plugin 'shout'"),
}
TYPO = "hooks: {h: {on: T, steps: [{webhok: {}}]}}"


@pytest.fixture
def hookrt(tmp_path, monkeypatch):
    """The command, in a folder whose one plugin needs what is not installed."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "acme_loud.py").write_text("import no_such_driver\n")
    metadata = tmp_path / "acme-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[hookrt]\nloud = acme_loud\n")

    def call(*arguments, before=""):
        script = f"{before}\nfrom hookrt.cli.main import main\nmain({list(arguments)!r})"
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stdout + done.stderr

    return call


@pytest.mark.parametrize("place", HOOKS)
def test_check_names_the_plugin_that_failed_where_a_name_is_unknown(tmp_path, hookrt, place):
    text, fault = HOOKS[place]
    (tmp_path / "hooks.yaml").write_text(text)
    said = hookrt("check", "hooks.yaml")
    assert fault in said
    assert "hint: the plugin acme 1.0 failed to load: it cannot be imported: ModuleNotFoundError" in said


def test_a_slip_of_the_pen_is_no_plugin_that_failed(tmp_path, hookrt):
    (tmp_path / "hooks.yaml").write_text(TYPO)
    said = hookrt("check", "hooks.yaml")
    assert "did you mean 'webhook'?" in said
    assert "acme" not in said


def test_docs_names_the_plugin_that_failed(hookrt):
    assert "'shout': the plugin acme 1.0 failed to load" in hookrt("docs", "shout")


def test_without_the_extra_the_command_says_what_to_install(hookrt):
    said = hookrt("check", before="import sys; sys.modules['typer'] = None")
    assert said == "hookrt: the command line needs typer: pip install 'hookrt[serve]'\n"
