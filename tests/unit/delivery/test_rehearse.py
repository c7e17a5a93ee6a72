"""What a hook would do for an event, with nothing done."""

import asyncio
from typing import Any, ClassVar

import pytest

from hookrt.clock import SystemClock, from_us
from hookrt.delivery.ports import Ports
from hookrt.delivery.rehearse import Rehearsal
from hookrt.errors import ExpressionError
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Names
from hookrt.matching.router import Router
from hookrt.model.attempt import Exchange
from hookrt.model.event import Event
from hookrt.model.hook import Hook, Scope, SigningSecret, Step
from hookrt.model.ids import IdSource, message_id
from hookrt.model.outcome import Outcome
from hookrt.plugin import Secret, Settings, SigningSecrets
from hookrt.plugin.action import Action, ActionCall
from hookrt.plugin.protocols import HttpError
from hookrt.store.memory.store import MemoryStore

EVENT = Event("e1", "A.B", "http", from_us(0), content=b'{"n": 1}')


class Call(Settings):
    url: str = "https://example.com/x"
    token: Secret | None = None
    keys: SigningSecrets = ()


class Sends(Action[Call]):
    name = "sends"
    only_sends: ClassVar[bool] = True

    async def run(self, call: ActionCall[Call]) -> Outcome:
        if call.settings.url == "none":
            return Outcome.reject("bad-url", "there is none")
        if call.settings.url == "bug":
            raise KeyError("x")
        response = await call.http.send("POST", call.settings.url, headers={"webhook-id": call.message_id})
        return Outcome.from_response(response)


class Acts(Action[Call]):
    name = "acts"
    ran = 0

    async def run(self, call: ActionCall[Call]) -> Outcome:
        type(self).ran += 1
        return Outcome.done()


class Unsent:
    """Records one request, and sends none."""

    client: Any = None

    def __init__(self) -> None:
        self.exchange: Exchange | None = None

    async def send(self, method: str, url: str, *, headers: Any = None, **_: Any) -> Any:
        self.exchange = Exchange(method, url, headers or {})
        raise HttpError("not-sent", "a rehearsal")


class Fixed:
    def __init__(self, settings: Call | None) -> None:
        self.settings = settings

    def render(self, scope: Scope) -> Call:
        if self.settings is None:
            raise ExpressionError("steps.first has no output")
        return self.settings


def step(identity: str, settings: Call | None, action: str = "sends", when: str | None = None) -> Step:
    names = Names(steps=("first",), all_steps=("first",), with_steps=True)
    condition = compile_condition(when, names) if when else None
    return Step(identity, action, Fixed(settings), "lane", when=condition)


@pytest.fixture
def rehearse():
    def run(*steps: Step) -> list:
        clock = SystemClock()
        ports = Ports(
            store=MemoryStore(clock),
            clock=clock,
            random=lambda: 0.5,
            ids=IdSource(clock.now_us),
            router=Router(),
            actions={"sends": Sends(), "acts": Acts()},
            way_out=None,  # type: ignore[arg-type]
            log=None,  # type: ignore[arg-type]
            mask=lambda text: text.replace("hush", "***"),
        )
        hook = Hook("h", ("A.B",), steps)
        return asyncio.run(Rehearsal(ports, lambda trusted, seconds: Unsent()).rehearse(EVENT, hook))

    return run


def test_a_step_that_only_sends_shows_its_request_with_the_real_message_id(rehearse):
    [shown] = rehearse(step("first", Call()))
    expected = {"webhook-id": message_id("http", "e1", "h", "first")}
    assert (shown.request.method, shown.request.url, shown.request.request_headers) == (
        "POST",
        "https://example.com/x",
        expected,
    )
    assert shown.note is None


def test_a_step_that_does_more_is_not_run_and_shows_its_settings_without_secrets(rehearse):
    secret = Call(url="https://hush.example.com", token="abc", keys=(SigningSecret("whsec_abc"),))
    [shown] = rehearse(step("first", secret, "acts"))
    assert Acts.ran == 0
    assert shown.request is None
    assert shown.settings == {"url": "https://***.example.com", "token": "**********", "keys": "***"}


def test_a_step_whose_condition_is_false_would_be_skipped(rehearse):
    [shown] = rehearse(step("first", Call(), when="event.data.n > 5"))
    assert "skipped" in shown.note


def test_what_depends_on_an_earlier_step_says_so(rehearse):
    _, second, third = rehearse(
        step("first", Call()), step("second", None), step("third", Call(), when="steps.first.output == 3")
    )
    assert second.note.startswith("it depends on what the steps before it give")
    assert third.note.startswith("it depends on what the steps before it give")


@pytest.mark.parametrize(("url", "note"), [("none", "bad-url: there is none"), ("bug", "KeyError: 'x'")])
def test_a_step_that_would_fail_says_why(rehearse, url, note):
    [shown] = rehearse(step("first", Call(url=url)))
    assert (shown.request, shown.note) == (None, note)


def test_an_action_that_is_not_there_is_named(rehearse):
    [shown] = rehearse(step("first", Call(), "nothing"))
    assert "'nothing' is not installed" in shown.note
