"""`runtime.decide`: who is asked, in which order, what an answer does, and what is said without one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hookrt.errors import EventError, UsageError
from hookrt.model.delivery import Status
from hookrt.plugin import Outcome
from hookrt.plugin.observer import Observer


def hook(name: str, *lines: str, does: str = "allow", on: str = "A.B", mode: str = "decide") -> str:
    extra = "".join(f"  {line}\n" for line in lines)
    return f"{name}:\n  on: {on}\n  mode: {mode}\n{extra}  steps: [{{do: {does}}}]\n"


def test_hooks_answer_in_file_order_until_the_first_deny(house: Any) -> None:
    async def run() -> None:
        hooks = hook("z") + hook("m", does="deny") + hook("a")
        async with house.runtime(hooks) as runtime:
            decision = await runtime.decide("A.B", {"n": 1}, timeout=20)
        assert (decision.decision, decision.reason, decision.allowed) == ("deny", "because", False)
        assert [(said.hook, said.decision, said.by) for said in decision.hooks] == [
            ("z", "allow", "answer"),
            ("m", "deny", "answer"),
        ]
        assert house.ran == ["z", "m"]
        assert decision.data == {"n": 1}
        assert decision.id.startswith("dec_")

    asyncio.run(run())


def test_emit_never_runs_them_and_decide_runs_no_others(house: Any) -> None:
    async def run() -> None:
        hooks = hook("asks", on='"**"') + hook("fires", mode="deliver", on='"**"')
        async with house.runtime(hooks) as runtime:
            receipt = await runtime.emit("A.B")
            assert [one.hook for one in await receipt.wait(10)] == ["fires"]
            assert house.ran == ["fires"]
            assert await runtime.decide("A.B", timeout=20)
            assert house.ran == ["fires", "asks"]

    asyncio.run(run())


def test_nobody_to_ask_means_allow(house: Any) -> None:
    async def run() -> None:
        async with house.runtime(hook("other", on="C")) as runtime:
            decision = await runtime.decide("A.B", [1], timeout=20)
            assert (decision.decision, decision.data, decision.hooks) == ("allow", [1], ())
            stored = await runtime.store.event("app", decision.id)
            assert stored is not None
            assert stored.event.data == [1]

    asyncio.run(run())


def test_later_hooks_see_the_patched_data(house: Any) -> None:
    house.says("patch", {"decision": "allow", "patch": {"name": "Ada", "secret": None}})
    house.says("seen", lambda call: {"decision": "deny", "reason": str(call.event.data)})

    async def run() -> None:
        hooks = (
            hook("first", does="patch")
            + hook("not-me", 'when: event.data.name == "Eve"', does="deny")
            + hook("me", 'when: event.data.name == "Ada"', does="seen")
        )
        async with house.runtime(hooks) as runtime:
            decision = await runtime.decide("A.B", {"name": "Eve", "secret": 1, "kept": [1.5, None]}, timeout=20)
            expected = {"name": "Ada", "kept": [1.5, None]}
            assert decision.reason == str(expected)
            assert decision.data == expected
            assert [said.hook for said in decision.hooks] == ["first", "me"]
            stored = await runtime.store.event("app", decision.id)
            assert stored is not None
            assert stored.event.data["name"] == "Eve"

    asyncio.run(run())


def test_the_patch_of_a_deny_changes_nothing(house: Any) -> None:
    house.says("no", {"decision": "deny", "patch": {"n": 2}})

    async def run() -> None:
        async with house.runtime(hook("h", does="no")) as runtime:
            assert (await runtime.decide("A.B", {"n": 1}, timeout=20)).data == {"n": 1}

    asyncio.run(run())


@pytest.mark.parametrize("choice", ["allow", "deny"])
@pytest.mark.parametrize(
    ("lines", "does", "cause"),
    [
        (("when: event.data.nothing == 1",), "allow", "condition"),
        ((), "text", "bad-answer"),
        ((), "misspelt", "bad-answer"),
        ((), "polluting", "bad-answer"),
        ((), "much", "bad-output"),
        ((), "retries", "busy"),
        ((), "rejects", "no-way"),
        ((), "raises", "exception"),
        ((), "nonsense", "exception"),
    ],
)
def test_on_error_answers_for_a_hook_that_cannot(
    house: Any, records: Any, choice: str, lines: tuple[str, ...], does: str, cause: str
) -> None:
    house.says("text", "allow")
    house.says("misspelt", {"decision": "allow", "pacth": {}})
    house.says("polluting", {"decision": "allow", "patch": {"a": {"__proto__": {"admin": True}}}})
    house.says("much", {"decision": "allow", "patch": {"a": "x" * 300_000}})
    house.says("retries", lambda call: Outcome.retry("busy", "later"))
    house.says("rejects", lambda call: Outcome.reject("no-way", "never"))
    house.says("nonsense", lambda call: Outcome(None))  # type: ignore[arg-type]
    house.says("raises", lambda call: 1 / 0)

    async def run() -> None:
        async with house.runtime(hook("h", f"on_error: {choice}", *lines, does=does) + hook("next")) as runtime:
            decision = await runtime.decide("A.B", {"n": 1}, timeout=20)
            said = decision.hooks[0]
            assert (said.decision, said.by, said.cause) == (choice, "on_error", cause)
            assert said.message
            assert decision.allowed is (choice == "allow")
            assert [one.hook for one in decision.hooks] == (["h", "next"] if choice == "allow" else ["h"])
            assert house.ran.count("h") <= 1
            record = (await records(runtime))[0]
            assert (record.status, record.reason) == (Status.DEAD, f"{choice}: {cause}")

    asyncio.run(run())


def test_without_on_error_a_hook_that_cannot_answer_denies(house: Any) -> None:
    async def run() -> None:
        async with house.runtime(hook("h", "when: event.data.nothing")) as runtime:
            decision = await runtime.decide("A.B", timeout=20)
            assert (decision.decision, decision.reason) == ("deny", "no answer: condition")

    asyncio.run(run())


STEPS = """
h:
  on: A.B
  mode: decide
  steps:
    - {id: score, do: score}
    - {id: fails, do: raises, continue_on_error: true}
    - {id: off, do: deny, when: "false"}
    - {id: last, do: last, when: steps.score.output > 6 && steps.fails.status == "failed"}
    - {id: never, do: deny, when: steps.last.output.decision == "deny"}
"""


def test_steps_run_in_series_and_the_last_that_ran_answers(house: Any, records: Any) -> None:
    house.says("score", 7)
    house.says("raises", lambda call: 1 / 0)
    house.says("last", lambda call: {"decision": "allow", "patch": {"score": call.steps["score"]["output"]}})

    async def run() -> None:
        async with house.runtime(STEPS) as runtime:
            decision = await runtime.decide("A.B", {}, timeout=20)
            assert (decision.decision, decision.data) == ("allow", {"score": 7})
            [record] = await records(runtime)
            shown = {step: result.status.value for step, result in record.results.items()}
            assert shown == {
                "score": "succeeded",
                "fails": "failed",
                "off": "skipped",
                "last": "succeeded",
                "never": "skipped",
            }
            attempts = await runtime.store.attempts(record.id)
            assert [(one.number, one.step) for one in attempts] == [(1, "score"), (2, "fails"), (3, "last")]
            assert (record.attempts, record.failed_steps) == (3, 1)

    asyncio.run(run())


def test_a_step_whose_when_has_no_answer_is_not_passed_over(house: Any) -> None:
    async def run() -> None:
        steps = "h:\n  on: A.B\n  mode: decide\n  steps: [{do: allow}, {do: deny, when: event.data.nothing == 1}]\n"
        async with house.runtime(steps) as runtime:
            decision = await runtime.decide("A.B", {}, timeout=20)
            assert (decision.decision, decision.hooks[0].cause) == ("deny", "condition")

    asyncio.run(run())


def test_a_hook_whose_steps_are_all_skipped_does_not_object(house: Any) -> None:
    async def run() -> None:
        steps = 'h:\n  on: A.B\n  mode: decide\n  steps: [{do: deny, when: "false"}]\n'
        async with house.runtime(steps) as runtime:
            assert await runtime.decide("A.B", {}, timeout=20)

    asyncio.run(run())


def test_a_hook_that_somebody_disabled_is_not_asked(house: Any) -> None:
    async def run() -> None:
        async with house.runtime(hook("h", does="deny")) as runtime:
            await runtime.control.hooks.disable("h")
            assert await runtime.decide("A.B", timeout=20)
            await runtime.control.hooks.enable("h")
            assert not await runtime.decide("A.B", timeout=20)

    asyncio.run(run())


@pytest.mark.parametrize(
    "timeout",
    [0, -1, 31, float("nan"), float("inf"), pytest.param(10**400, id="huge"), True, "1", None, timedelta(seconds=1)],
)
def test_a_timeout_that_is_none_is_misuse(house: Any, timeout: Any) -> None:
    async def run() -> None:
        async with house.runtime(hook("h")) as runtime:
            with pytest.raises(UsageError, match="seconds"):
                await runtime.decide("A.B", timeout=timeout)

    asyncio.run(run())


def test_what_is_no_event_is_no_question(house: Any) -> None:
    async def run() -> None:
        async with house.runtime(hook("h")) as runtime:
            for type, data, source in (
                ("A B", None, None),
                ("hookrt.test", None, None),
                ("A.B", float("nan"), None),
                ("A.B", None, "hookrt"),
            ):
                with pytest.raises(EventError):
                    await runtime.decide(type, data, source=source)

    asyncio.run(run())


def test_the_blocking_runtime_decides_too(house: Any) -> None:
    house.says("patch", {"decision": "allow", "patch": {"ok": True}})
    with house.runtime(hook("h", does="patch")).blocking() as hooks:
        decision = hooks.decide("A.B", {"n": 1}, timeout=20)
    assert decision
    assert decision.data == {"n": 1, "ok": True}


def test_observers_are_told(house: Any) -> None:
    told: list[Any] = []

    class Told(Observer):
        def decision_made(self, decision: Any, seconds: float) -> None:
            told.append((decision.decision, seconds >= 0))

    async def run() -> None:
        async with house.runtime(hook("h"), observers=[Told()]) as runtime:
            await runtime.decide("A.B", timeout=20)

    asyncio.run(run())
    assert told == [("allow", True)]
