"""Plugins as commands load them: what is denied here stays out, and what plugins print is aside."""

from pathlib import Path

import hookrt.cli
from hookrt.cli.installed import load_installed

FOLDER = Path(hookrt.cli.__file__).parent


def test_what_the_file_here_denies_is_not_loaded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hooks.yaml").write_text("service:\n  plugins: {deny: [python]}\nhooks: {}\n")
    registry = load_installed()
    assert "python" not in registry.actions
    assert "log" in registry.actions


def test_variables_count_where_there_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "python" in load_installed(env={}).actions
    assert "python" not in load_installed(env={"HOOKRT_PLUGINS__DENY": "python"}).actions


def test_every_command_loads_plugins_so():
    may = {FOLDER / "installed.py", FOLDER / "plugin_checks.py", FOLDER / "import_watch.py"}
    others = [file.name for file in FOLDER.rglob("*.py") if file not in may and "load_plugins(" in file.read_text()]
    assert others == []
