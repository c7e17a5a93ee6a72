"""The deadline is one for the whole decision, and holds whatever an endpoint, a snippet or a plugin does.

Nothing here would ever end by itself: that a test ends shows that the deadline held.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hookrt.delivery import decision_step
from hookrt.model.delivery import Status

PATIENCE_S = 20.0


def webhook(name: str, url: str, on_error: str = "deny", *lines: str) -> str:
    extra = "".join(f"  {line}\n" for line in lines)
    return f'{name}:\n  on: A.B\n  mode: decide\n  on_error: {on_error}\n{extra}  steps: [{{webhook: "{url}"}}]\n'


LOOP = """
h:
  on: A.B
  mode: decide
  steps:
    - python: |
        def run(event, ctx):
            while True:
                pass
"""


@pytest.mark.parametrize("manner", ["hang", "trickle", "huge"])
def test_the_deadline_holds_whatever_the_endpoint_does(
    house: Any, endpoint: Any, records: Any, ask: Any, manner: str
) -> None:
    async def run() -> None:
        async with endpoint() as found, house.runtime(webhook("h", f"{found.url}/{manner}")) as runtime:
            decision, [attempt] = await ask(runtime, lambda: found.asked)
            [said] = decision.hooks
            assert (said.decision, said.by) == ("deny", "on_error")
            assert said.cause in {"deadline", "too-large"} - ({"too-large"} if manner != "huge" else set())
            assert {record.status for record in await records(runtime)} == {Status.DEAD}
            assert attempt.step == "webhook"
            assert attempt.outcome != "done"
            assert set(found.asked) == {f"/{manner}"}

    asyncio.run(run())


def test_the_deadline_holds_whatever_a_snippet_does(house: Any, records: Any) -> None:
    async def run() -> None:
        async with house.runtime(LOOP) as runtime:
            async with asyncio.timeout(PATIENCE_S):
                decision = await runtime.decide("A.B", timeout=0.5)
            assert (decision.decision, decision.hooks[0].cause) == ("deny", "deadline")
            [record] = await records(runtime)
            assert record.reason == "deny: deadline"

    asyncio.run(run())


def test_the_deadline_holds_against_a_plugin_that_does_not_heed_its_cancellation(
    house: Any, records: Any, ask: Any
) -> None:
    release = asyncio.Event()

    async def stubborn(call: Any) -> Any:
        house.ran.append(call.hook)
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return {"decision": "allow", "patch": {"late": True}}

    house.behaviours["stubborn"] = stubborn

    async def run() -> None:
        hooks = "h:\n  on: A.B\n  mode: decide\n  on_error: allow\n  steps: [{do: stubborn}]\n"
        async with house.runtime(hooks) as runtime:
            decision, attempts = await ask(runtime, lambda: house.ran, {"n": 1})
            assert (decision.decision, decision.hooks[0].cause) == ("allow", "deadline")
            before = await records(runtime)
            release.set()
            for _ in range(10):  # what it says now has every chance to be heard
                await asyncio.sleep(0)
            assert decision.data == {"n": 1}
            assert await records(runtime) == before
            assert await runtime.store.attempts(decision.hooks[0].delivery) == attempts
            assert len(attempts) == 1

    asyncio.run(run())


def test_one_deadline_is_for_all_hooks_and_each_says_its_on_error(house: Any, records: Any, ask: Any) -> None:
    async def hang(call: Any) -> Any:
        house.ran.append(call.hook)
        await asyncio.Event().wait()

    house.behaviours["hang"] = hang
    one = "{name}:\n  on: A.B\n  mode: decide\n  on_error: {choice}\n{more}  steps: [{{do: hang}}]\n"
    hooks = (
        one.format(name="first", choice="allow", more="")
        + one.format(name="second", choice="allow", more="")
        + one.format(name="elsewhere", choice="deny", more='  when: "false"\n')
        + one.format(name="third", choice="deny", more="")
        + one.format(name="fourth", choice="deny", more="")
    )

    async def run() -> None:
        async with house.runtime(hooks) as runtime:
            decision, _ = await ask(runtime, lambda: house.ran)
            assert set(house.ran) == {"first"}
            assert [(said.hook, said.decision, said.cause) for said in decision.hooks] == [
                ("first", "allow", "deadline"),
                ("second", "allow", "deadline"),
                ("third", "deny", "deadline"),
            ]
            found = (await records(runtime))[-3:]
            assert [(one.hook, one.attempts, one.reason) for one in found] == [
                ("first", 1, "allow: deadline"),
                ("second", 0, "allow: deadline"),
                ("third", 0, "deny: deadline"),
            ]

    asyncio.run(run())


def test_the_deadline_holds_when_the_store_hangs(house: Any) -> None:
    async def run() -> None:
        hooks = "h:\n  on: A.B\n  mode: decide\n  steps: [{do: allow}]\n"
        async with house.runtime(hooks) as runtime:
            save, saving = runtime.store.save, asyncio.Event()

            async def never(new: Any) -> Any:
                await saving.wait()
                return await save(new)

            runtime.store.save = never
            async with asyncio.timeout(PATIENCE_S):
                decision = await runtime.decide("A.B", timeout=0.1)
            assert (decision.decision, decision.hooks[0].cause) == ("deny", "deadline")
            assert house.ran == []
            saving.set()

    asyncio.run(run())


def test_an_endpoint_that_hangs_for_a_second_opens_its_breaker_and_then_on_error_answers_at_once(
    house: Any, endpoint: Any, records: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decision_step, "HASTY", decision_step.LEAST)

    async def run() -> None:
        async with endpoint() as found:
            more = f'destinations:\n  d: {{url: "{found.url}", breaker: {{failures: 2, pause: 1h}}}}\n'
            hooks = "h:\n  on: A.B\n  mode: decide\n  on_error: allow\n  steps: [{webhook: {to: d, path: /hang}}]\n"
            async with house.runtime(hooks, more=more) as runtime:
                async with asyncio.timeout(3 * PATIENCE_S):
                    while runtime.breakers.get("d") != "open":  # the cut attempts end in their own time
                        decision = await runtime.decide("A.B", timeout=0.3)
                        assert decision.hooks[0].cause in {"deadline", "breaker-open"}
                decision = await runtime.decide("A.B", timeout=30)
                assert (decision.decision, decision.hooks[0].cause) == ("allow", "breaker-open")
                last = (await records(runtime))[-1]
                assert (last.attempts, last.reason) == (0, "allow: breaker-open")
                assert found.asked

    asyncio.run(run())


def test_a_caller_in_a_hurry_opens_no_breaker_that_others_need(house: Any, endpoint: Any) -> None:
    async def run() -> None:
        async with endpoint() as found:
            more = f'destinations:\n  d: {{url: "{found.url}", breaker: {{failures: 1, pause: 1h}}}}\n'
            hooks = "h:\n  on: A.B\n  mode: decide\n  steps: [{webhook: {to: d, path: /hang}}]\n"
            async with house.runtime(hooks, more=more) as runtime:
                for _ in range(3):
                    await runtime.decide("A.B", timeout=0.02)
                assert set(runtime.breakers.values()) <= {"closed"}

    asyncio.run(run())


def test_a_start_that_the_rate_allows_too_late_is_not_waited_for(house: Any, endpoint: Any) -> None:
    async def run() -> None:
        async with endpoint() as found:
            more = f'destinations:\n  d: {{url: "{found.url}", rate: 1/h}}\n'
            hooks = "h:\n  on: A.B\n  mode: decide\n  steps: [{webhook: {to: d, path: /allow}}]\n"
            async with house.runtime(hooks, more=more) as runtime:
                assert await runtime.decide("A.B", timeout=20)
                decision = await runtime.decide("A.B", timeout=20)
                assert decision.hooks[0].cause == "rate-limited"

    asyncio.run(run())
