"""A changed configuration is validated whole and swapped whole, under deliveries that go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hookrt import Runtime
from hookrt.errors import UsageError
from hookrt.model.delivery import Delivery, Status
from hookrt.plugin import Action, ActionCall, Outcome, Settings
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import Registry
from hookrt.store.contract import DeliveryQuery, EventQuery

DEADLINE_S = 20.0


class GateSettings(Settings):
    say: str = "done"
    lane: str | None = None


class Gate(Action[GateSettings]):
    """Tells that it began, waits until it is let through, and does what its settings say."""

    name = "gate"
    began = asyncio.Event()
    open_now = asyncio.Event()
    said: ClassVar[list[str]] = []

    def lane(self, written: Any) -> str | None:
        lane = written.get("lane")
        return None if lane is None else str(lane)

    async def run(self, call: ActionCall[GateSettings]) -> Outcome:
        Gate.began.set()
        await Gate.open_now.wait()
        Gate.said.append(call.settings.say)
        return Outcome.retry("again") if call.settings.say == "retry" else Outcome.done()


@pytest.fixture(autouse=True)
def gate() -> None:
    Gate.began, Gate.open_now, Gate.said = asyncio.Event(), asyncio.Event(), []


def registry() -> Registry:
    plugins = load_plugins()
    plugins.add_action(Gate)
    return plugins


class Project:
    """A folder with a hooks.yaml, and a runtime on it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "hooks.yaml"

    def write(self, **hooks: str) -> None:
        lines = [f"  {name}: {text}" for name, text in hooks.items()]
        self.file.write_text("\n".join(["hooks:", *lines, ""]) if lines else "hooks: {}\n")

    def runtime(self) -> Runtime:
        return Runtime.from_file(self.file, store="memory:", registry=registry(), env={})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


async def until(question: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(DEADLINE_S):
        while not (answer := await question()):
            await asyncio.sleep(0.01)
    return answer


async def in_status(runtime: Runtime, status: Status, hook: str = "a") -> list[Delivery]:
    async def ask() -> Any:
        return (await runtime.store.deliveries(DeliveryQuery(hook=hook, statuses=[status]))).items

    return list(await until(ask))


async def told(runtime: Runtime, event_type: str) -> dict[str, Any]:
    async def ask() -> Any:
        return (await runtime.store.events(EventQuery(type=event_type))).items

    data = (await until(ask))[0].event.data
    assert isinstance(data, dict)
    return data


LOG = "{on: A, steps: [{log: hello}]}"
OTHER = "{on: [A, B], steps: [{log: hello}]}"
BROKEN = "{on: A, stepz: [{log: hello}]}"


def test_hooks_are_added_removed_and_changed(project: Project) -> None:
    async def run() -> None:
        project.write(a=LOG, b=LOG, c=LOG)
        async with project.runtime() as runtime:
            assert len((await runtime.emit("A")).deliveries) == 3
            project.write(d=LOG, c=OTHER, a=LOG)
            report = await runtime.reload()
            assert report.accepted
            assert (report.hooks.added, report.hooks.removed, report.hooks.changed) == (("d",), ("b",), ("c",))
            assert list(runtime.router.hooks) == [hook.name for hook in runtime.configuration.hooks]  # type: ignore[union-attr]
            assert len((await runtime.emit("B")).deliveries) == 1
            assert runtime.last_reload is report
            data = await told(runtime, "hookrt.config.reloaded")
            assert data["hooks"] == {"added": ["d"], "removed": ["b"], "changed": ["c"], "count": 3}

    asyncio.run(run())


def test_a_hook_can_act_on_the_reload_that_brought_it(project: Project) -> None:
    async def run() -> None:
        project.write(a=LOG)
        async with project.runtime() as runtime:
            project.write(tell="{on: hookrt.config.reloaded, steps: [{log: hello}]}")
            await runtime.reload()
            await in_status(runtime, Status.SUCCEEDED, "tell")

    asyncio.run(run())


def test_a_bad_file_changes_nothing_and_is_reported_with_its_problems(project: Project) -> None:
    async def run() -> None:
        project.write(a=LOG)
        async with project.runtime() as runtime:
            before = runtime.configuration
            project.write(a=OTHER, b=BROKEN, c=BROKEN)
            report = await runtime.reload()
            assert not report.accepted
            assert [problem.place.line for problem in report.problems] == [3, 4]
            assert runtime.configuration is before
            assert list(runtime.router.hooks) == ["a"]
            assert (await runtime.emit("B")).deliveries == ()
            data = await told(runtime, "hookrt.config.rejected")
            assert data["problem_count"] == 2
            assert data["problems"][0]["line"] == 3
            assert "stepz" in str(data["problems"])
            project.write(a=OTHER)
            assert (await runtime.reload()).hooks.changed == ("a",)
            assert len((await runtime.emit("B")).deliveries) == 1

    asyncio.run(run())


@pytest.mark.parametrize("text", ["", "\n", "# to come\n", "hooks:\n", "defaults: {timeout: 1s}\n"])
def test_an_emptied_file_changes_nothing_and_empty_braces_take_all_away(project: Project, text: str) -> None:
    async def run() -> None:
        project.write(a=LOG)
        async with project.runtime() as runtime:
            project.file.write_text(text)
            report = await runtime.reload()
            assert not report.accepted
            assert "write `hooks: {}`" in str(report.problems[0])
            assert list(runtime.router.hooks) == ["a"]
            project.write()
            assert (await runtime.reload()).hooks.removed == ("a",)

    asyncio.run(run())


def test_a_file_that_is_gone_changes_nothing(project: Project) -> None:
    async def run() -> None:
        project.write(a=LOG)
        async with project.runtime() as runtime:
            project.file.unlink()
            report = await runtime.reload()
            assert not report.accepted
            assert "no such file" in str(report.problems[0])
            assert len((await runtime.emit("A")).deliveries) == 1

    asyncio.run(run())


def test_a_snippet_that_does_not_compile_is_found_before_the_swap(project: Project) -> None:
    async def run() -> None:
        project.write(a=LOG)
        async with project.runtime() as runtime:
            project.write(a='{on: A, steps: [{python: "def run(event, ctx): return (("}]}')
            report = await runtime.reload()
            assert not report.accepted
            project.write(a='{on: A, steps: [{python: "def run(event, ctx): return 7"}]}')
            assert (await runtime.reload()).accepted
            [delivery] = await (await runtime.emit("A")).wait(timeout=DEADLINE_S)
            assert delivery.status is Status.SUCCEEDED

    asyncio.run(run())


def test_an_attempt_under_way_finishes_as_it_began_and_the_retry_uses_the_hook_as_it_is_now(project: Project) -> None:
    async def run() -> None:
        project.write(a="{on: A, retry: [1ms, 1ms, 1ms], steps: [{gate: {say: retry}}]}")
        async with project.runtime() as runtime:
            receipt = await runtime.emit("A")
            await Gate.began.wait()
            project.write(a="{on: A, retry: [1ms, 1ms, 1ms], steps: [{gate: {say: new}}]}")
            await runtime.reload()
            Gate.open_now.set()
            [delivery] = await receipt.wait(timeout=DEADLINE_S)
            assert (delivery.status, delivery.attempts, Gate.said) == (Status.SUCCEEDED, 2, ["retry", "new"])

    asyncio.run(run())


def test_what_waits_for_a_removed_hook_is_held_at_once_and_goes_on_when_the_hook_comes_back(project: Project) -> None:
    async def run() -> None:
        Gate.open_now.set()
        waiting = "{on: A, retry: [1h], steps: [{gate: {say: retry}}]}"
        project.write(a=waiting, b=LOG)
        async with project.runtime() as runtime:
            await runtime.emit("A")
            await in_status(runtime, Status.WAITING)
            project.write(b=LOG)
            await runtime.reload()
            [held] = await in_status(runtime, Status.HELD)
            assert held.reason == "hook-removed"
            project.write(a=waiting.replace("retry}", "done}"), b=LOG)
            await runtime.reload()
            [ended] = await in_status(runtime, Status.SUCCEEDED)
            assert ended.id == held.id

    asyncio.run(run())


def test_an_attempt_under_way_for_a_hook_that_goes_ends_well_and_its_retry_is_held(project: Project) -> None:
    async def run() -> None:
        project.write(a="{on: A, retry: [1ms], steps: [{gate: {say: retry}}]}")
        async with project.runtime() as runtime:
            await runtime.emit("A")
            await Gate.began.wait()
            project.write(b=LOG)
            await runtime.reload()
            Gate.open_now.set()
            [held] = await in_status(runtime, Status.HELD)
            assert (held.attempts, held.reason) == (1, "hook-removed")

    asyncio.run(run())


def test_a_disabled_hook_holds_and_gets_what_is_held_when_the_file_enables_it(project: Project) -> None:
    async def run() -> None:
        Gate.open_now.set()
        project.write(a="{on: A, retry: [1ms, 1ms, 1ms], steps: [{gate: {say: retry}}]}", b=LOG)
        async with project.runtime() as runtime:
            Gate.open_now.clear()
            await runtime.emit("A")
            await Gate.began.wait()
            project.write(a="{on: A, enabled: false, steps: [{gate: {}}]}", b=LOG)
            assert (await runtime.reload()).hooks.changed == ("a",)
            Gate.open_now.set()
            await in_status(runtime, Status.HELD)
            project.write(a="{on: A, steps: [{gate: {}}]}", b=LOG)
            await runtime.reload()
            await in_status(runtime, Status.SUCCEEDED)

    asyncio.run(run())


def test_what_waits_for_a_hook_that_the_file_disables_is_held_at_once(project: Project) -> None:
    async def run() -> None:
        Gate.open_now.set()
        project.write(a="{on: A, retry: [1h], steps: [{gate: {say: retry}}]}")
        async with project.runtime() as runtime:
            await runtime.emit("A")
            await in_status(runtime, Status.WAITING)
            project.write(a="{on: A, enabled: false, steps: [{gate: {}}]}")
            await runtime.reload()
            [held] = await in_status(runtime, Status.HELD)
            assert held.reason == "hook-disabled"
            project.write(a="{on: A, steps: [{gate: {}}]}")
            await runtime.reload()
            await in_status(runtime, Status.SUCCEEDED)

    asyncio.run(run())


def test_what_waits_moves_to_the_lane_that_its_step_has_now(project: Project) -> None:
    async def run() -> None:
        Gate.open_now.set()
        project.write(a="{on: A, retry: [1h], steps: [{gate: {say: retry, lane: one}}]}")
        async with project.runtime() as runtime:
            await runtime.emit("A")
            [waiting] = await in_status(runtime, Status.WAITING)
            assert waiting.lane == "one"
            project.write(a="{on: A, retry: [1h], steps: [{gate: {say: retry, lane: two}}]}")
            await runtime.reload()

            async def moved() -> bool:
                found = await runtime.store.delivery(waiting.id)
                assert found is not None
                assert found.delivery.due_us == waiting.due_us
                return found.delivery.lane == "two"

            await until(moved)

    asyncio.run(run())


def test_reloads_at_once_take_turns_and_the_last_one_stands(project: Project) -> None:
    async def run() -> None:
        project.write(a=LOG)
        async with project.runtime() as runtime:
            project.write(a=LOG, b=LOG)
            reports = await asyncio.gather(*(runtime.reload() for _ in range(3)))
            assert [report.hooks.added for report in reports] == [("b",), (), ()]
            assert set(runtime.router.hooks) == {"a", "b"}

    asyncio.run(run())


def test_a_stop_during_a_reload_leaves_the_runtime_stopped_and_able_to_start_again(project: Project) -> None:
    async def run() -> None:
        project.write(a=LOG)
        runtime = project.runtime()
        await runtime.start()
        project.write(b=LOG)
        reloading = asyncio.create_task(runtime.reload())
        await asyncio.sleep(0)
        await runtime.stop()
        with pytest.raises(UsageError, match="stopped"):
            await reloading
        assert list(runtime.router.hooks) == ["a"]
        with pytest.raises(UsageError, match="does not run"):
            await runtime.reload()

    asyncio.run(run())


def test_events_are_taken_while_many_hooks_are_read(project: Project) -> None:
    async def run() -> None:
        project.write(a=LOG)
        async with project.runtime() as runtime:
            many = {f"h{number}": "{on: B, when: event.data.n > 3, steps: [{log: hello}]}" for number in range(1500)}
            project.write(a=LOG, **many)
            reloading = asyncio.create_task(runtime.reload())
            taken = 0
            while not reloading.done():
                [delivery] = await (await runtime.emit("A")).wait(timeout=DEADLINE_S)
                assert delivery.status is Status.SUCCEEDED
                taken += 1
            assert len((await reloading).hooks.added) == 1500
            assert taken > 20

    asyncio.run(run())


def test_an_embedding_program_can_watch(project: Project) -> None:
    async def run() -> None:
        project.write(a=LOG)
        async with project.runtime() as runtime:
            reports: asyncio.Queue[Any] = asyncio.Queue()
            watching = asyncio.create_task(runtime.watch(reports.put_nowait))
            await asyncio.sleep(0)
            project.write(a=BROKEN)
            async with asyncio.timeout(DEADLINE_S):
                assert not (await reports.get()).accepted
                project.write(a=LOG, b=LOG)
                assert (await reports.get()).hooks.added == ("b",)
            assert reports.empty()
        async with asyncio.timeout(DEADLINE_S):
            await watching  # it ends with the runtime

    asyncio.run(run())


def test_synchronous_code_reloads_too(project: Project) -> None:
    project.write(a=LOG)
    with project.runtime().blocking() as hooks:
        project.write(a=OTHER)
        assert hooks.reload().hooks.changed == ("a",)


def test_a_runtime_without_a_file_says_so(tmp_path: Path) -> None:
    async def run() -> None:
        async with Runtime(store="memory:") as runtime:
            assert runtime.last_reload is None
            with pytest.raises(UsageError, match="from_file"):
                await runtime.reload()

    asyncio.run(run())
