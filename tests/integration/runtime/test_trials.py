"""Tests of hooks from Python, events for one hook only, and samples of plugins."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hookrt import Runtime
from hookrt.errors import EventError, NotFound
from hookrt.model.delivery import Status, StepStatus
from hookrt.model.event import EventDraft
from hookrt.plugin import (
    Action,
    ActionCall,
    Inbound,
    InboundSettings,
    InboundSource,
    Outcome,
    Received,
    SampleEvent,
    Settings,
)
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import Registry
from hookrt.runtime.hook_trials import TrialOrder
from hookrt.testing import Answer, Receiver


class AskSettings(Settings):
    url: str


class Ask(Action[AskSettings]):
    """Asks with httpx."""

    name = "ask"

    async def run(self, call: ActionCall[AskSettings]) -> Outcome:
        response = await call.http.client.post(call.settings.url, json={"subject": call.event.subject})
        return Outcome.from_response(response)


class ShopSettings(InboundSettings):
    """Of a shop."""


class Shop(InboundSource[ShopSettings]):
    """A shop that shows what its events look like."""

    name = "shop"

    def receive(self, request: Inbound, settings: ShopSettings) -> Received:
        return Received("order.paid")

    @classmethod
    def samples(cls, now: datetime) -> Mapping[str, SampleEvent]:
        return {"order.paid": SampleEvent({"order": 17, "at": now.isoformat()}, "17")}


class Broken(Shop):
    """A shop whose samples are none."""

    name = "broken"

    @classmethod
    def samples(cls, now: datetime) -> Mapping[str, SampleEvent]:
        raise RuntimeError("no samples today")


def registry() -> Registry:
    plugins = load_plugins()
    plugins.add_action(Ask)
    plugins.add_source(Broken)
    plugins.add_source(Shop)
    return plugins


HOOKS = """
service: {egress: {allow: [127.0.0.0/8]}, poll: 50ms}
hooks:
  ask:
    on: "order.**"
    steps: [{ask: {url: URL/ask}}]
  other:
    on: order.paid
    steps: [{log: paid}]
"""


@pytest.fixture
def made(tmp_path: Path) -> Any:
    def make(url: str = "http://127.0.0.1:9") -> Runtime:
        (tmp_path / "hooks.yaml").write_text(HOOKS.replace("URL", url))
        return Runtime.from_file(tmp_path / "hooks.yaml", registry=registry(), env={})

    return make


def test_a_test_marks_requests_of_an_httpx_client_too_and_uses_the_plugins_sample(made: Any) -> None:
    async def run() -> None:
        async with Receiver() as receiver, made(receiver.url) as runtime:
            trial = await runtime.control.trials.run("ask", TrialOrder())
            assert (trial.result.event.type, trial.sample.plugin, trial.result.failed) == ("order.paid", "shop", None)
            [request] = receiver.requests
            assert (request.headers["hookrt-test"], request.json) == ("true", {"subject": "17"})
            receiver.answer(Answer(500))
            trial = await runtime.control.trials.run("ask", TrialOrder("order.lost", b"1"))
            assert trial.result.failed.result.status is StepStatus.FAILED
            assert trial.result.telling.exchange.status == 500
            assert len(receiver.requests) == 2

    asyncio.run(run())


def test_a_plugin_whose_samples_fail_costs_the_others_nothing(made: Any) -> None:
    async def run() -> None:
        async with made() as runtime:
            samples = runtime.control.trials.samples
            assert samples.find("order.paid").data["order"] == 17
            assert samples.find("PostSignIn").plugin == "logto"
            with pytest.raises(NotFound, match=r"did you mean 'order\.paid'"):
                samples.find("order.payed")

    asyncio.run(run())


def test_an_unknown_hook_and_a_bad_type_are_errors(made: Any) -> None:
    async def run() -> None:
        async with made() as runtime:
            with pytest.raises(NotFound):
                await runtime.control.trials.run("nobody", TrialOrder())
            with pytest.raises(EventError):
                await runtime.control.trials.run("ask", TrialOrder("a b"))

    asyncio.run(run())


def test_an_event_for_one_hook_only_goes_by_way_of_the_process_that_delivers(made: Any) -> None:
    async def run() -> None:
        async with made() as leader, made() as follower:
            assert (leader.leading, follower.leading) == (True, False)
            drafts = [EventDraft("order.paid", only="other"), EventDraft("order.paid", only="other")]
            for receipts in ([await follower.accept(drafts[:1])], [await follower.accept(drafts)]):
                for receipt in receipts[0]:
                    [delivery] = await receipt.wait(timeout=20)
                    assert (delivery.hook, delivery.status) == ("other", Status.SUCCEEDED)

    asyncio.run(run())
