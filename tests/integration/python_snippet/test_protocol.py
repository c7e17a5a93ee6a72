"""The service's end of the frame protocol, against workers that lie."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hookrt.actions.python_snippet import rest
from hookrt.actions.python_snippet.spawn import cpu_seconds

MISBEHAVIOUR = {
    "a wrong id": 'send(done.replace(id.encode(), b"0" * 16))',
    "two answers": 'os.write(fd, 2 * (struct.pack(">I", len(done)) + done))',
    "an answer and a byte more": 'os.write(fd, struct.pack(">I", len(done)) + done + b"x")',
    "a frame without end": 'os.write(fd, struct.pack(">I", 2**31))',
    "no JSON": 'send(b"{]")',
    "text that is no UTF-8": """send(done.replace(b'"honest"', bytes([34, 255, 34])))""",
    "an id that is no UTF-8": "send(done.replace(id.encode(), bytes([201]) * 16))",
    "JSON of another shape": 'send(b"[1, 2]")',
    "deep JSON": """send(done.replace(b'"honest"', b"[" * 40000 + b"]" * 40000))""",
    "an unknown kind": """send(done.replace(b'"done"', b'"rich"'))""",
    "logs that are no text": """send(done[:-1] + b', "logs": [1]}')""",
    "a line that no snippet has": """send(done[:-1] + b', "line": ' + b"9" * 30 + b"}")""",
    "a line that is no number": """send(done[:-1] + b', "line": "9"}')""",
}


def ask_fake(open_bench: Any, script: Path, timeout: float = 1.0) -> Any:
    async def story() -> Any:
        async with open_bench(script) as bench:
            return await bench.run("result = 1", timeout=timeout)

    return asyncio.run(story())


@pytest.mark.parametrize("behaviour", MISBEHAVIOUR.values(), ids=MISBEHAVIOUR)
def test_anything_but_one_answer_is_a_protocol_error(open_bench: Any, fake_boot: Any, behaviour: str) -> None:
    given = ask_fake(open_bench, fake_boot(behaviour))
    assert (given.outcome, given.result) == ("protocol_error", None)


def test_an_honest_answer_is_taken(open_bench: Any, fake_boot: Any) -> None:
    assert ask_fake(open_bench, fake_boot("send(done)")).result == "honest"


@pytest.mark.parametrize(
    "behaviour",
    ["pass", "os.write(fd, bytes(2))", 'os.write(fd, struct.pack(">I", len(done)) + done[:-1])'],
    ids=["silence", "half a header", "half a body"],
)
def test_a_worker_that_does_not_finish_its_answer_is_killed_at_the_timeout(
    open_bench: Any, fake_boot: Any, behaviour: str
) -> None:
    assert ask_fake(open_bench, fake_boot(behaviour), timeout=0.1).outcome == "timeout"


def test_a_worker_that_goes_is_named_with_how_it_went(open_bench: Any, fake_boot: Any) -> None:
    killed = ask_fake(open_bench, fake_boot("os.kill(os.getpid(), signal.SIGSEGV)"))
    assert (killed.outcome, killed.message) == ("crashed", "the worker process was ended by SIGSEGV")
    left = ask_fake(open_bench, fake_boot("sys.exit(7)"))
    assert (left.outcome, left.message) == ("crashed", "the worker process ended by itself (status 7)")


def test_a_worker_that_speaks_without_being_asked_is_ended(
    open_bench: Any, fake_boot: Any, is_alive: Any, eventually: Any
) -> None:
    async def story() -> None:
        async with open_bench(fake_boot("send(done); time.sleep(0.1); send(done)")) as bench:
            assert (await bench.run("result = 1")).result == "honest"
            [pid] = bench.pool.pids("hook")
            await eventually(lambda: not is_alive(pid))
            assert bench.pool.pids("hook") == []

    asyncio.run(story())


def test_a_worker_that_computes_on_after_its_answer_is_ended(
    open_bench: Any, fake_boot: Any, is_alive: Any, eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "LOOK_EVERY", 0.5)
    behaviour = "signal.signal(signal.SIGXCPU, signal.SIG_IGN); send(done)\nwhile True: pass"

    async def story() -> None:
        async with open_bench(fake_boot(behaviour)) as bench:
            assert (await bench.run("result = 1")).result == "honest"
            [pid] = bench.pool.pids("hook")
            await eventually(lambda: not is_alive(pid))
            assert bench.pool.pids("hook") == []

    asyncio.run(story())


def test_a_worker_that_rests_after_a_run_that_computed_long_is_kept(
    open_bench: Any, eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []

    def look(process: int) -> float:
        looks.append(cpu_seconds(process))
        return looks[-1]

    monkeypatch.setattr(rest, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(rest, "cpu_seconds", look)
    code = "import time\nend = time.monotonic() + 0.4\nwhile time.monotonic() < end: pass\nresult = 1"

    async def story() -> None:
        async with open_bench() as bench:
            assert (await bench.run("result = 1")).result == 1
            [pid] = bench.pool.pids("hook")
            assert (await bench.run(code)).result == 1
            before = len(looks)
            await eventually(lambda: len(looks) > before + 5)
            assert bench.pool.pids("hook") == [pid]

    asyncio.run(story())


def test_a_worker_that_cannot_start_says_why(open_bench: Any, tmp_path: Path) -> None:
    script = tmp_path / "boot.py"
    script.write_text("raise SystemExit('the disk is on fire')")
    given = ask_fake(open_bench, script)
    assert given.outcome == "crashed"
    assert given.message == "a worker for python snippets did not start: the disk is on fire"


def test_a_worker_ends_itself_at_a_request_that_it_cannot_read(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench() as bench:
            await bench.run("result = 1")
            [worker] = next(iter(bench.pool._crews.values())).members
            worker._transport.write(b"\x00\x00\x00\x02{]")
            await worker.ended()
            assert worker._child.process.returncode == 3

    asyncio.run(story())


def test_what_is_no_json_is_rejected_without_a_word_to_the_worker(open_bench: Any) -> None:
    async def story() -> None:
        async with open_bench() as bench:
            given = await bench.run("result = 1", event={"data": "\ud800"})
            assert given.outcome == "rejected"
            assert (await bench.run("result = 1")).result == 1

    asyncio.run(story())
