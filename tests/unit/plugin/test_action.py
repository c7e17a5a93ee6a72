"""The two doors to an action: a class, and a function that becomes one."""

import asyncio
import threading
from typing import Any, Generic, TypeVar

import pytest
from pydantic import ValidationError

from hookrt.plugin import Action, Outcome, Settings, Source, action
from hookrt.testing import attempt, call_for

T = TypeVar("T", bound=Settings)


class Model(Settings):
    to: str


class Other(Settings):
    text: str


class Sms(Action[Model]):
    name = "sms"

    async def run(self, call):
        return Outcome.done(call.settings.to)


def run(brought, **settings):
    made = brought()
    return asyncio.run(attempt(made, call_for(made, settings)))


def test_the_settings_model_is_the_type_parameter():
    assert Sms.settings is Model


def test_a_subclass_keeps_its_settings_or_brings_its_own():
    class Same(Sms):
        name = "same"

    class Changed(Sms):
        name = "changed"
        settings = Other

    class Middle(Action[T], Generic[T]):
        pass

    class Last(Middle[Other]):
        name = "last"

    assert Same.settings is Model
    assert Changed.settings is Other
    assert Last.settings is Other


def test_a_source_finds_its_settings_likewise():
    class Tick(Source[Model]):
        name = "tick"

    class Changed(Tick):
        settings = Other

    assert (Tick.settings, Changed.settings) == (Model, Other)


def test_the_signature_of_a_function_is_its_settings_model():
    @action("sms")
    async def sms(call: Any, *, to: str, text: str = "hi") -> dict[str, str]:
        """Send a text."""
        return {"to": to, "text": text, "event": call.event.id}

    assert (sms.name, sms.__doc__) == ("sms", "Send a text.")
    assert run(sms, to="+49").output == {"to": "+49", "text": "hi", "event": "evt_test"}
    with pytest.raises(ValidationError):
        run(sms, text="no recipient")
    with pytest.raises(ValidationError):
        run(sms, to="+49", unknown=1)


def test_a_function_may_return_an_outcome():
    @action("busy")
    async def busy(call: Any) -> Outcome:
        return Outcome.retry("busy")

    assert run(busy) == Outcome.retry("busy")


def test_a_plain_function_runs_in_a_thread():
    @action("where")
    def where(call: Any) -> bool:
        return threading.current_thread() is threading.main_thread()

    assert run(where).output is False


def test_a_function_may_say_that_http_is_all_it_reaches():
    @action("ask", only_http=True)
    async def ask(call):
        return None

    @action("dig")
    async def dig(call):
        return None

    assert (ask.only_http, dig.only_http) == (True, False)


def test_what_a_call_emits_belongs_to_the_outcome():
    @action("fan")
    async def fan(call: Any) -> None:
        call.emit("A.Happened", {"n": 1}, subject="s")
        call.emit("B.Happened", id="e2")

    events = run(fan).events
    assert [(one.type, one.data, one.subject, one.id) for one in events] == [
        ("A.Happened", {"n": 1}, "s", None),
        ("B.Happened", None, None, "e2"),
    ]


def test_an_action_does_nothing_on_opening_closing_and_checking_by_default():
    async def through():
        made = Sms()
        await made.open(None)
        await made.close()
        return list(made.check(Model(to="x"))), made.lane({"to": "x"})

    assert asyncio.run(through()) == ([], None)
