"""A plugin that holds the event loop is named, with the place in its code; those beside it are not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hookrt import Runtime
from hookrt.config.load import LoadOptions, load
from hookrt.model.delivery import Status
from hookrt.observability.metrics import Metrics
from hookrt.plugin import Action, ActionCall, Observer, Outcome, Settings, Source, SourceRun
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.observer import AttemptRecorded
from hookrt.plugin.registry import Registry
from hookrt.runtime.rare_lines import EVERY_S, RareLines
from hookrt.testing import RecordedLog

THRESHOLD = "100ms"
HOLD_S = 0.3


class Nothing(Settings):
    pass


class Log(RecordedLog):
    """Tells when a line has come."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = threading.Condition()

    def warning(self, event: str, **fields: Any) -> None:
        with self.arrived:
            super().warning(event, **fields)
            self.arrived.notify_all()

    def named(self, kind: str, name: str) -> list[dict[str, Any]]:
        return [fields for _, event, fields in self.lines if event == "loop-blocked" and fields.get(kind) == name]

    async def until_named(self, kind: str, name: str, again: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
        def wait_a_moment() -> bool:
            with self.arrived:
                return self.arrived.wait_for(lambda: self.named(kind, name), 1)

        for _ in range(8):  # on a machine that does something else just then, it is named the next time
            if await asyncio.to_thread(wait_a_moment):
                break
            await again()
        assert self.named(kind, name), f"{kind} {name} is not named in {self.lines}"
        return self.named(kind, name)[0]


def deep_inside(seconds: float = HOLD_S) -> None:
    time.sleep(seconds)  # deliberately


class Blocker(Action[Nothing]):
    """Holds the loop."""

    name = "blocker"

    async def run(self, call: ActionCall[Nothing]) -> Outcome:
        deep_inside()
        return Outcome.done()


class Counter(Action[Nothing]):
    """Holds the interpreter itself."""

    name = "counter"

    async def run(self, call: ActionCall[Nothing]) -> Outcome:
        sum(range(20_000_000))  # in C, without a pause
        return Outcome.done()


class Child(Action[Nothing]):
    """Holds the loop in a task that it makes and awaits."""

    name = "child"

    async def run(self, call: ActionCall[Nothing]) -> Outcome:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.hold())
        return Outcome.done()

    async def hold(self) -> None:
        deep_inside()


class Patient(Action[Nothing]):
    """Blocks, in a thread, since its `run` is a plain function."""

    name = "patient"

    def run(self, call: ActionCall[Nothing]) -> Outcome:  # type: ignore[override]
        deep_inside()
        return Outcome.done(threading.current_thread() is threading.main_thread())


class Honest(Action[Nothing]):
    """Waits as one should."""

    name = "honest"

    async def run(self, call: ActionCall[Nothing]) -> Outcome:
        for _ in range(20):
            await asyncio.sleep(0)
        return Outcome.done()


class Holding(Source[Nothing]):
    """Holds the loop before each of its events."""

    name = "holding"

    async def run(self, source: SourceRun[Nothing]) -> None:
        for _ in range(3):
            deep_inside()
            await source.emit("Made", {})
        await asyncio.Event().wait()


def file_of(*actions: str, sources: str = "{}") -> str:
    hooks = "".join(f"\n  {name}-hook: {{on: Go, steps: [{name}: {{}}]}}" for name in actions)
    return f"service: {{blocked_after: {THRESHOLD}}}\nsources: {sources}\nhooks:{hooks or ' {}'}\n"


def registry_of(*actions: type[Action[Any]]) -> Registry:
    registry = load_plugins(entry_points=())
    for one in (*actions, Honest):
        registry.add_action(one)
    registry.add_source(Holding)
    return registry


def run_in(
    tmp_path: Path,
    text: str,
    use: Callable[[Runtime, Log], Awaitable[None]],
    *actions: type[Action[Any]],
    observers: tuple[Observer, ...] = (),
) -> Log:
    """Use a runtime of this file, whose log is kept."""
    (tmp_path / "hooks.yaml").write_text(text)
    log = Log()

    async def scenario() -> None:
        runtime = Runtime.from_file(
            tmp_path / "hooks.yaml", store="memory:", env={}, registry=registry_of(*actions), observers=observers
        )
        runtime._parts.log = log
        async with runtime:
            await use(runtime, log)

    asyncio.run(scenario())
    return log


async def go(runtime: Runtime) -> list[Any]:
    receipt = await runtime.emit("Go", {})
    return await receipt.wait(10)


@pytest.mark.parametrize(("blocker", "innermost"), [(Blocker, "deep_inside"), (Counter, "run"), (Child, "deep_inside")])
def test_an_action_that_holds_the_loop_is_named_with_hook_and_stack_and_the_honest_one_beside_it_is_not(
    tmp_path: Path, blocker: type[Action[Any]], innermost: str
) -> None:
    async def use(runtime: Runtime, log: Log) -> None:
        assert {one.status for one in await go(runtime)} == {Status.SUCCEEDED}
        said = await log.until_named("action", blocker.name, partial(go, runtime))
        assert (said["hook"], said["step"], said["plugin"]) == (f"{blocker.name}-hook", blocker.name, "this program")
        assert f"in {innermost}" in said["stack"].split(" > ")[-1]
        assert "test_blocked_loop.py:" in said["stack"]
        assert said["blocked_s"] > 0
        assert "plain `def run`" in said["way_out"]

    log = run_in(tmp_path, file_of(blocker.name, "honest"), use, blocker)
    assert log.named("action", "honest") == []


def test_the_line_that_blocks_is_shown(tmp_path: Path) -> None:
    async def use(runtime: Runtime, log: Log) -> None:
        await go(runtime)
        assert "time.sleep(seconds)" in (await log.until_named("action", "blocker", partial(go, runtime)))["stack"]

    run_in(tmp_path, file_of("blocker"), use, Blocker)


def test_a_plain_run_blocks_in_a_thread_and_is_not_named(tmp_path: Path) -> None:
    async def use(runtime: Runtime, log: Log) -> None:
        assert {one.status for one in await go(runtime)} == {Status.SUCCEEDED}

    assert run_in(tmp_path, file_of("patient"), use, Patient).named("action", "patient") == []


def test_a_function_of_the_program_that_holds_the_loop_is_named_by_its_hook(tmp_path: Path) -> None:
    async def use(runtime: Runtime, log: Log) -> None:
        @runtime.on("Go", name="slow")
        async def slow(event: Any) -> None:
            deep_inside()

        await go(runtime)
        said = await log.until_named("action", "function:slow", partial(go, runtime))
        assert (said["hook"], said["plugin"]) == ("slow", "this program")

    run_in(tmp_path, file_of(), use)


def test_a_source_that_holds_the_loop_is_named_by_its_key(tmp_path: Path) -> None:
    async def use(runtime: Runtime, log: Log) -> None:
        assert "deep_inside" in (await log.until_named("source", "mine", partial(asyncio.sleep, 0)))["stack"]

    run_in(tmp_path, file_of(sources="{mine: {holding: {}}}"), use)


def test_an_observer_that_holds_the_loop_is_named_and_not_the_action_before_it(tmp_path: Path) -> None:
    class Slow(Observer):
        def attempt_recorded(self, recorded: AttemptRecorded) -> None:
            deep_inside()

    async def use(runtime: Runtime, log: Log) -> None:
        await go(runtime)
        await log.until_named("observer", "Slow", partial(go, runtime))

    assert run_in(tmp_path, file_of("honest"), use, observers=(Slow(),)).named("action", "honest") == []


def test_blocks_are_counted_in_the_metrics_through_the_observer(tmp_path: Path) -> None:
    seen: list[tuple[str, str, float]] = []
    told = asyncio.Event()

    class Seen(Observer):
        def loop_blocked(self, kind: str, name: str, seconds: float) -> None:
            seen.append((kind, name, seconds))
            told.set()

    metrics = Metrics()

    async def use(runtime: Runtime, log: Log) -> None:
        async with asyncio.timeout(20):
            while not told.is_set():
                await go(runtime)

    run_in(tmp_path, file_of("blocker"), use, Blocker, observers=(metrics, Seen()))
    assert {(kind, name) for kind, name, _ in seen} == {("action", "blocker")}
    labels = {"kind": "action", "plugin": "blocker"}
    assert metrics.registry.get_sample_value("hookrt_loop_blocks_total", labels) == len(seen)
    seconds = metrics.registry.get_sample_value("hookrt_loop_blocked_seconds_total", labels)
    assert seconds == pytest.approx(sum(one for _, _, one in seen))


def test_one_thing_gets_one_line_a_minute_that_counts_those_left_out() -> None:
    now = 0.0
    rare = RareLines(lambda: now)
    assert [rare.due("a") for _ in range(3)] == [0, None, None]
    assert rare.due("b") == 0
    now = EVERY_S
    assert rare.due("a") == 2
    assert rare.due("a") is None


def watchers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "hookrt loop watch"]


def test_the_watch_begins_with_the_runtime_and_ends_with_it() -> None:
    async def scenario() -> None:
        runtime = Runtime(store="memory:")
        assert watchers() == []
        async with runtime:
            assert len(watchers()) == 1
        assert watchers() == []

    asyncio.run(scenario())
    with Runtime(store="memory:").blocking():
        assert len(watchers()) == 1
    assert watchers() == []


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    async def use(runtime: Runtime, log: Log) -> None:
        assert watchers() == []

    run_in(tmp_path, "service: {blocked_after: off}\nhooks: {}\n", use)


@pytest.mark.parametrize("written", ["0s", "1ms", "-1s", "2h", "soon"])
def test_a_limit_that_makes_no_sense_is_a_problem(tmp_path: Path, written: str) -> None:
    (tmp_path / "hooks.yaml").write_text(f"service: {{blocked_after: {written}}}\nhooks: {{}}\n")
    loaded = load(tmp_path / "hooks.yaml", LoadOptions(registry=registry_of(), env={}))
    [problem] = loaded.errors
    assert problem.place.line == 1
