"""`service.plugins`: what is denied is not even imported; functions that plugins bring; deprecations."""

import warnings

import pytest

from hookrt.plugin import HookrtDeprecation, warn_deprecated
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.rules import PluginRule, PluginRules

FUNCTION = """
from hookrt.plugin import cel_function, impl

@cel_function("slug")
def slug(text: str) -> str:
    "A slug."
    return text

@impl
def hookrt_functions():
    return [slug]
"""


def rules(*, allow=None, deny=()):
    made = [PluginRule(name, f"hooks.yaml:2:{number}") for number, name in enumerate(deny, 1)]
    allowed = None if allow is None else [PluginRule(name, "hooks.yaml:3:1") for name in allow]
    return PluginRules(allowed, made, "hooks.yaml:3:1")


@pytest.mark.parametrize("name", ["acme-hooks", "Acme_Hooks", "sms", "acme-hooks:sms"])
def test_a_denied_plugin_is_not_imported(installed, name):
    points = installed("acme-hooks", sms=None)  # there is no such module: an import would be an error
    registry = load_plugins(points, rules=rules(deny=[name]))
    [plugin] = registry.plugins
    assert plugin.errors == ()
    assert plugin.denied == "denied by `service.plugins.deny` at hooks.yaml:2:1"
    assert registry.why_missing("sms") == (
        "the plugin 'sms' of acme-hooks 1.0 is denied by `service.plugins.deny` at hooks.yaml:2:1"
    )


def test_with_an_allow_only_what_it_names_is_loaded(installed, bringing):
    points = [*installed("a", one=bringing("one")), *installed("b", two=bringing("two"))]
    registry = load_plugins(points, rules=rules(allow=["a"]))
    assert "one" in registry.actions
    assert "two" not in registry.actions
    assert "not among `service.plugins.allow` at hooks.yaml:3:1" in registry.why_missing("two")


def test_an_empty_allow_leaves_hookrts_own():
    registry = load_plugins(rules=rules(allow=[]))
    assert "webhook" in registry.actions
    assert {plugin.distribution for plugin in registry.plugins if plugin.denied is None} == {"hookrt"}


def test_deny_wins_over_allow(installed, bringing):
    registry = load_plugins(installed("a", one=bringing("one")), rules=rules(allow=["a"], deny=["one"]))
    assert registry.actions == {}


def test_one_of_hookrts_own_can_be_denied():
    registry = load_plugins(rules=rules(deny=["python"]))
    assert "python" not in registry.actions
    assert "webhook" in registry.actions


def test_a_plugin_brings_functions(installed):
    registry = load_plugins(installed("a", f=FUNCTION))
    assert [one.name for one in registry.functions] == ["slug"]
    assert registry.plugins[0].functions == ("slug",)


def test_a_function_that_two_distributions_bring_belongs_to_neither(installed):
    registry = load_plugins([*installed("a", f=FUNCTION), *installed("b", f=FUNCTION)])
    assert registry.functions == ()
    assert "the function slug() is brought by a and b" in registry.plugins[1].errors[0]
    assert "slug() is brought by several plugins" in registry.why_no_function()


@pytest.mark.parametrize(
    ("answer", "said"),
    [("[len]", "make it with @hookrt.plugin.cel_function"), ("[cel_function('get')(slug.call)]", "every expression")],
)
def test_an_unfit_function_is_reported_and_left_out(installed, answer, said):
    registry = load_plugins(installed("a", f=FUNCTION.replace("[slug]", answer)))
    assert registry.functions == ()
    assert said in registry.plugins[0].errors[0]


def test_a_deprecation_names_the_version_and_what_there_is_instead():
    def old():
        warn_deprecated("hookrt.plugin.old", until="0.3", instead="hookrt.plugin.new")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        old()
    [warning] = caught
    assert warning.category is HookrtDeprecation
    assert str(warning.message) == (
        "hookrt.plugin.old is deprecated and will be gone in hookrt 0.3: use hookrt.plugin.new"
    )
    assert warning.filename == __file__
