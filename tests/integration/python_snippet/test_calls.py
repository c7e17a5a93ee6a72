"""Calls of a run to the service: the broker's answers reach it, and a worker that breaks their rules is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hookrt.actions.python_snippet.calls import MAX_REPLY, CallFailed, CallRefused
from hookrt.actions.python_snippet.pool import Run
from hookrt.actions.python_snippet.worker.wire import MAX_CALL, MAX_CALLS
from sandbox_corpus.judge import LIMITS, run_once

FIND_ASK = """\
import sys
frame = sys._getframe()
while "exchange" not in frame.f_locals:
    frame = frame.f_back
from hookrt.actions.python_snippet.worker.asking import make_ask
from hookrt.actions.python_snippet.worker.stops import CallFailedError, DeniedError
ask = make_ask(frame.f_locals["request"].id, frame.f_locals["exchange"], frame.f_locals["self"]._deadline)
"""
"""What a snippet without the language policy does to reach the function that is not for snippets."""

FRAMES = """\
import json, os, struct
def frame(body):
    return struct.pack(">I", len(body)) + body
def call(**changes):
    return json.dumps({"id": id, "kind": "call", "name": "echo", "arguments": {}, **changes}).encode()
def receive():
    size = struct.unpack(">I", os.read(fd, 4))[0]
    body = b""
    while len(body) < size:
        body += os.read(fd, size - len(body))
    return json.loads(body)
"""


class Echo:
    """Answers with what it is given; `wait` for ever, `fail`, `refuse`, and more."""

    def __init__(self) -> None:
        self.asked = 0
        self.cancelled = 0

    async def answer(self, name: str, arguments: Mapping[str, Any]) -> Any:
        self.asked += 1
        if name == "wait":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        if name == "fail":
            raise CallFailed("TeapotError", "short and stout", {"status": 418})
        if name == "refuse":
            raise CallRefused("denied", "add `allow: {teapots: true}` to the step")
        if name == "break":
            raise RuntimeError("the password is secret")
        return {
            "no JSON": object(),
            "many digits": 10**5000,
            "huge": "x" * MAX_REPLY,
            "large": "x" * (MAX_REPLY // 2),
        }.get(name, arguments)


def run_with(open_bench: Any, boot: Path, code: str, broker: Echo | None, timeout: float = 2.0) -> Any:
    async def story() -> Any:
        async with open_bench(boot) as bench:
            run = Run(code, {}, {}, replace(LIMITS, timeout=timeout), broker, "echo", {"echo": True})
            return await run_once(bench.pool, "hook", run)

    return asyncio.run(story())


def ask_in_a_worker(open_bench: Any, boot: Path, code: str, broker: Echo | None = None, **options: Any) -> Any:
    return run_with(open_bench, boot, FIND_ASK + code, broker or Echo(), **options)


def test_a_call_brings_the_brokers_answer(open_bench: Any, raw_boot: Path) -> None:
    broker = Echo()
    code = "result = [ask('echo', {'n': n, 'text': 'é' * 1000})['n'] for n in range(3)]"
    assert ask_in_a_worker(open_bench, raw_boot, code, broker).result == [0, 1, 2]
    assert broker.asked == 3


def test_a_failed_call_is_an_exception_that_can_be_caught(open_bench: Any, raw_boot: Path) -> None:
    code = "try:\n    ask('fail', {})\nexcept CallFailedError as e:\n    result = [e.name, str(e), e.fields['status']]"
    assert ask_in_a_worker(open_bench, raw_boot, code).result == ["TeapotError", "short and stout", 418]


def test_a_failed_call_that_nobody_catches_is_an_error_with_its_line(open_bench: Any, raw_boot: Path) -> None:
    given = ask_in_a_worker(open_bench, raw_boot, "ask('fail', {})\nresult = 1")
    assert (given.outcome, given.line) == ("error", FIND_ASK.count("\n") + 1)
    assert "short and stout" in given.message


@pytest.mark.parametrize("caught", [False, True])
def test_a_refused_call_ends_the_run_with_its_reason_whatever_the_snippet_does(
    open_bench: Any, raw_boot: Path, caught: bool
) -> None:
    code = "try:\n    ask('refuse', {})\nexcept DeniedError:\n    _print_('caught')\nresult = 1"
    given = ask_in_a_worker(open_bench, raw_boot, code if caught else "ask('refuse', {})\nresult = 1")
    assert (given.outcome, given.message) == ("denied", "add `allow: {teapots: true}` to the step")
    assert given.result is None
    assert given.logs == (("caught",) if caught else ())
    assert given.line == (None if caught else FIND_ASK.count("\n") + 1)


def test_an_unexpected_error_of_the_service_shows_nothing_of_it(open_bench: Any, raw_boot: Path) -> None:
    given = ask_in_a_worker(open_bench, raw_boot, "ask('break', {})\nresult = 1")
    assert given.outcome == "error"
    assert "could not carry out" in given.message
    assert "password" not in given.message


@pytest.mark.parametrize("name", ["no JSON", "many digits", "huge"])
def test_an_answer_that_cannot_be_sent_is_a_failed_call(open_bench: Any, raw_boot: Path, name: str) -> None:
    code = f"try:\n    ask({name!r}, {{}})\nexcept CallFailedError as e:\n    result = str(e)"
    assert "the answer to the call" in ask_in_a_worker(open_bench, raw_boot, code).result


def test_time_in_a_call_counts_as_the_runs_and_the_line_is_told(open_bench: Any, raw_boot: Path) -> None:
    broker = Echo()
    given = ask_in_a_worker(open_bench, raw_boot, "_print_('before')\nask('wait', {})\nresult = 1", broker, timeout=0.3)
    assert (given.outcome, given.message) == ("timeout", "the run took longer than its timeout")
    assert (given.line, given.logs) == (FIND_ASK.count("\n") + 2, ("before",))
    assert broker.cancelled == 1


def test_a_call_is_cancelled_with_its_run(open_bench: Any, raw_boot: Path, eventually: Any, is_alive: Any) -> None:
    async def story() -> int:
        broker = Echo()
        async with open_bench(raw_boot) as bench:
            run = Run(FIND_ASK + "ask('wait', {})", {}, {}, LIMITS, broker, "echo", {"echo": True})
            waiting = asyncio.create_task(bench.pool.run("hook", run))
            await eventually(lambda: broker.asked == 1)
            [pid] = bench.pool.pids("hook")
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await eventually(lambda: broker.cancelled == 1 and not is_alive(pid))
            return broker.cancelled

    assert asyncio.run(story()) == 1


def test_a_worker_refuses_by_itself_what_is_too_big_or_too_often(open_bench: Any, raw_boot: Path) -> None:
    code = (
        f"try:\n    ask('echo', {{'x': 'x' * {MAX_CALL}}})\nexcept CallFailedError as e:\n    result = [str(e)]\n"
        f"for n in range({MAX_CALLS - 1}): ask('echo', {{}})\n"
        "try:\n    ask('echo', {})\nexcept CallFailedError as e:\n    result.append(str(e))"
    )
    given = ask_in_a_worker(open_bench, raw_boot, code, timeout=20.0)
    assert given.result == [
        "echo: what it is given has more than 256 KiB as JSON",
        "a run may make at most 1,000 calls",
    ]


HOSTILE = {
    "a call too big": f"os.write(fd, frame(call(arguments=dict(x='x' * {MAX_CALL}))))",
    "a call of megabytes": "os.write(fd, struct.pack('>I', 2**24))",
    "two calls at once": "os.write(fd, frame(call(name='wait')) + frame(call()))",
    "a call while one is open": "os.write(fd, frame(call(name='wait'))); time.sleep(0.1); os.write(fd, frame(call()))",
    "an answer while a call is open": "os.write(fd, frame(call(name='wait')) + frame(done))",
    "a call of another request": "os.write(fd, frame(call(id='0' * 16)))",
    "a call without a name": "os.write(fd, frame(call(name=None)))",
    "a call whose arguments are a list": "os.write(fd, frame(call(arguments=[])))",
    "a call before the reply was taken": (
        "import select\n"
        "os.write(fd, frame(call(name='large'))); select.select([fd], [], [])\n"
        "os.write(fd, frame(call())); time.sleep(0.5); os.write(fd, frame(done))"
    ),
    "too many calls": f"for n in range({MAX_CALLS + 1}):\n    os.write(fd, frame(call())); receive()",
}


@pytest.mark.parametrize("behaviour", HOSTILE.values(), ids=HOSTILE)
def test_a_worker_that_breaks_the_rules_of_calls_is_killed(open_bench: Any, fake_boot: Any, behaviour: str) -> None:
    given = run_with(open_bench, fake_boot(FRAMES + behaviour), "result = 1", Echo(), timeout=20.0)
    assert (given.outcome, given.result) == ("protocol_error", None)


def test_a_call_of_a_run_that_has_nobody_to_ask_is_a_protocol_error(open_bench: Any, fake_boot: Any) -> None:
    given = run_with(open_bench, fake_boot(FRAMES + "os.write(fd, frame(call()))"), "result = 1", None)
    assert given.outcome == "protocol_error"


def test_a_call_after_the_answer_reaches_no_broker(
    open_bench: Any, fake_boot: Any, eventually: Any, is_alive: Any
) -> None:
    behaviour = FRAMES + "os.write(fd, frame(done)); time.sleep(0.1); os.write(fd, frame(call()))"

    async def story() -> None:
        broker = Echo()
        async with open_bench(fake_boot(behaviour)) as bench:
            given = await run_once(bench.pool, "hook", Run("result = 1", {}, {}, LIMITS, broker, "echo", {}))
            assert given.result == "honest"
            [pid] = bench.pool.pids("hook")
            await eventually(lambda: not is_alive(pid))
            assert broker.asked == 0

    asyncio.run(story())


def test_an_honest_caller_gets_its_replies_and_may_answer(open_bench: Any, fake_boot: Any) -> None:
    behaviour = FRAMES + "os.write(fd, frame(call())); assert receive()['kind'] == 'value'; os.write(fd, frame(done))"
    assert run_with(open_bench, fake_boot(behaviour), "result = 1", Echo()).result == "honest"


def test_a_worker_never_serves_runs_with_different_grants(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench() as bench:
            for grants in ("", "one", "two"):
                await bench.pool.run("hook", Run("result = 1", {}, {}, LIMITS, Echo() if grants else None, grants))
            assert len(bench.pool.pids("hook")) == 3

    asyncio.run(story())
