"""The registry: classes from code, and why something is missing."""

import pytest

from hookrt.errors import PluginError
from hookrt.plugin import Action, Outcome, Settings, Source
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import PluginInfo, Registry


def action_named(given):
    class Made(Action[Settings]):
        name = given

        async def run(self, call):
            return Outcome.done()

    return Made


def source_named(given):
    class Made(Source[Settings]):
        name = given

        async def run(self, source):
            return None

    return Made


def test_an_action_registered_in_code_goes_by_its_name():
    registry, sms = Registry(), action_named("sms")
    registry.add_action(sms)
    assert registry.actions == {"sms": sms}


def test_a_distribution_given_in_code_makes_the_long_name_too():
    registry, sms = Registry(), action_named("sms")
    registry.add_action(sms, "my-app")
    assert registry.actions == {"my-app:sms": sms, "sms": sms}
    assert registry.holders("action", "sms") == ("my-app",)


def test_an_unfit_class_is_refused_at_once_with_every_reason():
    with pytest.raises(PluginError, match="Made cannot be used: its name is 'Bad'"):
        Registry().add_action(action_named("Bad"))
    with pytest.raises(PluginError, match=r"no subclass of hookrt\.plugin\.Action"):
        Registry().add_action(7)


def test_a_taken_name_is_refused_at_once_and_nothing_changes(installed, bringing):
    registry = load_plugins(installed("hookrt-sms", main=bringing("sms")))
    before = dict(registry.actions)
    with pytest.raises(PluginError, match="the action 'sms' cannot be added: hookrt-sms brought one of that name"):
        registry.add_action(action_named("sms"))
    assert registry.actions == before
    assert registry.ambiguous == {}


def test_the_same_name_twice_from_code_is_refused():
    registry = Registry()
    registry.add_action(action_named("sms"))
    with pytest.raises(PluginError, match="this program brought one of that name"):
        registry.add_action(action_named("sms"))


def test_sources_are_registered_likewise():
    registry, tick = Registry(), source_named("tick")
    registry.add_source(tick, "my-app")
    assert registry.sources == {"my-app:tick": tick, "tick": tick}
    with pytest.raises(PluginError, match="my-app brought"):
        registry.add_source(source_named("tick"))


def test_registries_do_not_share_anything():
    Registry().add_action(action_named("sms"))
    assert Registry().actions == {}


def test_nothing_is_known_of_a_name_that_nobody_brings():
    assert Registry().why_missing("sms") is None


@pytest.mark.parametrize("name", ["sms", "main", "hookrt-sms", "hookrt-sms:main"])
def test_a_plugin_that_failed_is_named_where_it_is_likely_the_one(installed, name):
    registry = load_plugins(installed("hookrt-sms", "1.2", main=None))
    said = registry.why_missing(name)
    assert said.startswith("the plugin hookrt-sms 1.2 failed to load: it cannot be imported")


def test_a_plugin_that_failed_as_a_whole_is_among_the_absentees(installed, bringing):
    points = [*installed("hookrt-sms", main=None), *installed("fine", good=bringing("good"))]
    said = load_plugins(points).absentees()
    assert said.startswith("the plugin hookrt-sms 1.0 failed to load: it cannot be imported")


@pytest.mark.parametrize("name", ["sms", "hookrt-x:sms"])
def test_an_action_that_was_refused_is_named_with_the_reason(installed, bringing, name):
    registry = load_plugins(installed("hookrt-x", "3", main=bringing("sms", "short = 'nope'")))
    assert registry.why_missing(name) == (
        "the plugin hookrt-x 3 brings 'sms', but the action Brought cannot be used: "
        "its `short` is 'nope', which is none of its settings"
    )


def test_a_plugin_without_a_version_is_shown_by_its_name():
    assert str(PluginInfo("main", "my_module", "", "my_module")) == "my_module"
