"""The names of new plugins, and that nothing is written over."""

import pytest

from hookrt.cli.new_plugin import NewPlugin, write_plugin
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
