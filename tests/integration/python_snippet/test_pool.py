"""The pool: who gets which worker, and what one run can do to another."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

LOOP = "def run(event, ctx):\n    while True:\n        pass"
SLEEP = "import time\ndef run(event, ctx):\n    time.sleep(0.3)\n    return 'slept'"


def scenario(coroutine: Any) -> None:
    asyncio.run(coroutine())


def test_nothing_is_started_before_the_first_run(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(spares=1) as bench:
            assert bench.pool.processes == 0
            await bench.run("result = 1")
            assert bench.pool.processes >= 1

    scenario(story)


def test_a_worker_belongs_to_one_hook_and_stays_warm(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench() as bench:
            for _ in range(3):
                await bench.run("result = 1", hook="one")
                await bench.run("result = 1", hook="two")
            one, two = bench.pool.pids("one"), bench.pool.pids("two")
            assert len(one) == len(two) == 1
            assert one != two

    scenario(story)


def test_globals_are_fresh_in_every_run(open_bench: Any) -> None:
    code = "seen = []\ndef run(event, ctx):\n    seen.append(1)\n    return len(seen)"

    async def story() -> None:
        async with open_bench() as bench:
            assert [(await bench.run(code)).result for _ in range(3)] == [1, 1, 1]

    scenario(story)


def test_requests_queued_behind_a_killed_run_move_on(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=1) as bench:
            await bench.run("result = 1")
            stuck = asyncio.create_task(bench.run(LOOP, timeout=0.2))
            others = [asyncio.create_task(bench.run(f"result = {number}")) for number in range(5)]
            assert (await stuck).outcome == "timeout"
            assert [(await other).result for other in others] == [0, 1, 2, 3, 4]

    scenario(story)


def test_a_run_that_no_signal_reaches_is_killed_from_outside(open_bench: Any, is_alive: Any, eventually: Any) -> None:
    code = "import itertools\ndef run(event, ctx):\n    return sum(itertools.repeat(1))"

    async def story() -> None:
        async with open_bench() as bench:
            await bench.run("result = 1")
            [pid] = bench.pool.pids("hook")
            given = await bench.run(code, timeout=0.2)
            assert (given.outcome, given.message) == ("timeout", "the run took longer than its timeout and was killed")
            await eventually(lambda: not is_alive(pid))

    scenario(story)


def test_a_cancelled_caller_leaves_no_worker_busy(open_bench: Any, is_alive: Any, eventually: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=1) as bench:
            await bench.run("result = 1")
            [pid] = bench.pool.pids("hook")
            stuck = asyncio.create_task(bench.run(LOOP, timeout=60))
            waiting = asyncio.create_task(bench.run("result = 2"))
            await asyncio.sleep(0)
            stuck.cancel()
            with pytest.raises(asyncio.CancelledError):
                await stuck
            assert (await waiting).result == 2
            await eventually(lambda: not is_alive(pid))

    scenario(story)


def test_a_caller_cancelled_while_waiting_takes_nothing_from_the_others(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=1) as bench:
            first = asyncio.create_task(bench.run(SLEEP))
            second = asyncio.create_task(bench.run("result = 2"))
            third = asyncio.create_task(bench.run("result = 3"))
            await asyncio.sleep(0)
            second.cancel()
            assert (await first).result == "slept"
            assert (await third).result == 3

    scenario(story)


def test_many_hooks_share_a_bounded_number_of_workers(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=2, spares=1) as bench:
            for number in range(8):
                assert (await bench.run(f"result = {number}", hook=f"hook{number}")).result == number
                assert bench.pool.processes <= 3
            assert bench.pool.pids("hook0") == []
            assert len(bench.pool.pids("hook7")) == 1

    scenario(story)


def test_a_busy_hook_gives_way_to_one_that_has_no_worker(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=1) as bench:
            busy = [asyncio.create_task(bench.run(SLEEP, hook="busy")) for _ in range(6)]
            await asyncio.sleep(0)
            assert (await bench.run("result = 'mine'", hook="other")).result == "mine"
            assert not all(task.done() for task in busy)
            assert {(await task).result for task in busy} == {"slept"}

    scenario(story)


def test_a_hook_whose_runs_queue_up_gets_more_workers_while_there_is_room(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=3) as bench:
            runs = [asyncio.create_task(bench.run(SLEEP)) for _ in range(9)]
            assert {(await run).result for run in runs} == {"slept"}
            assert len(bench.pool.pids("hook")) > 1

    scenario(story)


def test_a_worker_is_replaced_after_its_number_of_runs(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(runs_per_worker=3) as bench:
            pids = []
            for _ in range(6):
                assert (await bench.run("result = 1")).result == 1
                pids.append(tuple(bench.pool.pids("hook")))
            assert pids[0] == pids[1] != ()
            assert pids[0] != pids[3]

    scenario(story)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (LOOP, "timeout"),
        ("result = 'x' * 10**10", "memory"),
        ("def run(event, ctx):\n    while True:\n        print('x' * 100)", "output_limited"),
        ("x = ()\nfor i in range(300000):\n    x = (x,)\nresult = hash(x)", "crashed"),
    ],
)
def test_a_worker_is_not_used_again_after_a_fault(open_bench: Any, code: str, reason: str) -> None:
    async def story() -> None:
        async with open_bench() as bench:
            await bench.run("result = 1")
            before = bench.pool.pids("hook")
            assert (await bench.run(code, timeout=0.5)).outcome == reason
            assert (await bench.run("result = 2")).result == 2
            assert bench.pool.pids("hook") != before

    scenario(story)


def test_a_mistake_of_the_snippet_costs_no_worker(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench() as bench:
            await bench.run("result = 1")
            before = bench.pool.pids("hook")
            for code in ("result = {}['x']", "import os\nresult = 1", "result = {1}", "result ="):
                assert (await bench.run(code)).outcome in {"error", "denied", "bad_result", "rejected"}
            assert bench.pool.pids("hook") == before

    scenario(story)


def test_an_idle_worker_that_dies_is_replaced(open_bench: Any, eventually: Any) -> None:
    async def story() -> None:
        async with open_bench() as bench:
            await bench.run("result = 1")
            [pid] = bench.pool.pids("hook")
            os.kill(pid, signal.SIGKILL)
            await eventually(lambda: pid not in bench.pool.pids("hook"))
            assert (await bench.run("result = 2")).result == 2

    scenario(story)


def test_a_spare_hides_the_start(open_bench: Any, eventually: Any) -> None:
    async def story() -> None:
        async with open_bench(spares=1) as bench:
            await bench.run("result = 1", hook="one")
            await eventually(lambda: len(bench.pool._spares) == 1)
            spare = bench.pool._spares[0].pid
            await bench.run("result = 1", hook="two")
            assert bench.pool.pids("two") == [spare]

    scenario(story)


def test_closing_ends_every_process_and_every_waiter(open_bench: Any, is_alive: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=1, spares=1) as bench:
            await bench.run("result = 1")
            pids = bench.pool.pids("hook")
            stuck = asyncio.create_task(bench.run(LOOP, timeout=60))
            waiting = asyncio.create_task(bench.run("result = 2"))
            await asyncio.sleep(0)
            await bench.pool.close()
            assert bench.pool.processes <= 1
            assert [(await task).outcome for task in (stuck, waiting)] == ["crashed", "crashed"]
            assert not any(is_alive(pid) for pid in pids)
            assert (await bench.run("result = 3")).outcome == "crashed"

    scenario(story)


SERVICE = """\
import asyncio
from hookrt.actions.python_snippet.pool import Limits, Pool, PoolSize, Run
async def main():
    pool = Pool(PoolSize(workers=2, spares=1))
    limits = Limits(60.0, 2**28, 2**16, 2**18)
    await pool.run("idle", Run("result = 1", {}, {}, limits))
    while not pool._spares:
        await asyncio.sleep(0.01)
    busy = asyncio.create_task(pool.run("busy", Run("while True: pass\\nresult = 1", {}, {}, limits)))
    while not pool.pids("busy"):
        await asyncio.sleep(0.01)
    print(*pool.pids("idle"), *pool.pids("busy"), *[spare.pid for spare in pool._spares], flush=True)
    await busy
asyncio.run(main())
"""


def test_workers_die_with_a_service_that_is_killed(is_alive: Any, eventually: Any) -> None:
    service = subprocess.Popen([sys.executable, "-c", SERVICE], stdout=subprocess.PIPE, text=True)
    try:
        assert service.stdout is not None
        pids = [int(pid) for pid in service.stdout.readline().split()]
        assert len(pids) >= 2
        assert all(is_alive(pid) for pid in pids)
    finally:
        service.kill()
        service.communicate()
    asyncio.run(eventually(lambda: not any(is_alive(pid) for pid in pids)))


def test_the_pool_runs_on_uvloop(open_bench: Any) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def story() -> None:
        async with open_bench(spares=1) as bench:
            assert (await bench.run("result = 1")).result == 1
            assert (await bench.run(LOOP, timeout=0.2)).outcome == "timeout"
            assert (await bench.run("result = 2")).result == 2

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(story())
