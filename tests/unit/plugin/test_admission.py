"""What an action or a source must be like; every fault is named."""

from abc import abstractmethod
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from hookrt.plugin import Action, Observer, Outcome, Settings, Source, action
from hookrt.plugin.admission import (
    STEP_KEYS,
    action_faults,
    name_of,
    observer_faults,
    secret_provider_faults,
    source_faults,
)


class Model(Settings):
    to: str
    text: str = ""


class Sound(Action[Model]):
    name = "sound"
    short = "to"
    static = frozenset({"text"})

    async def run(self, call):
        return Outcome.done()


def variant(**attributes):
    return type("Variant", (Sound,), attributes)


def test_a_sound_action_has_no_faults():
    assert action_faults(Sound) == []


def test_a_function_made_an_action_has_no_faults():
    @action("sms")
    async def sms(call: Any, *, to: str, text: str = "") -> dict[str, str]:
        return {}

    @action("blocking")
    def blocking(call: Any) -> None:
        return None

    assert action_faults(sms) == []
    assert action_faults(blocking) == []


@pytest.mark.parametrize("thing", [None, 7, "sms", Action, Settings, Sound()])
def test_only_subclasses_of_action_are_actions(thing):
    (fault,) = action_faults(thing)
    assert "no subclass of hookrt.plugin.Action" in fault


@pytest.mark.parametrize(
    "name", ["", "Sms", "1sms", "_sms", "sms-2", "sms.x", "s ms", "sms\n", "ü", "x" * 65, 7, None, b"sms"]
)
def test_a_name_is_lower_case_letters_digits_and_underscores(name):
    assert any("name" in fault for fault in action_faults(variant(name=name)))


@pytest.mark.parametrize("name", sorted(STEP_KEYS))
def test_action_names_that_are_step_keys_are_refused(name):
    assert action_faults(variant(name=name)) == [f"its name is {name!r}, which is a key of every step"]


def test_an_action_without_a_name_is_refused():
    class Nameless(Action[Model]):
        async def run(self, call):
            return Outcome.done()

    assert action_faults(Nameless) == ["it has no `name`"]


def test_an_action_without_a_settings_model_is_refused():
    class Unsettled(Action):
        name = "unsettled"

        async def run(self, call):
            return Outcome.done()

    (fault,) = action_faults(Unsettled)
    assert "no settings model" in fault


@pytest.mark.parametrize("model", [dict, 7, "Model", type("Loose", (), {})])
def test_settings_must_be_hookrts(model):
    (fault, *_) = action_faults(variant(settings=model, short=None, static=frozenset()))
    assert "no subclass of hookrt.plugin.Settings" in fault


class Unshowable:
    """A type that pydantic takes, and JSON Schema does not."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)


class Opaque(Settings):
    thing: Unshowable


def test_settings_must_give_a_json_schema():
    (fault,) = action_faults(variant(settings=Opaque, short=None, static=frozenset()))
    assert "settings give no JSON Schema" in fault
    (fault,) = action_faults(variant(service_settings=Opaque))
    assert "service_settings give no JSON Schema" in fault


def test_text_files_are_no_settings_and_lead_to_static_ones():
    assert action_faults(variant(text_files={"file": "text"})) == []
    assert action_faults(variant(text_files={"text": "nope"})) == [
        "its `text_files` names 'text', which is one of its settings",
        "its `text_files` leads to 'nope', which is none of its `static` settings",
    ]
    (fault,) = action_faults(variant(text_files="file"))
    assert "`text_files`" in fault
    assert "wrong kind" in fault


def test_the_short_form_and_static_settings_must_be_settings():
    assert action_faults(variant(short="nope")) == ["its `short` is 'nope', which is none of its settings"]
    assert action_faults(variant(static={"nope", "text"})) == [
        "its `static` names 'nope', which is none of its settings"
    ]
    assert action_faults(variant(html={"nope", "to"})) == ["its `html` names 'nope', which is none of its settings"]


@pytest.mark.parametrize(("attribute", "value"), [("retry", 3), ("default_timeout", 5), ("reasons", ["a"])])
def test_policy_values_must_be_of_their_kind(attribute, value):
    (fault,) = action_faults(variant(**{attribute: value}))
    assert f"`{attribute}`" in fault
    assert action_faults(variant(default_timeout=timedelta(seconds=5), reasons={"a": "b"})) == []


def test_run_must_be_there_and_may_be_plain():
    class Idle(Action[Model]):
        name = "idle"

    assert action_faults(Idle) == ["it has no `run`"]
    assert action_faults(variant(run=lambda self, call: Outcome.done())) == []
    assert action_faults(variant(run=None)) == ["its `run` is no `async def`"]


def test_open_and_close_are_async_and_checks_and_lane_are_not():
    async def later(self, *_):
        return None

    found = action_faults(
        variant(open=lambda self, setup: None, close=None, expect_checks=later, check=later, lane=later)
    )
    assert found == [
        "its `open` is no `async def`",
        "its `close` is no `async def`",
        "its `expect_checks` must be a plain `def`, not async",
        "its `check` must be a plain `def`, not async",
        "its `lane` must be a plain `def`, not async",
    ]


def test_an_action_is_made_without_arguments():
    class Needy(Sound):
        def __init__(self, client):
            self.client = client

    (fault,) = action_faults(Needy)
    assert "without arguments" in fault


def test_an_abstract_action_is_refused():
    from abc import ABC

    class Half(Sound, ABC):
        @abstractmethod
        def more(self): ...

    assert action_faults(Half) == ["it is abstract"]


def test_nothing_of_a_class_is_run_while_it_is_examined():
    made = []

    class Eager(Sound):
        instances: ClassVar = made

        def __init__(self):
            made.append(self)

    assert action_faults(Eager) == []
    assert made == []


def test_a_source_is_examined_likewise():
    class Tick(Source[Model]):
        name = "tick"
        short = "to"

        async def run(self, source):
            return None

    class Bad(Source):
        name = "Bad"
        short = "nope"

        async def types(self, settings):
            return None

    assert source_faults(Tick) == []
    assert len(source_faults(Bad)) == 4
    assert "no subclass of hookrt.plugin.Source" in source_faults(Sound)[0]


def test_a_source_may_be_named_like_a_step_key():
    class When(Source[Model]):
        name = "when"

        async def run(self, source):
            return None

    assert source_faults(When) == []


def test_secret_providers_and_observers_are_objects_with_plain_methods():
    class Vault:
        def get(self, name):
            return None

    class LateVault:
        async def get(self, name):
            return None

    assert secret_provider_faults(Vault()) == []
    assert "Vault is a class: return an object of it" in secret_provider_faults(Vault)[0]
    assert "must be a plain `def`" in secret_provider_faults(LateVault())[0]
    assert "no method `get`" in secret_provider_faults(object())[0]
    assert observer_faults(Observer()) == []
    assert "no method `attempt_recorded`" in observer_faults(object())[0]


def test_the_name_of_a_class_is_only_a_text():
    assert name_of(Sound) == "sound"
    assert name_of(variant(name=7)) is None
    assert name_of(object()) is None
