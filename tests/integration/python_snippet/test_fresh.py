"""`isolation: fresh`: each run in a process of its own, of which nothing is left for the next one."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hookrt.actions.python_snippet.action import PythonSnippet
from hookrt.actions.python_snippet.pool import Run
from hookrt.actions.python_snippet.spawn import BOOT
from hookrt.actions.python_snippet.worker import seccomp
from hookrt.actions.python_snippet.worker.ferry import Ferry
from hookrt.actions.python_snippet.worker.wire import HEADER
from hookrt.testing import call_for, open_action
from sandbox_corpus.judge import LIMITS, run_once

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

LOOP = "def run(event, ctx):\n    while True:\n        pass"
CRASH = "x = ()\nfor i in range(300000):\n    x = (x,)\nresult = hash(x)"
STUCK = "import itertools\ndef run(event, ctx):\n    return sum(itertools.repeat(1))"

FIND_CHANNEL = """\
import sys
frame = sys._getframe()
while "exchange" not in frame.f_locals:
    frame = frame.f_back
channel, request = frame.f_locals["exchange"].__self__, frame.f_locals["request"]
answer = '{"id": "%s", "kind": "done", "result": "forged"}' % request.id
def send(text):
    channel.write(len(text).to_bytes(4, "big") + text.encode())
"""
"""What a snippet without the language policy does to speak for itself."""

UNTRUE = """\
import os, sys
sys.path.insert(0, {folder!r})
import boot
boot.prepare_imports(sys.argv[5:])
from hookrt.actions.python_snippet.worker import {module}
{module}.{name} = {value}
boot.main()
"""


def run_all(open_bench: Any, codes: list[str], boot: Path = BOOT, **options: Any) -> list[Any]:
    """What becomes of the snippets, one after the other; afterwards the same worker must still be there."""

    async def story() -> list[Any]:
        async with open_bench(boot) as bench:
            await bench.run("result = 1", fresh=True)
            before = bench.pool.pids("hook")
            given = [await bench.run(code, fresh=True, **options) for code in codes]
            assert bench.pool.pids("hook") == before
            return given

    return asyncio.run(story())


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def limits_of(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError):
        return {"Max cpu time": ""}
    return {line[:26].strip(): line[26:] for line in lines}


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_each_run_has_a_process_of_its_own(open_bench: Any, raw_boot: Path) -> None:
    pids = [given.result for given in run_all(open_bench, 3 * ["import os\nresult = os.getpid()"], raw_boot)]
    assert len(set(pids)) == 3


def test_nothing_of_a_run_reaches_the_next_even_without_the_language_policy(open_bench: Any, raw_boot: Path) -> None:
    code = "import builtins, sys\nresult = hasattr(builtins, 'left') or 'left' in sys.modules\n"
    leave = "builtins.left = sys.modules['left'] = sys"
    assert [given.result for given in run_all(open_bench, 3 * [code + leave], raw_boot)] == [False] * 3


def test_chance_differs_from_run_to_run(open_bench: Any) -> None:
    codes = ["import random\nresult = random.random()", "import uuid\nresult = str(uuid.uuid4())"]
    given = [each.result for each in run_all(open_bench, 3 * codes)]
    assert len(set(given)) == 6


@pytest.mark.parametrize(
    ("code", "outcome", "message"),
    [
        (LOOP, "timeout", "the run took longer than its timeout"),
        (STUCK, "timeout", "the run took longer than its timeout and was killed"),
        ("result = 'x' * 10**10", "memory", "the run needs more memory than its limit"),
        (
            "x = ()\nfor i in range(300000):\n    x = (x,)\nresult = hash(x)",
            "crashed",
            "the run's process was ended by",
        ),
        ("while True:\n    print('x' * 100)\nresult = 1", "output_limited", "the run printed more than its limit"),
        ("result = {}['x']", "error", "KeyError: 'x'"),
        ("import os\nresult = 1", "denied", "'os' is not available in snippets"),
        ("result =", "rejected", "syntax error"),
        ("result = {1}", "bad_result", "the result is a set"),
    ],
)
def test_the_end_of_a_runs_process_is_the_matter_of_that_run_alone(
    open_bench: Any, code: str, outcome: str, message: str
) -> None:
    bad, good = run_all(open_bench, [code, "result = 2"], timeout=0.5 if outcome == "timeout" else 20.0)
    assert bad.outcome == outcome
    assert message in bad.message
    assert good.result == 2


def test_what_a_run_prints_and_where_it_fails_arrives(open_bench: Any) -> None:
    [given] = run_all(open_bench, ["print('before')\nresult = 1 / 0"])
    assert (given.outcome, given.line, given.logs) == ("error", 2, ("before",))


@linux_only
def test_a_kill_from_outside_takes_the_runs_process_along(open_bench: Any, eventually: Any, is_alive: Any) -> None:
    async def story() -> None:
        async with open_bench() as bench:
            await bench.run("result = 1", fresh=True)
            [pid] = bench.pool.pids("hook")
            stuck = asyncio.create_task(bench.run(STUCK, fresh=True, timeout=60.0))
            await eventually(lambda: any("62 " in limits_of(child)["Max cpu time"] for child in children_of(pid)))
            children = children_of(pid)
            stuck.cancel()
            with pytest.raises(asyncio.CancelledError):
                await stuck
            await eventually(lambda: not any(map(is_alive, [pid, *children])))

    asyncio.run(story())


@linux_only
def test_a_runs_process_is_confined_further_than_the_one_that_made_it(open_bench: Any, eventually: Any) -> None:
    async def story() -> tuple[Any, ...]:
        async with open_bench() as bench:
            await bench.run("result = 1", fresh=True)
            if bench.pool.isolation == "degraded":
                pytest.skip("this system has no filter of system calls")
            [pid] = bench.pool.pids("hook")
            stuck = asyncio.create_task(bench.run(STUCK, fresh=True, timeout=60.0))
            await eventually(lambda: any("62 " in limits_of(child)["Max cpu time"] for child in children_of(pid)))
            [child] = [child for child in children_of(pid) if "62 " in limits_of(child)["Max cpu time"]]
            assert int(status_of(child).get("Seccomp_filters", 2)) == 2
            names = [os.readlink(entry) for entry in Path(f"/proc/{child}/fd").iterdir()] if root else []
            stuck.cancel()
            return status_of(pid), status_of(child), limits_of(child), names

    root = os.geteuid() == 0
    worker, child, limits, names = asyncio.run(story())
    assert (worker["Seccomp"], child["Seccomp"], child["NoNewPrivs"], child["CapEff"]) == ("2", "2", "1", "0" * 16)
    assert limits["Max processes"].split()[:2] == ["0", "0"]
    assert limits["Max address space"].split()[:2] == [str(LIMITS.memory)] * 2
    assert not [name for name in names if name.startswith("socket:")]
    assert len(names) == (5 if root else 0)  # /dev/null twice, the pipe for complaints, two pipes to the worker


def test_of_two_answers_the_second_is_not_seen_and_its_process_is_gone(open_bench: Any, raw_boot: Path) -> None:
    code = FIND_CHANNEL + "send(answer)\nsend(answer)\nwhile True: pass"
    first, second = run_all(open_bench, [code, "result = 'mine'"], raw_boot, timeout=10.0)
    assert (first.result, second.result) == ("forged", "mine")


@pytest.mark.parametrize(
    "text", ["'{]'", "'[1]'", "answer.replace('done', 'rich')", "answer.replace(request.id, '0' * 16)"]
)
def test_what_no_honest_worker_sends_is_a_protocol_error_there_too(open_bench: Any, raw_boot: Path, text: str) -> None:
    async def story() -> list[Any]:
        async with open_bench(raw_boot) as bench:
            return [await bench.run(code, fresh=True) for code in (FIND_CHANNEL + f"send({text})", "result = 1")]

    bad, good = asyncio.run(story())
    assert (bad.outcome, good.result) == ("protocol_error", 1)


def test_a_frame_without_end_is_a_protocol_error_there_too(open_bench: Any, raw_boot: Path) -> None:
    async def story() -> Any:
        async with open_bench(raw_boot) as bench:
            return await bench.run(FIND_CHANNEL + "channel.write(b'\\xff' * 4)\nwhile True: pass", fresh=True)

    assert asyncio.run(story()).outcome == "protocol_error"


class Double:
    async def answer(self, name: str, arguments: Mapping[str, Any]) -> Any:
        if name == "wait":
            await asyncio.Event().wait()
        return {**arguments, "n": arguments["n"] * 2}


ASK = """\
from hookrt.actions.python_snippet.worker.asking import make_ask
ask = make_ask(request.id, frame.f_locals["exchange"], frame.f_locals["self"]._deadline)
"""


def test_calls_go_through_from_a_runs_process(open_bench: Any, raw_boot: Path) -> None:
    async def story(code: str, timeout: float) -> Any:
        async with open_bench(raw_boot) as bench:
            limits = LIMITS.__class__(timeout, LIMITS.memory, LIMITS.output, LIMITS.result)
            run = Run(FIND_CHANNEL + ASK + code, {}, {}, limits, Double(), "x", {"x": True}, fresh=True)
            return await run_once(bench.pool, "hook", run)

    code = "result = [ask('double', {'n': n, 'fill': 'é' * 50000})['n'] for n in range(5)]"
    assert asyncio.run(story(code, 10.0)).result == [0, 2, 4, 6, 8]
    late = asyncio.run(story("ask('wait', {'n': 1})", 1.5))
    assert (late.outcome, late.line) == ("timeout", (FIND_CHANNEL + ASK).count("\n") + 1)


def test_a_call_of_a_run_without_grants_is_a_protocol_error_there_too(open_bench: Any, raw_boot: Path) -> None:
    code = FIND_CHANNEL + ASK + "ask('double', {'n': 1})"

    async def story() -> Any:
        async with open_bench(raw_boot) as bench:
            return await bench.run(code, fresh=True)

    assert asyncio.run(story()).outcome == "protocol_error"


def isolation_of(open_bench: Any, script: Path) -> Any:
    async def story() -> Any:
        async with open_bench(script) as bench:
            return await bench.run("result = 1", fresh=True), bench.pool.isolation

    return asyncio.run(story())


@linux_only
@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        ("walls", "filter_calls", "lambda libc: []"),  # the worker has its filter, its runs would not
        ("walls", "MAX_DESCRIPTORS", "2**40"),
        ("seccomp", "install", "lambda libc, forking=False: True"),
    ],
)
def test_the_level_is_that_of_a_runs_process(
    open_bench: Any, standing_walls: Any, tmp_path: Path, module: str, name: str, value: str
) -> None:
    if "seccomp" not in standing_walls():
        pytest.skip("this system has no filter of system calls")
    script = tmp_path / "boot.py"
    script.write_text(UNTRUE.format(folder=str(BOOT.parent), module=module, name=name, value=value))
    given, isolation = isolation_of(open_bench, script)
    assert (given.result, isolation) == (1, "degraded")


@linux_only
def test_a_run_whose_process_cannot_be_confined_as_promised_does_not_begin(
    open_bench: Any, standing_walls: Any, tmp_path: Path
) -> None:
    if "seccomp" not in standing_walls():
        pytest.skip("this system has no filter of system calls")
    count = "os.register_at_fork(after_in_parent=lambda: made.append(1))"
    later = "lambda walls, parent: type(walls)(()) if made else real(walls, parent)"
    value = f"(lambda real, made: ({count}, {later})[1])(fresh.confine_run, [])"
    script = tmp_path / "boot.py"
    script.write_text(UNTRUE.format(folder=str(BOOT.parent), module="fresh", name="confine_run", value=value))

    async def story() -> Any:
        async with open_bench(script) as bench:
            assert (await bench.run("result = 1", fresh=True)).result == 1
            return await bench.run("result = 2", fresh=True)

    given = asyncio.run(story())
    assert (given.outcome, given.message) == ("crashed", "the run's process could not be confined")


@linux_only
def test_where_no_process_can_be_made_the_run_says_so(open_bench: Any, standing_walls: Any, tmp_path: Path) -> None:
    if "seccomp" not in standing_walls():
        pytest.skip("this system has no filter of system calls")
    script = tmp_path / "boot.py"
    value = f"{{{seccomp.machine()!r}: {{}}}}"
    script.write_text(UNTRUE.format(folder=str(BOOT.parent), module="seccomp", name="ONLY_WITH", value=value))
    given, _ = isolation_of(open_bench, script)
    assert given.outcome == "crashed"
    assert "a worker may not make processes here, for `isolation: fresh`" in given.message


def test_both_kinds_of_one_hook_use_different_workers(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench() as bench:
            assert (await bench.run("result = 1")).result == 1
            assert (await bench.run("result = 1", fresh=True)).result == 1
            assert len(bench.pool.pids("hook")) == 2

    asyncio.run(story())


@pytest.mark.parametrize(
    ("service", "step", "fresh"),
    [
        ({}, {}, False),
        ({}, {"isolation": "fresh"}, True),
        ({"isolation": "fresh"}, {}, True),
        ({"isolation": "fresh"}, {"isolation": "shared"}, False),
    ],
)
def test_the_setting_of_the_step_counts_before_that_of_the_service(
    service: dict[str, str], step: dict[str, str], fresh: bool
) -> None:
    async def story() -> tuple[Any, list[bool]]:
        async with open_action(PythonSnippet, service_settings={"spares": 0, **service}) as action:
            outcome = await action.run(call_for(PythonSnippet, {"code": "result = 1", **step}))
            return outcome.output, [key.fresh for key in action._pool._crews]

    assert asyncio.run(story()) == (1, [fresh])


def test_a_frame_that_was_handed_on_is_wiped_from_memory() -> None:
    """The processes of later runs inherit the memory of the one that hands frames on."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(HEADER.pack(6) + b"secret")
        with Ferry(theirs.fileno()).frame() as data:
            assert data is not None
            assert bytes(data[HEADER.size :]) == b"secret"
        assert bytes(data) == bytes(HEADER.size + 6)
