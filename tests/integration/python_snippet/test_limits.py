"""The kernel's limit of CPU time, which grows with what a worker's runs may take, and ends what nothing else ends."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from hookrt.actions.python_snippet import process
from hookrt.actions.python_snippet.spawn import limit_cpu
from sandbox_corpus.users import find_interpreter, start_as_nobody

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

CAP_SYS_RESOURCE = 24

BURN = "import itertools\ndef run(event, ctx):\n    return sum(itertools.repeat(1))"
BURN_A_WHILE = (
    "import time\ndef run(event, ctx):\n    end = time.monotonic() + 0.3\n"
    "    while time.monotonic() < end:\n        pass\n    return 1"
)


def cpu_limit(pid: int) -> float:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    [line] = [line for line in lines if line.startswith("Max cpu time")]
    return float(line.split()[3].replace("unlimited", "inf"))


@pytest.fixture(autouse=True)
def who_may_limit(request: pytest.FixtureRequest) -> None:
    """A root without CAP_SYS_RESOURCE may not limit a worker, which is nobody's: then nobody runs the test."""
    if os.geteuid() == 0 and not capable():
        interpreter = find_interpreter()
        assert interpreter is not None, "nobody can start no Python with these packages here"
        command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"{__file__}::{request.node.name}"]
        assert start_as_nobody([interpreter, *command]) == 0
        request.node.obj = lambda **_: None  # it has run


def capable() -> bool:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:")]
    return bool(int(line.split()[1], 16) >> CAP_SYS_RESOURCE & 1)


def cpu_used(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_run_that_uses_up_its_cpu_time_ends_as_a_timeout(open_bench: Any) -> None:
    async def story() -> Any:
        async with open_bench() as bench:
            await bench.run("result = 1")
            [pid] = bench.pool.pids("hook")
            stuck = asyncio.create_task(bench.run(BURN, timeout=60))
            await asyncio.sleep(0)  # it has been sent, and has set the limit that it may need
            limit_cpu(pid, 1)
            return await stuck

    given = asyncio.run(story())
    assert (given.outcome, given.message) == ("timeout", "the run used more CPU time than its timeout")


def test_the_limit_of_cpu_time_grows_with_the_runs_of_a_worker(
    open_bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_CPU_STEP", 0)

    async def story() -> list[float]:
        limits = []
        async with open_bench() as bench:
            for _ in range(8):
                assert (await bench.run(BURN_A_WHILE, timeout=0.6)).result == 1
                [pid] = bench.pool.pids("hook")
                limits.append(cpu_limit(pid))
                assert limits[-1] >= cpu_used(pid)
            return limits

    limits = asyncio.run(story())
    assert limits == sorted(limits)
    assert limits[-1] > limits[0]
    assert limits[-1] < float("inf")
