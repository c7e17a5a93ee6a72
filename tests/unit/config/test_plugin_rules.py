"""`service.plugins` in hooks.yaml and in variables: read before plugins are loaded, and checked with the rest."""

import pytest

from hookrt.config.load import LoadOptions, load
from hookrt.config.plugin_rules import read_plugin_rules
from hookrt.plugin.manager import load_plugins

HOOKS = "hooks: {a: {on: X, steps: [{log: hi}]}}\n"


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "hooks.yaml"
        path.write_text(text + HOOKS)
        return path

    return write


def problems(path, env):
    registry = load_plugins(rules=read_plugin_rules(path, env))
    return [f"{one.severity}: {one.message} ({one.hint})" for one in load(path, LoadOptions(registry, env)).problems]


def test_without_the_key_there_are_no_rules(file):
    assert read_plugin_rules(file(""), {}) is None
    assert read_plugin_rules(file("# plugins\n"), {}) is None


def test_each_name_keeps_its_place(file):
    path = file("service:\n  plugins: {allow: [a, b], deny: [c]}\n")
    rules = read_plugin_rules(path, {})
    assert [(one.name, one.where) for one in rules.allow] == [("a", f"{path}:2:21"), ("b", f"{path}:2:24")]
    assert [(one.name, one.where) for one in rules.deny] == [("c", f"{path}:2:35")]


def test_a_directory_is_read_too(tmp_path, file):
    file("")
    (tmp_path / "service.yaml").write_text("service: {plugins: {deny: [c]}}")
    assert [one.name for one in read_plugin_rules(tmp_path, {}).deny] == ["c"]


def test_a_variable_wins_over_the_file(file):
    rules = read_plugin_rules(file("service: {plugins: {deny: [a]}}\n"), {"HOOKRT_PLUGINS__DENY": "b, c"})
    assert [(one.name, one.where) for one in rules.deny] == [
        ("b", "$HOOKRT_PLUGINS__DENY"),
        ("c", "$HOOKRT_PLUGINS__DENY"),
    ]


def test_a_denied_action_is_a_problem_that_names_the_line(file):
    path = file("service:\n  plugins:\n    deny: [log]\n")
    [problem] = problems(path, {})
    assert "there is no action 'log'" in problem
    assert f"denied by `service.plugins.deny` at {path}:3:12" in problem


def test_a_name_that_nothing_has_is_a_warning(file):
    [problem] = problems(file("service: {plugins: {deny: [webhok]}}\n"), {})
    assert problem == "warning: no installed plugin is called 'webhok' (did you mean 'webhook'?)"


def test_an_expression_cannot_name_a_plugin(file):
    [problem] = problems(file('service: {plugins: {deny: ["${{ env.X }}"]}}\n'), {"X": "log"})
    assert "`plugins.deny` takes no `${{ }}`" in problem


def test_a_hook_without_the_denied_plugin_is_as_it_was(file):
    assert problems(file("service: {plugins: {deny: [python]}}\n"), {}) == []
