"""What a plugin does wrong costs its own attempts, and nobody else's."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import field_validator

from hookrt import Runtime
from hookrt.errors import ConfigError
from hookrt.model.delivery import Status
from hookrt.observability.metrics import Metrics
from hookrt.plugin import Action, ActionCall, Observer, Outcome, Settings
from hookrt.plugin.registry import Registry
from hookrt.runtime.leaks import LOOK_S
from hookrt.testing import Delivered, FakeClock, RecordedLog, RuntimeInMemory
from hookrt.testing.runtime_in_memory import RuntimeOptions


class Nothing(Settings):
    pass


class LeavingSettings(Settings):
    to: str

    @field_validator("to")
    @classmethod
    def _leave(cls, to: str) -> str:
        if to == "exit":
            raise SystemExit(5)
        return to


class Wrong(Exception):  # noqa: N818
    def __str__(self) -> str:
        raise RuntimeError("not even a text")


class Odd(Action[Nothing]):
    """Does what it should not."""

    name = "odd"

    async def run(self, call: ActionCall[Nothing]) -> Outcome:
        return await getattr(self, "do_" + call.step)()

    async def do_raise(self) -> Any:
        raise ValueError("a bug")

    async def do_exit(self) -> Any:
        raise SystemExit(3)

    async def do_interrupt(self) -> Any:
        raise KeyboardInterrupt

    async def do_cancel(self) -> Any:
        raise asyncio.CancelledError

    async def do_unspeakable(self) -> Any:
        raise Wrong

    async def do_none(self) -> Any:
        return None

    async def do_text(self) -> Any:
        return "done"

    async def do_class(self) -> Any:
        return Outcome

    async def do_kind(self) -> Any:
        return Outcome("finished")  # type: ignore[arg-type]

    async def do_events(self) -> Any:
        return Outcome.done(events=[object()])  # type: ignore[list-item]

    async def do_hang(self) -> Any:
        await asyncio.Event().wait()


class Fine(Action[Nothing]):
    """Does what it should."""

    name = "fine"

    async def run(self, call: ActionCall[Nothing]) -> Outcome:
        return Outcome.done()


class Leaky(Action[Nothing]):
    """Leaves a task behind, which would wait for ever, and one of a library's kind that belongs to `open`."""

    name = "leaky"
    left: ClassVar[list[asyncio.Task[Any]]] = []
    kept: ClassVar[list[asyncio.Task[Any]]] = []

    async def open(self, setup: Any) -> None:
        self.kept.append(asyncio.create_task(self.go_on()))

    async def close(self) -> None:
        for task in self.kept:
            task.cancel()

    async def run(self, call: ActionCall[Nothing]) -> Outcome:
        self.left.append(asyncio.create_task(self.go_on()))
        self.left.append(asyncio.create_task(asyncio.sleep(3600)))
        return Outcome.done()

    async def go_on(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    Leaky.left.clear()
    Leaky.kept.clear()


def runtime_of(folder: Path, step: str, **options: Any) -> RuntimeInMemory:
    text = f"""
hooks:
  bad: {{on: Go, steps: [{step}], timeout: 100ms, retry: none}}
  good: {{on: Go, steps: [{{fine: {{}}}}]}}
"""
    chosen: RuntimeOptions = {"actions": [Odd, Fine, Leaky], **options}  # type: ignore[typeddict-item]
    return RuntimeInMemory(folder, text, **chosen)


def by_hook(found: list[Delivered]) -> dict[str, Delivered]:
    return {one.hook: one for one in found}


@pytest.mark.parametrize(
    ("way", "reason", "said"),
    [
        ("raise", "exception", "ValueError in"),
        ("exit", "exception", "SystemExit"),
        ("interrupt", "exception", "KeyboardInterrupt"),
        ("cancel", "exception", "cancelled itself"),
        ("unspeakable", "exception", "it has no text"),
        ("none", "exception", "returned no Outcome"),
        ("text", "exception", "returned no Outcome"),
        ("class", "exception", "returned no Outcome"),
        ("kind", "exception", "whose kind is no OutcomeKind"),
        ("events", "exception", "no Emission"),
        ("hang", "timeout", "no end after"),
    ],
)
def test_a_plugin_that_raises_hangs_or_returns_nonsense_costs_its_own_attempt(
    tmp_path: Path, way: str, reason: str, said: str
) -> None:
    with runtime_of(tmp_path, f"{{id: {way}, odd: {{}}}}") as runtime:
        for _ in range(2):  # the second event finds everything as it was
            found = by_hook(runtime.emit("Go"))
            assert found["good"].status is Status.SUCCEEDED
            assert (found["bad"].status, found["bad"].last.reason) == (Status.DEAD, reason)
            assert said in str(found["bad"].last.message)


class Leaving(Action[LeavingSettings]):
    """Its settings are the worst of it."""

    name = "leaving"

    async def run(self, call: ActionCall[LeavingSettings]) -> Outcome:
        return Outcome.done()


def test_a_validator_that_ends_the_process_costs_its_own_attempt(tmp_path: Path) -> None:
    with runtime_of(tmp_path, '{leaving: {to: "${{ event.data }}"}}', actions=[Leaving, Fine]) as runtime:
        found = by_hook(runtime.emit("Go", "exit"))
    assert found["good"].status is Status.SUCCEEDED
    assert (found["bad"].status, found["bad"].last.reason) == (Status.DEAD, "exception")
    assert "SystemExit" in str(found["bad"].last.message)


def test_a_validator_that_ends_the_process_is_a_problem_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"3:26: error: `leaving`: its settings model failed with SystemExit: 5"):
        runtime_of(tmp_path, "{leaving: {to: exit}}", actions=[Leaving, Fine]).__enter__()


class Quitting(Action[Nothing]):
    """Ends the process wherever it is asked something."""

    name = "quitting"

    async def run(self, call: ActionCall[Nothing]) -> Outcome:
        return Outcome.done()

    async def open(self, setup: Any) -> None:
        raise SystemExit("open")

    def lane(self, settings: Nothing) -> str | None:
        raise SystemExit("lane")

    def check(self, settings: Nothing) -> Any:
        raise SystemExit("check")


def test_an_action_that_ends_the_process_when_it_is_asked_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        runtime_of(tmp_path, "{quitting: {}}", actions=[Quitting, Fine]).__enter__()
    assert "the check of the action `quitting` failed with SystemExit: check (" in str(told.value)
    assert "the lane of the action `quitting` failed with SystemExit: lane (" in str(told.value)


def test_an_attempt_that_does_not_let_itself_be_cancelled_costs_its_own_lane(tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text("service: {limits: {concurrency: 1}}\nhooks: {}\n")

    async def scenario() -> None:
        runtime = Runtime.from_file(tmp_path / "hooks.yaml", store="memory:", env={})
        release, done = asyncio.Event(), asyncio.Semaphore(0)

        @runtime.on("Go", name="good")
        async def good(event: Any) -> None:
            done.release()

        @runtime.on("Go", name="bad", timeout=timedelta(milliseconds=1))
        async def bad(event: Any) -> None:
            while not release.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await release.wait()

        async with runtime, asyncio.timeout(10):
            for _ in range(3):
                await runtime.emit("Go")
            for _ in range(3):
                await done.acquire()
            assert runtime.lanes["hook:bad"] == (2, 1)
            release.set()

    asyncio.run(scenario())


def test_tasks_that_an_attempt_leaves_behind_are_told_of_and_cancelled_and_those_of_open_are_not(
    tmp_path: Path,
) -> None:
    metrics, log = Metrics(), RecordedLog()

    async def scenario() -> None:
        clock = FakeClock()
        (tmp_path / "hooks.yaml").write_text("hooks: {bad: {on: Go, steps: [{leaky: {}}]}}")
        registry = Registry()
        registry.add_action(Leaky)
        runtime = Runtime.from_file(
            tmp_path / "hooks.yaml", store="memory:", env={}, registry=registry, observers=[metrics], clock=clock
        )
        runtime._parts.log = log
        async with runtime:
            receipt = await runtime.emit("Go")
            [delivery] = await receipt.wait()
            assert delivery.status is Status.SUCCEEDED
            async with asyncio.timeout(10):
                while not all(task.done() for task in Leaky.left):
                    await clock.run_for(LOOK_S)
            assert [task.cancelled() for task in Leaky.left] == [True, True]
            assert [task.done() for task in Leaky.kept] == [False]

    asyncio.run(scenario())
    [told] = [fields for _, event, fields in log.lines if event == "task-leaked"]
    assert (told["action"], told["hook"], told["step"], told["plugin"]) == ("leaky", "bad", "leaky", "this program")
    assert told["task"] in {"Leaky.go_on", "sleep"}
    assert "TaskGroup" in told["way_out"]
    assert metrics.registry.get_sample_value("hookrt_leaked_tasks_total", {"action": "leaky"}) == 2


def test_what_is_left_behind_at_the_end_is_cancelled_with_the_runtime(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "hookrt"), runtime_of(tmp_path, "{leaky: {}}") as runtime:
        assert by_hook(runtime.emit("Go"))["bad"].status is Status.SUCCEEDED
    assert all(task.cancelled() for task in Leaky.left)
    assert "task-leaked action=leaky" in caplog.text


def test_an_observer_that_raises_or_has_few_methods_costs_nobody_a_delivery(tmp_path: Path) -> None:
    class Raising(Observer):
        def event_accepted(self, source: str, *, duplicate: bool = False) -> None:
            raise RuntimeError("a bug")

        def delivery_ended(self, hook: str, status: Status) -> None:
            raise RuntimeError("a bug")

    class Small:
        seen: ClassVar[list[str]] = []

        def attempt_recorded(self, recorded: Any) -> None:
            self.seen.append(recorded.hook)

    with runtime_of(tmp_path, "{fine: {}}", observers=[Raising(), Small()]) as runtime:
        assert {one.status for one in runtime.emit("Go")} == {Status.SUCCEEDED}
    assert sorted(Small.seen) == ["bad", "good"]
