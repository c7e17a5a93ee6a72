"""The names of new plugins, and that nothing is written over."""

import pytest
from packaging.specifiers import SpecifierSet

from hookrt.cli.new_plugin import NewPlugin, compatible_with, write_plugin
from hookrt.errors import HookrtError


@pytest.mark.parametrize(
    ("written", "distribution", "package"),
    [
        ("sms", "hookrt-sms", "hookrt_sms"),
        ("hookrt-sms", "hookrt-sms", "hookrt_sms"),
        ("a_b", "hookrt-a-b", "hookrt_a_b"),
    ],
)
def test_names_follow_from_the_actions_name(written, distribution, package):
    plugin = NewPlugin.named(written, [])
    assert (plugin.distribution, plugin.package) == (distribution, package)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("My-Thing", "did you mean 'my_thing'?"),
        ("Send SMS", "did you mean 'send_sms'?"),
        ("import", "did you mean 'import_it'?"),
        ("1", "lower case letters"),
        ("", "lower case letters"),
        ("a/../b", "did you mean 'a_b'?"),
        ("x" * 99, "at most 41"),
        ("retry", "is a key of every step"),
        ("log", "there is an action 'log' already"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_one_that_can(written, said):
    with pytest.raises(HookrtError) as caught:
        NewPlugin.named(written, ["log"])
    assert said in str(caught.value)


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(HookrtError, match="is there already: nothing was written"):
        write_plugin(NewPlugin("sms"), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("running", "said", "not_with"),
    [
        ("0.1.0", "hookrt~=0.1.0", "0.2.0"),
        ("0.9.4", "hookrt~=0.9.0", "1.0"),
        ("0.2.0rc1", "hookrt~=0.2.0rc1", "0.3.0"),
        ("1.0", "hookrt~=1.0", "2.0"),
        ("1.4.2", "hookrt~=1.4", "2.0"),
        ("1.4.0.dev3", "hookrt~=1.4.dev3", "2.0"),
    ],
)
def test_a_new_plugin_depends_on_versions_that_are_compatible(running, said, not_with):
    assert compatible_with(running) == said
    allowed = SpecifierSet(said.removeprefix("hookrt"))
    assert allowed.contains(running)
    assert not allowed.contains(not_with)


def test_a_hookrt_without_a_version_is_no_demand():
    assert compatible_with("unknown") == "hookrt"
