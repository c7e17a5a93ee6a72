"""House rules that no tool checks: short files, nothing unfinished, plugins on the contract only."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MAX_LINES = 400

SOURCES = sorted((ROOT / "hookrt").rglob("*.py"))
PLUGINS = sorted(ROOT.glob("plugins/*/src/**/*.py"))
TESTS = sorted([*(ROOT / "tests").rglob("*.py"), *ROOT.glob("plugins/*/tests/**/*.py")])

UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def shown(path):
    return str(path.relative_to(ROOT))


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("kind", ["sources", "plugins", "tests"])
def test_no_file_is_longer_than_400_lines(kind):
    files = {"sources": SOURCES, "plugins": PLUGINS, "tests": TESTS}[kind]
    long = {shown(path): count for path in files if (count := len(path.read_text().splitlines())) > MAX_LINES}
    assert long == {}


def test_nothing_is_left_unfinished():
    marked = [shown(path) for path in [*SOURCES, *PLUGINS, *TESTS] if UNFINISHED.search(path.read_text())]
    assert marked == []


def test_every_folder_is_a_package():
    assert [shown(path.parent) for path in SOURCES if not (path.parent / "__init__.py").exists()] == []


def test_no_file_has_a_name_that_says_nothing():
    empty = {"utils", "util", "helpers", "helper", "base", "common", "misc"}
    assert [shown(path) for path in SOURCES if path.stem in empty] == []


def test_test_folders_are_no_packages():
    assert [shown(path) for path in TESTS if path.name == "__init__.py"] == []


def test_plugins_import_only_the_contract_and_the_testing_kit():
    for path in [*PLUGINS, *ROOT.glob("plugins/*/tests/**/*.py")]:
        foreign = {
            name
            for name in imports_of(path)
            if name.partition(".")[0] == "hookrt" and name not in {"hookrt.plugin", "hookrt.testing"}
        }
        assert foreign == set(), shown(path)


def test_there_is_a_plugin_to_look_at():
    assert PLUGINS
