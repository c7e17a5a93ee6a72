"""What must not open a door, hold it up, or pile up behind it: mistakes, slow conditions, attempts that never end."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from hookrt.delivery import decisions
from hookrt.plugin import cel_function
from hookrt.plugin.manager import load_plugins

HOOK = "h:\n  on: A.B\n  mode: decide\n  steps: [{do: allow}]\n"


@dataclass(frozen=True)
class Mistaken:
    """A condition with a mistake in it that nobody foresaw."""

    text: str = "oops"

    def holds(self, scope: Any) -> bool:
        raise KeyError("oops")

    def explain(self, scope: Any) -> list[Any]:
        return []


def test_a_mistake_in_a_condition_opens_no_door(house: Any, records: Any) -> None:
    async def run() -> None:
        async with house.runtime(HOOK) as runtime:
            runtime.router.put(replace(runtime.router.get("h"), when=Mistaken()))
            decision = await runtime.decide("A.B", timeout=20)
            assert (decision.decision, decision.hooks[0].cause) == ("deny", "condition")
            assert [one.reason for one in await records(runtime)] == ["deny: condition"]

    asyncio.run(run())


def test_slow_conditions_do_not_add_up_behind_the_deadline(house: Any) -> None:
    evaluated = []

    @cel_function("slow")
    def slow(what: str) -> bool:
        """Take a while."""
        time.sleep(0.03)
        evaluated.append(what)
        return False

    registry = load_plugins()
    registry.functions = (*registry.functions, slow)
    one = 'h{0}: {{on: A.B, mode: decide, on_error: allow, when: slow("{0}"), steps: [{{log: x}}]}}\n'

    async def run() -> None:
        async with house.runtime("".join(one.format(number) for number in range(200)), registry=registry) as runtime:
            decision = await runtime.decide("A.B", timeout=0.05)
            assert len(evaluated) < 20
            assert decision
            assert {said.cause for said in decision.hooks} == {"deadline"}

    asyncio.run(run())


def test_a_hook_whose_attempts_do_not_end_is_not_asked_for_ever_more_of_them(
    house: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "MOST_STUCK", 1)
    release = asyncio.Event()

    async def stubborn(call: Any) -> Any:
        house.ran.append(call.hook)
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return {"decision": "allow"}

    house.behaviours["stubborn"] = stubborn

    async def run() -> None:
        hooks = "h:\n  on: A.B\n  mode: decide\n  steps: [{do: stubborn}]\n"
        async with house.runtime(hooks + HOOK.replace("h:", "other:").replace("A.B", "C")) as runtime:
            await ask(runtime, lambda: house.ran)
            decision = await runtime.decide("A.B", timeout=20)
            assert (decision.decision, decision.hooks[0].cause) == ("deny", "stuck")
            assert house.ran == ["h"]
            assert await runtime.decide("C", timeout=20)  # others are asked
            release.set()
            async with asyncio.timeout(20):
                while not await runtime.decide("A.B", timeout=20):
                    await asyncio.sleep(0.01)

    asyncio.run(run())


def test_synchronous_code_has_its_answer_while_something_blocks_the_event_loop(house: Any) -> None:
    let_go, kept = threading.Event(), []

    async def blocks(call: Any) -> Any:
        kept.append(let_go.wait(20))
        return {"decision": "allow"}

    house.behaviours["blocks"] = blocks
    hooks = "".join(
        f"{name}:\n  on: A.B\n  mode: decide\n  on_error: {choice}\n  steps: [{{do: blocks}}]\n"
        for name, choice in (("a", "allow"), ("b", "deny"), ("c", "allow"))
    )
    with house.runtime(hooks).blocking() as runtime:
        try:
            decision = runtime.decide("A.B", {"n": 1}, timeout=0.1)
        finally:
            let_go.set()
    assert kept in ([], [True])  # it was blocked until we let it go
    assert (decision.decision, decision.data, decision.reason) == ("deny", {"n": 1}, "no answer: deadline")
    assert [(said.hook, said.decision, said.cause) for said in decision.hooks] == [
        ("a", "allow", "deadline"),
        ("b", "deny", "deadline"),
    ]


BUSY = """
busy:
  on: Work
  steps:
    - python: |
        def run(event, ctx):
            while True:
                pass
      timeout: 60s
asks:
  on: A.B
  mode: decide
  on_error: allow
  steps:
    - python: |
        def run(event, ctx):
            return {"decision": "deny"}
"""


def test_the_deadline_holds_while_deliveries_keep_all_workers_busy(house: Any) -> None:
    async def run() -> None:
        more = "service: {actions: {python: {workers: 1, spares: 0}}}"
        async with house.runtime(BUSY, more=more) as runtime:
            await runtime.emit("Work")
            async with asyncio.timeout(20):
                while not any(under_way for _, under_way in runtime.lanes.values()):
                    await asyncio.sleep(0.01)
            decision = await runtime.decide("A.B", timeout=0.3)
            assert (decision.decision, decision.hooks[0].cause) == ("allow", "deadline")
            await runtime.stop(drain=timedelta(0))

    asyncio.run(run())


def test_no_secret_stands_in_what_is_recorded_of_an_answer(house: Any, records: Any) -> None:
    def tells(call: Any) -> Any:
        return {"decision": "deny", "reason": "the key is hush-hush-hush"}

    house.says("tells", tells)

    async def run() -> None:
        more = 'destinations: {d: {url: "https://a.example", headers: {key: "${{ secrets.KEY }}"}}}'
        env = {"HOOKRT_SECRET_KEY": "hush-hush-hush"}
        async with house.runtime(HOOK.replace("allow", "tells"), more=more, env=env) as runtime:
            decision = await runtime.decide("A.B", timeout=20)
            assert decision.reason == "the key is ***"
            [record] = await records(runtime)
            assert "hush" not in json.dumps(record.results["do"].output)
            assert record.results["do"].output["decision"] == "deny"

    asyncio.run(run())
