"""Where tests are run: the hooks of a configuration, their actions opened as far as tests need them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from hookrt.clock import SystemClock
from hookrt.config.load import Configuration
from hookrt.delivery.rehearse import SilentLog
from hookrt.delivery.trial import Trial
from hookrt.errors import PluginError
from hookrt.matching.router import HookExplanation, Router
from hookrt.model.hook import Hook, Step
from hookrt.model.hook_test import Expected, HookTest
from hookrt.plugin.action import Action
from hookrt.plugin.registry import Registry
from hookrt.proving.judge import Played, judge, mismatches
from hookrt.proving.results import Mismatch, TestResult
from hookrt.proving.stage import Stage
from hookrt.proving.stand_ins import RefusingAction, StandInAction, WatchedSettings
from hookrt.runtime.wiring import Parts, close_actions, make_egress, make_ports, open_actions
from hookrt.store.open import open_store

_GIVE_OUTPUT = "give the step an output in the test: `stub: {output: ...}`"


class Bench:
    """Runs tests of hooks, one after the other; use it as `async with`. Nothing of them is seen outside."""

    def __init__(self, configuration: Configuration, registry: Registry) -> None:
        self._clock = SystemClock()
        self._masker = configuration.secrets.masker
        self._parts = Parts(
            store=open_store("memory:", self._clock),
            log=SilentLog(),
            registry=registry,
            configuration=configuration,
            env={},
            clock=self._clock,
            base_dir=configuration.base_dir,
        )
        self._opened: dict[str, Action[Any]] = {}
        self._closed: dict[str, str] = {}
        self._egress = make_egress(self._parts, self._masker)
        self._ports = make_ports(self._parts, self._egress, self._opened, self._masker)

    async def __aenter__(self) -> Bench:
        return self

    async def __aexit__(self, *_: object) -> None:
        await close_actions(self._opened, self._parts.log)
        await self._egress.close()

    async def run(self, test: HookTest) -> TestResult:
        """Run one test."""
        begun = self._clock.monotonic()
        found = await self._mismatches(test)
        return TestResult(test, (self._clock.monotonic() - begun) * 1000, tuple(found))

    async def _mismatches(self, test: HookTest) -> list[Mismatch]:
        hook = self._ports.router.hooks[test.hook]
        explanation = Router([hook]).explain(test.event, test.env)[0]
        fires = explanation.reason in ("fires", "decide")
        found = [*_of_firing(test, explanation, fires=fires), *self._of_hooks(test)]
        if not fires or test.fires.value is False:
            return found
        return found + judge(await self._play(test, hook))

    def _of_hooks(self, test: HookTest) -> Iterator[Mismatch]:
        if test.hooks is not None:
            match = self._ports.router.match(test.event, test.env)
            fired = [hook.name for hook in (*match.hooks, *self._ports.router.deciding(test.event))]
            expected = Expected(sorted(test.hooks.value), {(): test.hooks.written()})
            yield from mismatches("hooks", expected, sorted(fired))

    async def _play(self, test: HookTest, hook: Hook) -> Played:
        stage = Stage(test, self._egress, hook.expires)
        settings = {step.id: WatchedSettings(step.settings) for step in hook.steps}
        actions: dict[str, Action[Any]] = {}
        steps = []
        for step in hook.steps:
            action = await self._action_for(step, test)
            steps.append(_under_test(step, action, settings[step.id], test))
            actions[steps[-1].action] = action
        store = open_store("memory:", stage.clock)
        ports = replace(self._ports, store=store, clock=stage.clock, env=test.env, actions=actions)
        await store.open()
        try:
            result = await Trial(ports, stage).run(test.event, replace(hook, steps=tuple(steps)))
        finally:
            await store.close()
        return Played(test, result, stage, settings, self._masker.mask)

    async def _action_for(self, step: Step, test: HookTest) -> Action[Any]:
        """What runs a step: the real action, or what stands in for it."""
        example = test.steps.get(step.id)
        if example is not None and example.stand_in is not None:
            return StandInAction(example.stand_in.output)
        found = self._parts.registry.actions.get(step.action)
        if found is not None and not (found.only_http or found.only_sends):
            why = f"the step {step.id!r} runs `{step.action}`, which may reach more of the outside than HTTP"
            return RefusingAction(f"{why}: {_GIVE_OUTPUT}")
        why_not = await self._open(step.action)
        if why_not is not None:
            return RefusingAction(f"the step {step.id!r} cannot run here ({why_not}): {_GIVE_OUTPUT}")
        return self._opened[step.action]

    async def _open(self, name: str) -> str | None:
        """Open an action that is not open yet; why it cannot be, where it cannot."""
        if name in self._opened or name in self._closed:
            return self._closed.get(name)
        try:
            await open_actions(self._parts, self._egress, {name}, self._opened)
        except PluginError as error:
            self._closed[name] = self._masker.mask(str(error))
        else:
            if name not in self._opened:
                self._closed[name] = f"the action {name!r} is not installed"
        return self._closed.get(name)


async def run_tests(configuration: Configuration, registry: Registry, tests: Sequence[HookTest]) -> list[TestResult]:
    """Run these tests of the configuration's hooks."""
    async with Bench(configuration, registry) as bench:
        return [await bench.run(test) for test in tests]


def _of_firing(test: HookTest, explanation: HookExplanation, *, fires: bool) -> Iterator[Mismatch]:
    if test.fires.value and not fires:
        yield Mismatch("the event does not fire the hook", test.fires.written(), why=explanation.detail, compared=False)
    elif fires and not test.fires.value:
        yield Mismatch("the event fires the hook", test.fires.written(), compared=False)


def _under_test(step: Step, action: Action[Any], settings: WatchedSettings, test: HookTest) -> Step:
    """A step with its settings watched, by what runs it in a test; its output is kept where it is looked at."""
    real = not isinstance(action, (StandInAction, RefusingAction))
    example = test.steps.get(step.id)
    looked_at = example is not None and "output" in example.expected
    name = step.action if real else f"{action.name}:{step.id}"
    return replace(step, action=name, settings=settings, keeps_output=step.keeps_output or looked_at)
