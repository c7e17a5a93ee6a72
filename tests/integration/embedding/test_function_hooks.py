"""A function that is a hook is as durable as a hook from YAML: retries, log, crashes, renames, and when it is gone."""

from __future__ import annotations

import asyncio
import functools
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hookrt import Event, Runtime
from hookrt.errors import UsageError
from hookrt.model.delivery import Status
from hookrt.model.policy import fixed
from hookrt.plugin import Action, ActionCall, Outcome, Settings
from hookrt.plugin.registry import Registry

WORKER = Path(__file__).with_name("function_worker.py")


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_a_killed_program_loses_no_call_of_a_function(tmp_path: Path, kind: str) -> None:
    calls, store = tmp_path / "calls.txt", f"sqlite:///{tmp_path / 'app.db'}"

    def run(end: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(WORKER), store, kind, str(calls), end]
        return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)

    assert run("die").returncode == -signal.SIGKILL
    again = run("live")
    assert (again.stdout, again.stderr) == ("True succeeded\n", ""), "the event was durable, so it is a duplicate"
    first, second = calls.read_text().splitlines()
    assert first == second, "called again, with the same message id"


class Flaky(Action[Settings]):
    """Fails first, as the function does."""

    name = "flaky"

    async def run(self, call: ActionCall[Settings]) -> Any:
        return fail_first(call.event, call)


def fail_first(event: Event, call: ActionCall[Any]) -> Any:
    call.log.info("trying", attempt=call.attempt)
    if call.attempt == 1:
        raise OSError("not yet")
    return Outcome.done({"n": event.data["n"]})


def attempts_of(runtime: Runtime) -> list[tuple[Any, ...]]:
    async def run() -> list[tuple[Any, ...]]:
        async with runtime:
            [delivery] = await (await runtime.emit("A.B", {"n": 1})).wait(timeout=20)
            assert delivery.status is Status.SUCCEEDED
            found = await runtime.store.attempts(delivery.id)
            return [(one.number, one.outcome, one.reason, one.message, one.logs) for one in found]

    return asyncio.run(run())


def test_a_function_has_the_retries_and_the_log_of_the_same_hook_from_yaml(tmp_path: Path) -> None:
    file = tmp_path / "hooks.yaml"
    file.write_text("hooks:\n  h:\n    on: A.B\n    steps: [{flaky: {}, retry: [10ms, 10ms, 10ms]}]\n")
    registry = Registry()
    registry.actions["flaky"] = Flaky
    from_yaml = attempts_of(Runtime.from_file(file, store="memory:", registry=registry))
    in_code = Runtime(store="memory:")
    in_code.on("A.B", name="h", retry=fixed(timedelta(milliseconds=10), 3))(fail_first)
    from_code = attempts_of(in_code)
    *lines, where = from_code[0][4]
    assert where.startswith("warning: function-failed error=OSError: not yet"), "and its place, for who wrote it"
    from_code[0] = (*from_code[0][:4], tuple(lines))
    assert [one[:3] + one[4:] for one in from_code] == [one[:3] + one[4:] for one in from_yaml]
    assert [one[1:3] for one in from_code] == [("retry", "exception"), ("done", None)]
    assert all("not yet" in one[3] for one in (from_code[0], from_yaml[0]))


def run_with(folder: Path, **functions: Any) -> dict[Status, int]:
    """One run of a program with these functions, until nothing is pending; what there is then, by status."""

    async def run() -> dict[Status, int]:
        runtime = Runtime(store=f"sqlite:///{folder / 'app.db'}")
        for name, function in functions.items():
            runtime.on("A.B", name=name)(function)
        async with runtime, asyncio.timeout(20):
            while True:
                counts = {status: n for status, n in (await runtime.store.counts()).items() if n}
                if not counts.keys() & {Status.PENDING, Status.RUNNING, Status.WAITING}:
                    return counts
                await asyncio.sleep(0.01)

    return asyncio.run(run())


def leave_a_delivery(folder: Path, name: str) -> None:
    async def run() -> None:
        runtime = Runtime(store=f"sqlite:///{folder / 'app.db'}", deliver=False)
        runtime.on("A.B", name=name)(lambda event: None)
        async with runtime:
            await runtime.emit("A.B", {"n": 1})

    asyncio.run(run())


def test_a_renamed_function_keeps_its_stored_deliveries_by_its_name(tmp_path: Path) -> None:
    leave_a_delivery(tmp_path, "sync-crm")
    called = []

    def send_to_the_new_crm(event: Event) -> None:
        called.append(event.data)

    assert run_with(tmp_path, **{"sync-crm": send_to_the_new_crm}) == {Status.SUCCEEDED: 1}
    assert called == [{"n": 1}]


def test_what_was_for_a_function_that_has_gone_is_held_and_goes_out_when_it_is_back(tmp_path: Path) -> None:
    leave_a_delivery(tmp_path, "gone")
    called = []
    assert run_with(tmp_path, other=lambda event: called.append("other")) == {Status.HELD: 1}
    assert run_with(tmp_path, gone=lambda event: called.append("back")) == {Status.SUCCEEDED: 1}
    assert called == ["back"]


def call_once(function: Any) -> list[str]:
    async def run() -> list[str]:
        runtime = Runtime(store="memory:")
        runtime.on("A.B", name="h")(function)
        async with runtime:
            found = await (await runtime.emit("A.B", {"n": 1})).wait(timeout=20)
            return [delivery.status.value for delivery in found]

    return asyncio.run(run())


class Callee:
    """An object, and a method, that are awaited."""

    def __init__(self) -> None:
        self.called = 0

    async def __call__(self, event: Event) -> None:
        self.called += 1

    async def method(self, event: Event, call: ActionCall[Any]) -> None:
        assert call.attempt == 1
        self.called += 1


def test_whatever_can_be_called_is_a_function_and_what_it_returns_is_awaited() -> None:
    callee = Callee()
    assert call_once(callee) == ["succeeded"]
    assert call_once(callee.method) == ["succeeded"]
    assert call_once(functools.partial(callee.method)) == ["succeeded"]
    assert call_once(lambda event: callee(event)) == ["succeeded"]
    assert callee.called == 4


def test_a_second_parameter_with_a_default_is_the_function_s_own() -> None:
    def count(event: Event, most: int = 3) -> None:
        assert most == 3

    assert call_once(count) == ["succeeded"]


def test_a_function_that_cannot_take_an_event_is_refused_at_once() -> None:
    for wrong in (lambda: None, lambda a, b, c: None, "no function"):
        with pytest.raises(UsageError, match="function"):
            Runtime(store="memory:").on("A.B", name="h")(wrong)
