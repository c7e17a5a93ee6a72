"""Answers of webhooks and snippets, with one attempt each."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

WEBHOOK = 'h:\n  on: A.B\n  mode: decide\n  steps: [{{webhook: "{url}"}}]\n'


def test_the_body_of_a_webhook_s_answer_is_its_output(house: Any, endpoint: Any) -> None:
    async def run() -> None:
        async with endpoint() as found, house.runtime(WEBHOOK.format(url=f"{found.url}/allow")) as runtime:
            decision = await runtime.decide("A.B", {"n": 1}, timeout=20)
            assert (decision.decision, decision.data) == ("allow", {"n": 1, "seen": True})

    asyncio.run(run())


@pytest.mark.parametrize(("path", "cause"), [("html", "bad-answer"), ("broken", "status"), ("gone", "gone")])
def test_a_webhook_that_fails_is_asked_once(house: Any, endpoint: Any, path: str, cause: str) -> None:
    async def run() -> None:
        async with endpoint() as found, house.runtime(WEBHOOK.format(url=f"{found.url}/{path}")) as runtime:
            for _ in range(2):  # an endpoint that has gone disables no hook: who guards a door does not go unnoticed
                decision = await runtime.decide("A.B", timeout=20)
                assert decision.decision == "deny"
                assert decision.hooks[0].cause == cause
            assert found.asked == [f"/{path}"] * 2

    asyncio.run(run())


def test_a_blocked_address_is_no_permission(house: Any) -> None:
    async def run() -> None:
        hooks = 'h:\n  on: A.B\n  mode: decide\n  steps: [{webhook: "${{ event.data.url }}"}]\n'
        async with house.runtime(hooks) as runtime:
            decision = await runtime.decide("A.B", {"url": "http://169.254.169.254/"}, timeout=20)
            assert (decision.decision, decision.hooks[0].by) == ("deny", "on_error")

    asyncio.run(run())


SNIPPET = """
h:
  on: A.B
  mode: decide
  timeout: 30s
  steps:
    - python: |
        def run(event, ctx):
            if event["data"]["age"] < 18:
                return {"decision": "deny", "reason": "too young"}
            return {"decision": "allow", "patch": {"adult": True}}
"""


def test_a_snippet_answers(house: Any) -> None:
    async def run() -> None:
        async with house.runtime(SNIPPET) as runtime:
            decision = await runtime.decide("A.B", {"age": 3}, timeout=20)
            assert (decision.decision, decision.reason) == ("deny", "too young")
            assert (await runtime.decide("A.B", {"age": 30}, timeout=20)).data == {"age": 30, "adult": True}

    asyncio.run(run())


EMITS = """
asks:
  on: A.B
  mode: decide
  steps: [{emit: {type: Asked.About}}, {do: deny}]
hears:
  on: Asked.About
  steps: [{do: heard}]
"""


def test_what_a_step_emits_is_stored_and_delivered(house: Any) -> None:
    heard = asyncio.Event()

    async def hear(call: Any) -> Any:
        heard.set()

    house.behaviours["heard"] = hear

    async def run() -> None:
        async with house.runtime(EMITS) as runtime:
            assert not await runtime.decide("A.B", timeout=20)
            async with asyncio.timeout(20):
                await heard.wait()

    asyncio.run(run())
