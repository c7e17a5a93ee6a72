"""The runtime at bad moments: a start that fails, a delivering process that hangs, calls from the wrong place."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hookrt import Event, Runtime
from hookrt.clock import SystemClock
from hookrt.errors import StoreError, UsageError
from hookrt.model.delivery import Status
from hookrt.plugin import Outcome
from hookrt.store.open import open_store

LEADER = """
import asyncio, sys
from hookrt import Runtime
async def run():
    runtime = Runtime(store=sys.argv[1])
    runtime.on("A.B", name="note")(lambda event: None)
    async with runtime:
        await runtime.emit("X")
        print("leading" if runtime.leading else "following", flush=True)
        await asyncio.Event().wait()
asyncio.run(run())
"""


def a_runtime(folder: Path, **options: Any) -> Runtime:
    runtime = Runtime(store=f"sqlite:///{folder / 'app.db'}", **options)
    runtime.on("A.B", name="note")(lambda event: None)
    return runtime


def test_an_emit_does_not_wait_for_a_delivering_process_that_hangs(tmp_path: Path) -> None:
    leader = subprocess.Popen(
        [sys.executable, "-c", LEADER, f"sqlite:///{tmp_path / 'app.db'}"], stdout=subprocess.PIPE, text=True
    )
    assert leader.stdout is not None
    try:
        assert leader.stdout.readline() == "leading\n"

        async def run() -> None:
            async with a_runtime(tmp_path) as runtime:
                assert not runtime.leading
                await runtime.emit("A.B")
                os.kill(leader.pid, signal.SIGSTOP)
                receipt = await runtime.emit("A.B", id="one")
                assert (receipt.duplicate, len(receipt.deliveries)) == (False, 1)
                os.kill(leader.pid, signal.SIGCONT)
                [delivery] = await receipt.wait(timeout=20)
                assert (delivery.status, delivery.attempts) == (Status.SUCCEEDED, 1)
                assert (await runtime.emit("A.B", id="one")).duplicate

        asyncio.run(run())
    finally:
        leader.kill()
        leader.wait()
        leader.stdout.close()


def test_a_meeting_point_that_cannot_be_made_keeps_nobody_from_delivering(tmp_path: Path) -> None:
    async def run() -> None:
        (tmp_path / "app.db.sock").mkdir()
        async with a_runtime(tmp_path) as runtime, a_runtime(tmp_path) as other:
            assert runtime.leading
            [delivery] = await (await other.emit("A.B")).wait(timeout=10)
            assert delivery.status is Status.SUCCEEDED

    asyncio.run(run())


class Uncountable:
    """The memory store, which fails when the engine has begun."""

    def __init__(self) -> None:
        self.store = open_store("memory:", SystemClock())
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def counts(self) -> Any:
        self.asked += 1
        if self.asked > 1:
            raise StoreError("it broke")
        return {}


def test_a_start_that_fails_leaves_nothing_running(tmp_path: Path) -> None:
    async def run() -> None:
        store: Any = Uncountable()
        runtime = Runtime(store=store)
        with pytest.raises(StoreError, match="it broke"):
            await runtime.start()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not runtime.ready
        with pytest.raises(UsageError, match="not open"):
            await store.delivery("x")

    asyncio.run(run())


def test_a_stop_closes_the_store_whatever_else_fails(tmp_path: Path) -> None:
    async def run() -> None:
        runtime = a_runtime(tmp_path)

        async def broken() -> None:
            raise OSError("it broke")

        await runtime.start()
        runtime._egress.close = broken  # type: ignore[method-assign]
        with pytest.raises(OSError, match="it broke"):
            await runtime.stop()
        async with a_runtime(tmp_path) as after:
            assert after.leading

    asyncio.run(run())


def test_a_name_that_is_taken_changes_nothing_about_the_hook_that_has_it() -> None:
    async def run() -> None:
        runtime = Runtime(store="memory:")
        ran: list[str] = []
        runtime.on("A.B", name="note")(lambda event: ran.append("first"))
        with pytest.raises(UsageError, match="note"):
            runtime.on("A.B", name="note")(lambda event: ran.append("second"))
        async with runtime:
            await (await runtime.emit("A.B")).wait(timeout=10)
        assert ran == ["first"]

    asyncio.run(run())


@pytest.mark.parametrize("name", ["", "Upper", "with space", "-x", "x" * 65, "a\n"])
def test_hooks_in_code_have_names_like_those_in_the_file(name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        Runtime(store="memory:").on("A.B", name=name)


def test_an_empty_batch_is_no_event() -> None:
    async def run() -> None:
        async with Runtime(store="memory:") as runtime:
            assert await runtime.accept([]) == []

    asyncio.run(run())


def test_blocking_calls_from_an_async_hook_are_named_instead_of_waiting_for_themselves() -> None:
    runtime = Runtime(store="memory:")
    blocking = runtime.blocking()
    said: list[str] = []

    @runtime.on("A.B", name="calls-back")
    async def calls_back(event: Event) -> Outcome:
        try:
            blocking.emit("C.D")
        except UsageError as error:
            said.append(str(error))
        return Outcome.done()

    with blocking:
        [delivery] = blocking.wait(blocking.emit("A.B"), timeout=10)
        assert delivery.status is Status.SUCCEEDED
    assert "await" in said[0]


def test_a_blocking_runtime_is_started_once() -> None:
    with Runtime(store="memory:").blocking() as hooks:
        with pytest.raises(UsageError, match="runs already"):
            hooks.start()
        hooks.emit("A.B")
    hooks.stop()
