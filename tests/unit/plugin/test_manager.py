"""Loading plugins: each guarded, each with its distribution and version, always in the same order."""

import warnings

import pytest

from hookrt.plugin.manager import load_plugins

HEAD = "from hookrt.plugin import Action, Observer, Outcome, Settings, Source, impl\n"


def only(registry):
    (plugin,) = registry.plugins
    return plugin


def errors_of(module_of, source):
    registry = load_plugins((), [module_of(HEAD + source)])
    return only(registry).errors


def test_what_a_plugin_brings_is_there_with_its_distribution_and_version(installed, bringing):
    registry = load_plugins(installed("hookrt-sms", "2.1", main=bringing("sms")))
    plugin = only(registry)
    assert (plugin.distribution, plugin.version, plugin.entry_point, plugin.module) == (
        "hookrt-sms",
        "2.1",
        "main",
        "hookrt_sms_main",
    )
    assert plugin.actions == ("sms",)
    assert plugin.errors == ()
    assert registry.actions["sms"] is registry.actions["hookrt-sms:sms"]
    assert str(plugin) == "hookrt-sms 2.1"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (None, "it cannot be imported: ModuleNotFoundError: No module named 'hookrt_bad_main'"),
        ("x = 1", "it implements no plugin point"),
        (
            HEAD + "@impl\ndef hookrt_actions(): raise RuntimeError('no\\nluck')",
            "hookrt_actions failed: RuntimeError: no luck",
        ),
        (HEAD + "@impl\ndef hookrt_actions(): raise SystemExit(3)", "hookrt_actions failed: SystemExit: 3"),
        (HEAD + "@impl\nasync def hookrt_actions(): return []", "hookrt_actions is async"),
        (HEAD + "async def later(): return []\n@impl\ndef hookrt_actions(): return later()", "it returned a coroutine"),
        (HEAD + "@impl\nasync def hookrt_actions(): yield 1", "hookrt_actions is async"),
        (HEAD + "@impl\ndef hookrt_actions(): pass", "it must return a list, not NoneType"),
        (HEAD + "@impl\ndef hookrt_actions(): return Action", "it must return a list, not type"),
        (HEAD + "@impl\ndef hookrt_actions(): return 'sms'", "it must return a list, not str"),
        (HEAD + "@impl\ndef hookrt_actions(): yield 1 / 0", "hookrt_actions failed: ZeroDivisionError"),
        (HEAD + "@impl\ndef hookrt_actions(config): return []", "it does not fit the plugin points"),
        (
            HEAD + "@impl\ndef hookrt_action(): return []",
            "no plugin point: did you mean hookrt_actions?",
        ),
        (HEAD + "@impl\ndef whatever(): return []", "whatever is no plugin point; there are hookrt_actions"),
        (HEAD + "@impl(wrapper=True)\ndef hookrt_actions(): return (yield)", "hookrt_actions is a wrapper"),
    ],
)
def test_a_broken_plugin_is_reported_and_the_rest_goes_on(installed, bringing, broken, said):
    entry_points = [*installed("hookrt-bad", "0.3", main=broken), *installed("hookrt-sms", main=bringing("sms"))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry = load_plugins(entry_points)
    bad, good = registry.plugins
    assert (bad.distribution, bad.version) == ("hookrt-bad", "0.3")
    assert said in bad.errors[0]
    assert "\n" not in bad.errors[0]
    assert "Traceback" not in bad.errors[0]
    assert good.errors == ()
    assert "sms" in registry.actions


def test_ctrl_c_while_a_plugin_loads_is_not_swallowed(installed):
    with pytest.raises(KeyboardInterrupt):
        load_plugins(installed("hookrt-slow", main=HEAD + "@impl\ndef hookrt_actions(): raise KeyboardInterrupt"))


def test_one_raising_implementation_does_not_lose_the_plugins_others(module_of):
    source = """
class Watch(Observer):
    pass

@impl
def hookrt_actions(): raise ValueError("no")

@impl
def hookrt_observers(): return [Watch()]
"""
    registry = load_plugins((), [module_of(HEAD + source)])
    assert len(registry.observers) == 1
    assert only(registry).errors == ("hookrt_actions failed: ValueError: no (plugin_under_test.py:7)",)


def test_one_bad_class_does_not_lose_the_others_beside_it(module_of):
    source = """
class Good(Action[Settings]):
    name = "good"
    async def run(self, call): return Outcome.done()

class Bad(Action[Settings]):
    name = "Bad Name"
    async def run(self, call): return Outcome.done()

@impl
def hookrt_actions(): return [Bad, Good, 7]
"""
    registry = load_plugins((), [module_of(HEAD + source)])
    assert list(registry.actions) == ["plugin_under_test:good", "good"]
    assert len(only(registry).errors) == 2
    assert "the action Bad cannot be used: its name is 'Bad Name'" in only(registry).errors[0]
    assert "an object of int is no subclass of hookrt.plugin.Action" in only(registry).errors[1]


def test_a_class_that_cannot_even_be_examined_is_reported(module_of):
    source = """
class Meta(type(Action)):
    def __getattribute__(cls, name):
        if name == "short": raise LookupError("surprise")
        return super().__getattribute__(name)

class Odd(Action[Settings], metaclass=Meta):
    name = "odd"
    async def run(self, call): return Outcome.done()

@impl
def hookrt_actions(): return [Odd]
"""
    (error,) = errors_of(module_of, source)
    assert error == "the action Odd cannot be examined: LookupError: surprise (plugin_under_test.py:5)"


def test_every_plugin_point_is_asked(module_of):
    source = """
class Tick(Source[Settings]):
    name = "tick"
    async def run(self, source): pass

class Vault:
    def get(self, name): return None

@impl
def hookrt_sources(): return (Tick,)

@impl
def hookrt_secret_providers(): return [Vault()]

@impl
def hookrt_observers(): return iter([Observer()])
"""
    registry = load_plugins((), [module_of(HEAD + source)])
    assert only(registry).errors == ()
    assert list(registry.sources) == ["plugin_under_test:tick", "tick"]
    assert [type(one).__name__ for one in registry.secret_providers] == ["Vault"]
    assert len(registry.observers) == 1


def test_two_distributions_with_one_name_are_an_error_and_dist_name_says_which(installed, bringing):
    registry = load_plugins(
        [*installed("hookrt-sms", main=bringing("sms")), *installed("acme-sms", main=bringing("sms"))]
    )
    assert registry.ambiguous == {"sms": ("acme-sms", "hookrt-sms")}
    assert "sms" not in registry.actions
    assert registry.actions["acme-sms:sms"] is not registry.actions["hookrt-sms:sms"]
    assert registry.why_missing("sms") == "several plugins bring 'sms': write acme-sms:sms or hookrt-sms:sms"
    for plugin in registry.plugins:
        assert plugin.errors == (f"'sms' is brought by acme-sms and hookrt-sms: write {plugin.distribution}:sms",)


@pytest.mark.parametrize("thief", ["acme", "zzz-hooks"])
def test_a_built_in_name_cannot_be_taken_silently(installed, bringing, thief):
    registry = load_plugins([*installed("hookrt", log=bringing("log")), *installed(thief, "6", main=bringing("log"))])
    assert "log" not in registry.actions
    assert {"hookrt:log", f"{thief}:log"} <= registry.actions.keys()
    assert set(registry.ambiguous["log"]) == {"hookrt", thief}
    blamed = {plugin.distribution: plugin.errors for plugin in registry.plugins}
    assert blamed["hookrt"] == ()
    assert "'log' is brought by" in blamed[thief][0]


def test_an_action_and_a_source_may_share_a_name(installed, bringing):
    source = (
        HEAD
        + """
class Sms(Source[Settings]):
    name = "sms"
    async def run(self, source): pass

@impl
def hookrt_sources(): return [Sms]
"""
    )
    registry = load_plugins([*installed("a", main=bringing("sms")), *installed("b", main=source)])
    assert registry.ambiguous == {}
    assert registry.actions["sms"].name == registry.sources["sms"].name
    assert all(plugin.errors == () for plugin in registry.plugins)


def test_a_name_that_one_distribution_brings_twice_stays_with_the_first(installed, bringing):
    registry = load_plugins(installed("hookrt-sms", one=bringing("sms"), two=bringing("sms")))
    first, second = registry.plugins
    assert first.errors == ()
    assert second.errors == ("the action 'sms' is brought twice",)
    assert registry.actions["sms"].__module__ == "hookrt_sms_one"


def test_two_entry_points_of_one_module_are_reported(installed, bringing, monkeypatch):
    import sys

    entry_points = installed("hookrt-sms", one=bringing("sms"), two=None)
    monkeypatch.setitem(sys.modules, "hookrt_sms_two", sys.modules["hookrt_sms_one"])
    registry = load_plugins(entry_points)
    assert registry.plugins[1].errors == ("it names the same module as the entry point one of hookrt-sms",)
    assert "sms" in registry.actions


def test_plugins_come_in_the_order_of_their_distributions_names(installed, bringing):
    entry_points = [
        *installed("zeta", main=bringing("z")),
        *installed("Alpha.Hooks", b=bringing("b"), a=bringing("a")),
        *installed("mid", main=bringing("m")),
    ]
    for shuffled in (entry_points, entry_points[::-1]):
        registry = load_plugins(shuffled)
        assert [(plugin.distribution, plugin.entry_point) for plugin in registry.plugins] == [
            ("alpha-hooks", "a"),
            ("alpha-hooks", "b"),
            ("mid", "main"),
            ("zeta", "main"),
        ]
        assert list(registry.actions) == ["alpha-hooks:a", "a", "alpha-hooks:b", "b", "mid:m", "m", "zeta:z", "z"]


def test_an_entry_point_without_a_distribution_goes_by_its_module(installed, bringing):
    import importlib.metadata

    (found,) = installed("hookrt-sms", main=bringing("sms"))
    bare = importlib.metadata.EntryPoint(found.name, found.value, found.group)
    assert only(load_plugins([bare])).distribution == "hookrt_sms_main"


def test_control_characters_in_an_error_are_not_passed_on(module_of):
    (error,) = errors_of(module_of, "@impl\ndef hookrt_actions(): raise ValueError('\\x1b[2Jgone\\x00')")
    assert error.isprintable()


def test_an_error_whose_text_fails_is_reported_by_its_type(module_of):
    source = """
class Mute(Exception):
    def __str__(self): raise RuntimeError

@impl
def hookrt_actions(): raise Mute
"""
    assert errors_of(module_of, source) == ("hookrt_actions failed: Mute (plugin_under_test.py:7)",)


def test_a_very_long_error_is_cut(module_of):
    (error,) = errors_of(module_of, "@impl\ndef hookrt_actions(): raise ValueError('x' * 100_000)")
    assert len(error) < 600
