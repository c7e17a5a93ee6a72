"""Several runs of a hook under way in one worker: in order, and none pays for another."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from hookrt.actions.python_snippet.crew import AHEAD, DEPTH, Crew, CrewKey
from hookrt.actions.python_snippet.process import Worker
from sandbox_corpus.judge import Given

QUICK = "def run(event, ctx):\n    return event['n']"
LOOP = "def run(event, ctx):\n    while True:\n        pass"
STUCK = "import itertools\ndef run(event, ctx):\n    return sum(itertools.repeat(1))"
SLOW = "import time\ndef run(event, ctx):\n    time.sleep(0.2)\n    return event['n']"
CRASH = "x = ()\nfor i in range(300000):\n    x = (x,)\nresult = hash(x)"


def scenario(coroutine: Any) -> None:
    asyncio.run(coroutine())


async def warm_up(bench: Any, runs: int = 40) -> Worker:
    """One worker of the hook that is known for short runs."""
    for n in range(runs):
        await bench.run(QUICK, event={"n": n})
    [crew] = bench.pool._crews.values()
    assert crew.typical is not None
    crew.typical = min(crew.typical, AHEAD / DEPTH)  # on a machine with other work even these take long now and then
    assert crew.depth == DEPTH
    [worker] = crew.members
    return worker


def start(bench: Any, code: str, n: int = 0, **options: Any) -> asyncio.Task[Given]:
    return asyncio.create_task(bench.run(code, event={"n": n}, **options))


async def under_way(worker: Worker, number: int) -> None:
    """Until that many requests are in the worker; no longer than a few turns of the loop."""
    for _ in range(10):
        if worker.load == number:
            return
        await asyncio.sleep(0)
    assert worker.load == number


def test_several_short_runs_are_under_way_in_one_worker_and_answered_in_order(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=1) as bench:
            worker = await warm_up(bench)
            done: list[int] = []

            async def one(n: int) -> None:
                assert (await bench.run(QUICK, event={"n": n})).result == n
                done.append(n)

            runs = [asyncio.create_task(one(n)) for n in range(5)]
            await under_way(worker, 5)
            await asyncio.gather(*runs)
            assert done == [0, 1, 2, 3, 4]

    scenario(story)


def test_no_worker_has_more_under_way_than_the_bound(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=1) as bench:
            worker = await warm_up(bench)
            runs = [start(bench, QUICK, n) for n in range(5 * DEPTH)]
            most = 0
            while not all(run.done() for run in runs):
                most = max(most, worker.load)
                await asyncio.sleep(0)
            assert [run.result().result for run in runs] == list(range(5 * DEPTH))
            assert 1 < most <= DEPTH

    scenario(story)


@pytest.mark.parametrize(
    ("code", "outcome", "timeout"),
    [
        (LOOP, "timeout", 0.3),
        (STUCK, "timeout", 0.3),
        (CRASH, "crashed", 20.0),
        ("result = 'x' * 10**10", "memory", 20.0),
    ],
)
def test_a_run_that_costs_the_worker_costs_those_behind_it_nothing(
    open_bench: Any, code: str, outcome: str, timeout: float
) -> None:
    async def story() -> None:
        async with open_bench(workers=1) as bench:
            worker = await warm_up(bench)
            culprit = start(bench, code, timeout=timeout)
            others = [start(bench, QUICK, n) for n in range(3)]
            await under_way(worker, 4)
            assert (await culprit).outcome == outcome
            assert [(await other).result for other in others] == [0, 1, 2]
            assert bench.pool.pids("hook") != [worker.pid]

    scenario(story)


def test_the_time_of_a_run_counts_from_the_answer_before_it(open_bench: Any) -> None:
    code = "import time\ndef run(event, ctx):\n    time.sleep(0.045)\n    return event['n']"

    async def story() -> None:
        async with open_bench(workers=1) as bench:
            worker = await warm_up(bench)
            runs = [start(bench, code, n, timeout=0.06) for n in range(4)]  # together they take thrice as long
            await under_way(worker, 4)
            assert [(await run).result for run in runs] == [0, 1, 2, 3]

    scenario(story)


def test_a_worker_killed_from_outside_is_the_matter_of_the_run_that_it_was_at(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=1) as bench:
            worker = await warm_up(bench)
            first = start(bench, STUCK, timeout=60)
            others = [start(bench, QUICK, n) for n in range(3)]
            await under_way(worker, 4)
            os.kill(worker.pid, signal.SIGKILL)
            assert (await first).outcome == "crashed"
            assert [(await other).result for other in others] == [0, 1, 2]

    scenario(story)


def test_a_cancelled_run_that_had_not_begun_disturbs_no_other(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=1) as bench:
            worker = await warm_up(bench)
            runs = [start(bench, QUICK, n) for n in range(4)]
            await under_way(worker, 4)
            runs[2].cancel()
            assert [(await run).result for run in (runs[0], runs[1], runs[3])] == [0, 1, 3]
            assert bench.pool.pids("hook") == [worker.pid]
            assert (await bench.run(QUICK, event={"n": 5})).result == 5
            assert bench.pool.pids("hook") == [worker.pid]

    scenario(story)


def test_a_worker_whose_runs_were_all_cancelled_is_free_again(open_bench: Any, eventually: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=1) as bench:
            worker = await warm_up(bench)
            runs = [start(bench, QUICK, n) for n in range(4)]
            await under_way(worker, 4)
            for run in runs[1:]:
                run.cancel()
            await runs[0]
            await eventually(lambda: worker.load == 0)
            assert (await bench.run(QUICK, hook="other", event={"n": 1})).result == 1  # it was idle, and made room

    scenario(story)


def test_a_cancelled_run_that_had_begun_costs_the_worker_and_no_other_run(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=1) as bench:
            worker = await warm_up(bench)
            first = start(bench, STUCK, timeout=60)
            others = [start(bench, QUICK, n) for n in range(3)]
            await under_way(worker, 4)
            first.cancel()
            assert [(await other).result for other in others] == [0, 1, 2]

    scenario(story)


def test_runs_behind_one_that_takes_long_move_on_to_another_worker(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=2) as bench:
            worker = await warm_up(bench)
            long = start(
                bench, "import time\ndef run(event, ctx):\n    time.sleep(4)\n    return 'slept'", timeout=20.0
            )
            others = [start(bench, QUICK, n) for n in range(3)]
            await under_way(worker, 4)
            assert [(await other).result for other in others] == [0, 1, 2]
            assert not long.done()
            assert (await long).result == "slept"

    scenario(story)


def test_runs_that_come_while_one_takes_long_do_not_queue_behind_it(open_bench: Any, eventually: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=2) as bench:
            worker = await warm_up(bench)
            long = start(bench, STUCK, timeout=60)
            await eventually(lambda: worker.slow)
            assert [(await bench.run(QUICK, event={"n": n})).result for n in range(3)] == [0, 1, 2]
            assert worker.load == 1
            long.cancel()

    scenario(story)


def test_a_hook_whose_runs_are_long_spreads_over_workers(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=3) as bench:
            await bench.run(SLOW, event={"n": 0})
            [crew] = bench.pool._crews.values()
            assert crew.depth == 1
            runs = [start(bench, SLOW, n) for n in range(9)]
            assert [(await run).result for run in runs] == list(range(9))
            assert len(bench.pool.pids("hook")) > 1

    scenario(story)


def test_a_hook_whose_short_runs_never_cease_gets_more_workers(open_bench: Any, eventually: Any) -> None:
    async def story() -> None:
        async with open_bench(workers=2, runs_per_worker=10**6) as bench:
            await warm_up(bench)
            more = True

            async def keep_going() -> None:
                while more:
                    assert (await bench.run(QUICK, event={"n": 7})).result == 7

            flows = [asyncio.create_task(keep_going()) for _ in range(2 * DEPTH)]
            try:
                await eventually(lambda: len(bench.pool.pids("hook")) == 2)
            finally:
                more = False
                await asyncio.gather(*flows)

    scenario(story)


def test_how_many_runs_a_worker_gets_follows_how_long_they_take() -> None:
    crew = Crew(CrewKey("hook", 2**28, "", brokered=False, fresh=False))
    assert crew.depth == 1
    crew.learn(AHEAD / 100)
    assert crew.depth == DEPTH
    crew.learn(0.3)
    assert crew.depth == 1
    for _ in range(100):
        crew.learn(AHEAD / 100)
    assert crew.depth == DEPTH


@pytest.mark.parametrize("what", ["brokered", "fresh"])
def test_runs_that_may_call_or_must_be_alone_are_given_one_at_a_time(what: str) -> None:
    crew = Crew(CrewKey("hook", 2**28, "", **{"brokered": False, "fresh": False, what: True}))
    crew.learn(0.00001)
    assert crew.depth == 1


SERVER = """\
{frames}
request = json.loads(body)
while True:
    {behaviour}
    request = receive()
    id = request["id"]
"""

FRAMES = """\
def frame(body):
    return struct.pack(">I", len(body)) + body
def answer(**changes):
    return frame(json.dumps({{"id": id, "kind": "done", "result": request["event"]["n"], **changes}}).encode())
def read(size):
    data = b""
    while len(data) < size:
        data += os.read(fd, size - len(data))
    return data
def receive():
    return json.loads(read(struct.unpack(">I", read(4))[0]))
"""


def serving(behaviour: str) -> str:
    """What a worker does that is honest until it meets an event whose n is 1."""
    spiteful = f"({behaviour}) if request['event']['n'] == 1 and not os.path.exists({{flag!r}}) else answer()"
    return SERVER.format(frames=FRAMES.replace("{{", "{").replace("}}", "}"), behaviour=f"os.write(fd, {spiteful})")


BLAMED = {
    "two answers": "answer() + answer()",
    "a frame of another kind": 'frame(b"{]")',
    "an answer of another request": 'answer(id="0" * 16)',
}


@pytest.mark.parametrize("behaviour", BLAMED.values(), ids=BLAMED)
def test_a_broken_protocol_is_never_held_against_an_honest_run(
    open_bench: Any, fake_boot: Any, tmp_path: Path, behaviour: str
) -> None:
    script = fake_boot(serving(behaviour).replace("{flag!r}", repr(str(tmp_path / "never"))))

    async def story() -> None:
        async with open_bench(script, workers=1) as bench:
            await bench.run(QUICK, event={"n": 0})
            next(iter(bench.pool._crews.values())).learn(0.0)
            for crew in bench.pool._crews.values():
                crew.typical = 0.0001
            [worker] = crew.members
            runs = [start(bench, QUICK, n) for n in range(4)]
            await under_way(worker, 4)
            given = [await run for run in runs]
            assert [each.result for each in given if each.outcome == "ok"] in ([0, 2, 3], [0, 1, 2, 3])
            assert given[1].outcome in {"protocol_error", "ok"}

    scenario(story)
