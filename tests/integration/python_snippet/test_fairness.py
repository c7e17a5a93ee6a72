"""What hooks that loop and break can take from the others: real workers, and few of them."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from hookrt import Runtime
from hookrt.actions.python_snippet.fairness import FORGIVEN, PENANCE

LOOP = "def run(event, ctx):\n    while True:\n        pass"
CRASH = "x = ()\nfor i in range(300000):\n    x = (x,)\nresult = hash(x)"


def niceness(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


def runs_last(pid: int) -> bool:
    return sys.platform == "linux" and os.sched_getscheduler(pid) == os.SCHED_IDLE


def test_a_worker_shares_the_services_session_where_its_priority_counts_but_gets_no_ctrl_c(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench() as bench:
            await bench.run("result = 1")
            [pid] = bench.pool.pids("hook")
            assert os.getsid(pid) == os.getsid(0)
            assert os.getpgid(pid) == pid

    asyncio.run(story())


def test_a_steady_hook_keeps_its_worker_beside_hooks_that_loop(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=2, runs_per_worker=10**9) as bench:
            await bench.run("result = 1", hook="steady")
            kept = bench.pool.pids("steady")
            loops = [asyncio.create_task(bench.run(LOOP, hook=f"loop-{n}", timeout=0.3)) for n in range(4)]
            runs = 0
            while not all(loop.done() for loop in loops):
                assert (await bench.run("result = 2", hook="steady")).result == 2
                assert bench.pool.pids("steady") == kept
                runs += 1
                await asyncio.sleep(0)
            assert runs > 4
            assert {(await loop).outcome for loop in loops} == {"timeout"}

    asyncio.run(story())


def test_hooks_without_a_record_all_get_their_turn(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=2) as bench:
            runs = [bench.run(CRASH if n % 2 else f"result = {n}", hook=f"hook-{n}") for n in range(8)]
            given = [one.outcome for one in await asyncio.gather(*runs)]
            assert given == ["ok", "crashed"] * 4

    asyncio.run(story())


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to see what a worker uses")
def test_a_run_that_computes_for_long_lets_others_go_first(open_bench: Any, eventually: Any) -> None:
    async def story() -> None:
        async with open_bench() as bench:
            await bench.run("result = 1")
            [pid] = bench.pool.pids("hook")
            assert niceness(pid) == niceness(0)
            stuck = asyncio.create_task(bench.run(LOOP, timeout=30))
            await eventually(lambda: niceness(pid) > niceness(0))
            stuck.cancel()
            await asyncio.wait([stuck])

    asyncio.run(story())


def test_a_worker_after_one_that_had_to_be_ended_lets_others_go_first_until_its_hook_is_forgiven(
    open_bench: Any,
) -> None:
    async def story() -> None:
        async with open_bench() as bench:
            await bench.run(CRASH)
            for _ in range(PENANCE + FORGIVEN - 1):
                assert (await bench.run("result = 1")).result == 1
            [pid] = bench.pool.pids("hook")
            assert niceness(pid) > niceness(0)
            assert runs_last(pid) or sys.platform != "linux"
            for _ in range(2):
                assert (await bench.run("result = 1")).result == 1
            [pid] = bench.pool.pids("hook")
            assert niceness(pid) == niceness(0)
            assert not runs_last(pid)

    asyncio.run(story())


WAITING = """\
service: {actions: {python: {workers: 1, spares: 0}}}
hooks:
  loop: {on: Loop, retry: none, timeout: 2s, steps: [{python: "while True:\\n    result = 1"}]}
  short: {on: Short, retry: none, timeout: 300ms, steps: [{python: "result = 1"}]}
"""


def test_the_time_that_a_run_waits_for_a_worker_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(WAITING)

    async def story() -> None:
        async with Runtime.from_file(tmp_path / "hooks.yaml", store="memory:", env={}) as runtime:
            loop = await runtime.emit("Loop")
            short = await runtime.emit("Short")
            await short.wait(30)
            await loop.wait(30)
            [attempt] = await runtime.store.attempts(short.deliveries[0])
            assert (attempt.outcome, attempt.reason) == ("done", None)
            assert attempt.duration_us > 1_400_000  # longer than its own limit and the engine's grace
            [attempt] = await runtime.store.attempts(loop.deliveries[0])
            assert (attempt.outcome, attempt.reason) == ("retry", "timeout")

    asyncio.run(story())
