"""What an action says of itself reaches whoever looks, at the start and after a reload."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hookrt import Runtime
from hookrt.errors import PluginError
from hookrt.plugin import Action, ActionCall, ActionSetup, Duration, Outcome, Settings
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import Registry
from hookrt.runtime.action_reports import MAX_FACTS, MAX_TEXT, ActionReport, report_actions
from hookrt.testing import RecordedLog


class Nothing(Settings):
    pass


class PumpService(Settings):
    timeout: Duration = timedelta(seconds=7)
    strength: int = 1


class Pump(Action[Nothing]):
    """Says what it is told to say."""

    name = "pump"
    service_settings = PumpService
    step_defaults = frozenset({"timeout"})
    said: ClassVar[dict[str, str]] = {}
    warned: ClassVar[list[str]] = []
    setups: ClassVar[list[ActionSetup]] = []

    async def open(self, setup: ActionSetup) -> None:
        Pump.setups.append(setup)
        if "refuse" in self.said:
            raise PluginError("the pump has no water")

    def facts(self) -> Mapping[str, str]:
        return self.said

    def warnings(self) -> Iterable[str]:
        return self.warned

    @classmethod
    def timeout_of_steps(cls, service: Settings | None) -> timedelta | None:
        return service.timeout if isinstance(service, PumpService) else None

    async def run(self, call: ActionCall[Nothing]) -> Outcome:
        return Outcome.done()


@pytest.fixture(autouse=True)
def pump() -> None:
    Pump.said, Pump.warned, Pump.setups = {}, [], []


def registry() -> Registry:
    plugins = load_plugins()
    plugins.add_action(Pump)
    return plugins


PUMP = "hooks: {a: {on: A, steps: [{pump: {}}]}}\n"
LOG = "hooks: {a: {on: A, steps: [{log: hello}]}}\n"


def runtime_of(folder: Path, text: str) -> Runtime:
    (folder / "hooks.yaml").write_text(text)
    return Runtime.from_file(folder / "hooks.yaml", store="memory:", registry=registry(), env={})


def test_facts_and_warnings_of_the_actions_in_use_are_there_while_it_runs(tmp_path: Path) -> None:
    Pump.said, Pump.warned = {"level": "high"}, ["the pump leaks"]

    async def run() -> None:
        runtime = runtime_of(tmp_path, PUMP)
        assert runtime.action_reports == {}
        async with runtime:
            assert runtime.action_reports == {"pump": ActionReport({"level": "high"}, ("the pump leaks",))}
        assert runtime.action_reports == {}
        async with runtime_of(tmp_path, LOG) as other:
            assert other.action_reports == {}

    asyncio.run(run())


def test_warnings_are_logged_at_the_start_and_after_each_reload_that_is_taken(tmp_path: Path) -> None:
    Pump.warned = ["the pump leaks"]
    log = RecordedLog()

    async def run() -> None:
        runtime = runtime_of(tmp_path, PUMP)
        runtime._parts.log = log
        async with runtime:
            report = await runtime.reload()
            [problem] = report.problems
            assert (problem.severity.value, problem.message) == ("warning", "action pump: the pump leaks")
            (tmp_path / "hooks.yaml").write_text("hooks: {a: {on: A}}")
            assert not (await runtime.reload()).accepted

    asyncio.run(run())
    warned = [line for line in log.lines if line[1] == "action-warning"]
    assert len(warned) == 2
    assert warned[0][2] == {"action": "pump", "warning": "the pump leaks"}


def test_a_reload_that_needs_an_action_which_cannot_start_is_rejected_with_its_words(tmp_path: Path) -> None:
    async def run() -> None:
        async with runtime_of(tmp_path, LOG) as runtime:
            Pump.said = {"refuse": "yes"}
            (tmp_path / "hooks.yaml").write_text(PUMP)
            report = await runtime.reload()
            assert not report.accepted
            assert report.problems[0].message == "the pump has no water"
            assert runtime.router.hooks["a"].steps[0].action == "log"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("h.test", False)]
)
def test_an_action_is_told_whether_the_service_is_for_this_machine_only(tmp_path: Path, host: str, local: bool) -> None:
    async def run() -> None:
        async with runtime_of(tmp_path, f"service: {{host: '{host}'}}\n{PUMP}"):
            assert [setup.local for setup in Pump.setups] == [local]

    asyncio.run(run())


TIMES = """\
service: {actions: {pump: {timeout: %s, strength: %s}}}
hooks:
  a: {on: A, steps: [{pump: {}}]}
  b: {on: A, timeout: 2s, steps: [{pump: {}}, {pump: {}, timeout: 1s}]}
"""


def times_of(runtime: Runtime) -> list[float]:
    return [step.timeout.total_seconds() for hook in runtime.router.hooks.values() for step in hook.steps]


def test_the_timeout_of_the_service_settings_is_that_of_steps_without_one_also_after_a_reload(tmp_path: Path) -> None:
    async def run() -> None:
        async with runtime_of(tmp_path, TIMES % ("4s", 1)) as runtime:
            assert times_of(runtime) == [4, 2, 1]
            (tmp_path / "hooks.yaml").write_text(TIMES % ("3s", 2))
            report = await runtime.reload()
            assert times_of(runtime) == [3, 2, 1]
            assert report.needs_restart == ("service.actions.pump.strength",)
        async with runtime_of(tmp_path, f"defaults: {{timeout: 9s}}\n{TIMES % ('4s', 1)}") as runtime:
            assert times_of(runtime) == [9, 2, 1]
        async with runtime_of(tmp_path, PUMP) as runtime:
            assert times_of(runtime) == [7]

    asyncio.run(run())


def test_what_an_action_says_is_bounded_and_masked_and_may_fail() -> None:
    class Odd(Pump):
        name = "odd"

        def facts(self) -> Mapping[str, str]:
            raise OSError("secret")

    def mask(text: str) -> str:
        return text.replace("hunter2", "***")

    Pump.said = {f"fact {number}": "hunter2" for number in range(100)}
    Pump.warned = ["x" * 10_000, "hunter2"]
    actions: dict[str, Action[Any]] = {"pump": Pump(), "odd": Odd()}
    reports = report_actions(actions, mask)
    assert len(reports["pump"].facts) == MAX_FACTS
    assert set(reports["pump"].facts.values()) == {"***"}
    assert [len(text) for text in reports["pump"].warnings] == [MAX_TEXT, 3]
    assert reports["odd"] == ActionReport({}, ("it cannot say how it stands: OSError",))
