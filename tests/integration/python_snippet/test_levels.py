"""Which workers may run snippets at all: the first one at the start, and every later one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hookrt.actions.python_snippet import levels
from hookrt.actions.python_snippet.action import PythonSnippet
from hookrt.actions.python_snippet.worker.seccomp import is_supported
from hookrt.plugin import PluginError
from hookrt.testing import open_action
from sandbox_corpus.workers import LAYERS, write_raw_boot

pytestmark = pytest.mark.skipif(not is_supported(), reason="this system has no filter of system calls")

CRASH = "x = ()\nfor i in range(300000):\n    x = (x,)\nresult = hash(x)"
Become = Callable[[Sequence[str]], Path]


@pytest.fixture
def become(tmp_path: Path) -> Become:
    """Let every worker that starts from now on raise these walls only; returns the script that starts them."""
    script = tmp_path / "boot.py"

    def change(layers: Sequence[str]) -> Path:
        write_raw_boot(tmp_path, layers).replace(script)
        return script

    return change


def test_the_first_worker_is_started_before_the_first_run_and_serves_it(open_bench: Any) -> None:
    async def story() -> tuple[int, list[int], list[int]]:
        async with open_bench(spares=1) as bench:
            await bench.pool.prepare()
            before = bench.pool.processes
            first = [worker.pid for worker in bench.pool._spares]
            await bench.run("result = 1")
            return before, first, bench.pool.pids("hook")

    before, first, used = asyncio.run(story())
    assert before == 1
    assert first == used


def test_opening_the_action_starts_one_worker_and_closing_it_ends_it(is_alive: Any) -> None:
    async def story() -> list[int]:
        async with open_action(PythonSnippet, service_settings={"spares": 3}) as action:
            assert action._pool.processes == 1
            return [worker.pid for worker in action._pool._spares]

    assert not [pid for pid in asyncio.run(story()) if is_alive(pid)]


def test_an_action_whose_first_worker_is_refused_leaves_no_process(
    become: Become, open_bench: Any, is_alive: Any, eventually: Any
) -> None:
    async def story() -> str:
        async with open_bench(become(["rlimits"]), require="core") as bench:
            with pytest.raises(PluginError) as caught:
                await bench.pool.prepare()
            assert bench.pool.processes == 0
            await eventually(lambda: not bench.pool._ends)
            return str(caught.value)

    said = asyncio.run(story())
    assert "a worker reaches `degraded` only: it lacks seccomp" in said


def test_a_later_worker_that_reaches_less_runs_nothing(become: Become, open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(become(["rlimits", "seccomp"]), require="core") as bench:
            assert (await bench.run("result = 1")).result == 1
            become(["rlimits"])
            crashed = await bench.run(CRASH)  # and its worker is gone
            refused = await bench.run("result = 2")
            assert crashed.outcome == refused.outcome == "crashed"
            assert "require the isolation level `core` here, and a worker reaches `degraded` only" in refused.message
            assert bench.pool.isolation == "core"
            become(["rlimits", "seccomp"])
            assert (await bench.run("result = 3")).result == 3

    asyncio.run(story())


def test_the_level_is_that_of_the_weakest_worker_there_is(become: Become, open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(become(["rlimits", "seccomp"])) as bench:
            await bench.run("result = 1", hook="strong")
            become(["rlimits"])
            await bench.run("result = 1", hook="weak")
            assert bench.pool.isolation == "degraded"
            assert "seccomp" not in bench.pool.walls
            become(["rlimits", "seccomp"])
            await bench.run(CRASH, hook="weak")
            assert bench.pool.isolation == "core"
            assert "seccomp" in bench.pool.walls

    asyncio.run(story())


def test_a_worker_of_any_level_may_run_what_requires_none(become: Become, open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(become([]), require="degraded") as bench:
            assert (await bench.run("result = 1")).result == 1
            assert bench.pool.isolation == "degraded"

    asyncio.run(story())


def test_all_walls_but_one_do_not_reach_full(become: Become, open_bench: Any, standing_walls: Any) -> None:
    if levels.missing_walls(standing_walls()):
        pytest.skip("this system does not have all walls")

    async def story() -> str:
        boot = become([layer for layer in LAYERS if layer != "landlock"])
        async with open_bench(boot, require="full") as bench:
            return str((await bench.run("result = 1")).message)

    assert "it lacks landlock. To change that, the kernel must have Landlock" in asyncio.run(story())


@pytest.mark.parametrize(("local", "level"), [(True, "degraded"), (False, "core")])
def test_without_a_filter_for_this_system_degraded_is_the_default_on_loopback_only(
    monkeypatch: pytest.MonkeyPatch, local: bool, level: str
) -> None:
    assert levels.default_level(local) == "core"
    monkeypatch.setattr(levels, "is_supported", lambda: False)
    assert levels.default_level(local) == level
    said = levels.describe_shortfall("degraded", ["rlimits"], "core")
    assert "hookrt has that filter on Linux on x86_64 and aarch64 only" in said


def test_a_level_that_nobody_knows_is_the_lowest() -> None:
    assert not levels.reaches("absolute", "core")
    assert levels.reaches("absolute", "degraded")
    assert levels.reaches("full", "core")
    assert not levels.reaches("core", "full")
