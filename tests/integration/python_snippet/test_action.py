"""The action `python` as the engine calls it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hookrt.actions.python_snippet import hookrt_actions
from hookrt.actions.python_snippet.action import PythonSnippet
from hookrt.model.outcome import Outcome, OutcomeKind
from hookrt.plugin import AFTER_CRASH, PluginError
from hookrt.testing import call_for, event, open_action


def run(code: str, settings: dict[str, Any] | None = None, **options: Any) -> Outcome:
    async def story() -> Outcome:
        async with open_action(PythonSnippet, service_settings={"spares": 0}) as action:
            return await action.run(call_for(PythonSnippet, {"code": code, **(settings or {})}, **options))

    return asyncio.run(story())


def test_the_action_is_found_as_python_and_retries_only_after_a_crash() -> None:
    assert [action.name for action in hookrt_actions()] == ["python"]
    assert PythonSnippet.short == "code"
    assert PythonSnippet.static == {"code", "allow"}
    assert PythonSnippet.retry is AFTER_CRASH


def test_what_run_returns_is_the_output_and_what_it_prints_is_in_the_log() -> None:
    code = """\
def run(event, ctx):
    print("seen", event["data"]["n"])
    ctx.log("odd", "warning", n=3)
    return {"double": event["data"]["n"] * 2, "type": event["type"]}
"""
    outcome = run(code, event=event("order.created", {"n": 3}))
    assert outcome == Outcome.done({"double": 6, "type": "order.created"}, logs=["seen 3", "warning: odd n=3"])


def test_a_module_variable_result_is_the_output_without_run() -> None:
    assert run("result = event['data']['n'] + 1", event=event("t", {"n": 3})).output == 4


def test_the_context_tells_hook_step_attempt_and_the_results_of_earlier_steps() -> None:
    steps = {"contact": {"status": "succeeded", "output": {"email": "a@b.c"}, "error": None}}
    code = """\
def run(event, ctx):
    seen = [ctx.hook, ctx["step"], ctx.attempt, "step" in ctx, ctx.get("nope", "none"), ctx.message_id[:4]]
    return seen + [ctx.steps["contact"]["output"]["email"]]
"""
    outcome = run(code, steps=steps, hook="welcome", step="shape", attempt=2)
    assert outcome.output == ["welcome", "shape", 2, True, "none", "msg_", "a@b.c"]


REASONS = [
    ("result =", OutcomeKind.REJECT, "rejected", "line 1: syntax error: invalid syntax"),
    ("x = 1", OutcomeKind.REJECT, "rejected", None),
    ("import os\nresult = 1", OutcomeKind.REJECT, "denied", "line 1: the module 'os' is not available in snippets"),
    ("def run(event, ctx):\n\n    return open('x')", OutcomeKind.REJECT, "denied", "line 3: 'open' is not available"),
    ("result = {1}", OutcomeKind.REJECT, "bad_result", "the result is a set"),
    ("def run(event, ctx):\n    return event['x']", OutcomeKind.RETRY, "error", "line 2: KeyError: 'x'"),
    ("def run(event, ctx):\n    while True:\n        pass", OutcomeKind.RETRY, "timeout", "line "),
    ("def run(event, ctx):\n    return 'x' * 10**10", OutcomeKind.RETRY, "memory", "line 2: the run needs more memory"),
    ("print('x' * 10**6)\nresult = 1", OutcomeKind.RETRY, "output_limited", "line 1: the run printed more"),
    ("x = ()\nfor i in range(300000):\n    x = (x,)\nresult = hash(x)", OutcomeKind.RETRY, "crashed", "the worker"),
]


@pytest.mark.parametrize(("code", "kind", "reason", "message"), REASONS, ids=[row[2] + row[0][:9] for row in REASONS])
def test_each_end_has_its_reason_and_the_snippets_own_line(
    code: str, kind: OutcomeKind, reason: str, message: str | None
) -> None:
    outcome = run(code, timeout=timedelta(seconds=0.5 if reason == "timeout" else 20))
    assert (outcome.kind, outcome.reason) == (kind, reason)
    assert outcome.message is not None
    assert outcome.message.startswith(message or "")
    assert "Traceback" not in outcome.message
    assert ".py" not in outcome.message
    assert reason in PythonSnippet.reasons


def test_an_error_deep_in_the_library_is_told_by_the_snippets_line() -> None:
    outcome = run('import json\ndef run(event, ctx):\n    x = 1\n    return json.loads("{")')
    assert outcome.message is not None
    assert outcome.message.startswith("line 4: JSONDecodeError: Expecting property name")


def test_what_a_failed_run_printed_is_kept() -> None:
    outcome = run("print('before')\nresult = [][1]")
    assert (outcome.reason, outcome.logs) == ("error", ("before",))


def test_control_characters_reach_no_log() -> None:
    outcome = run("print('\\x1b[2J\\r\\u202e')\nraise ValueError('\\x1b[2J')\nresult = 1")
    assert outcome.logs == ("\\x1b[2J\\r\\u202e",)
    assert outcome.message == "line 2: ValueError: \\x1b[2J"


def test_the_limits_of_a_step_go_before_those_of_the_service() -> None:
    code = "result = 'x' * 2000"
    assert run(code).kind is OutcomeKind.DONE
    assert run(code, {"result": "1KiB"}).reason == "bad_result"
    assert run("print('x' * 100)\nresult = 1", {"output": "64B"}).reason == "output_limited"
    assert run("result = len('x' * 10**8)", {"memory": "100MiB"}).reason == "memory"
    assert run("result = [[[1]]]", {"depth": 3}).kind is OutcomeKind.DONE
    assert run("result = [[[1]]]", {"depth": 2}).message == "the result is nested more than 2 levels deep"


def test_the_limits_of_the_service_are_those_of_steps_that_set_none() -> None:
    async def reason(service: dict[str, Any], code: str) -> str | None:
        async with open_action(PythonSnippet, service_settings={"spares": 0, **service}) as action:
            given: Outcome = await action.run(call_for(PythonSnippet, {"code": code}))
            return given.reason

    assert asyncio.run(reason({"result": "1KiB"}, "result = 'x' * 2000")) == "bad_result"
    assert asyncio.run(reason({"depth": 2}, "result = [[[1]]]")) == "bad_result"
    assert asyncio.run(reason({"output": "64B"}, "print('x' * 100)\nresult = 1")) == "output_limited"
    assert asyncio.run(reason({"memory": "100MiB"}, "result = len('x' * 10**8)")) == "memory"


def test_a_result_as_deep_as_any_step_may_allow_comes_through() -> None:
    code = "result = 1\nfor _ in range({}):\n    result = [result]"
    outcome = run(code.format(64), {"depth": 64})
    assert str(outcome.output) == "[" * 64 + "1" + "]" * 64
    assert run(code.format(65), {"depth": 64}).reason == "bad_result"
    assert run(code.format(33)).reason == "bad_result"
    assert run(code.format(200_000), {"depth": 64}).reason == "bad_result"


def test_the_event_that_others_see_is_not_changed() -> None:
    seen = event("t", {"n": 1})
    assert run("event['data'].clear()\nresult = event['data']", event=seen).output == {}
    assert seen.data == {"n": 1}


def test_an_action_that_was_not_opened_says_so() -> None:
    with pytest.raises(PluginError, match="not been opened"):
        asyncio.run(PythonSnippet().run(call_for(PythonSnippet, {"code": "result = 1"})))
