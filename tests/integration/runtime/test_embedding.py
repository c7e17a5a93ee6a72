"""DESIGN "Interfaces": the runtime inside a program."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hookrt import Event, HookrtError, Runtime
from hookrt.errors import ConfigError, EventConflict, EventError, UsageError
from hookrt.model.delivery import Status
from hookrt.model.policy import NO_RETRY, fixed
from hookrt.plugin import Outcome


def store_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'app.db'}"


def test_a_function_is_a_hook_with_the_durability_of_any(tmp_path: Path) -> None:
    async def run() -> None:
        runtime = Runtime(store=store_in(tmp_path))
        seen: list[Any] = []

        @runtime.on("User.*", name="sync")
        async def sync(event: Event) -> dict[str, Any]:
            seen.append(event.data)
            return {"ok": True}

        async with runtime:
            receipt = await runtime.emit("User.Created", {"id": 7})
            [delivery] = await receipt.wait(timeout=10)
            assert (delivery.hook, delivery.status) == ("sync", Status.SUCCEEDED)
            assert (await runtime.emit("Other.Thing")).deliveries == ()
        assert seen == [{"id": 7}]

    asyncio.run(run())


def test_a_plain_function_runs_in_a_thread_and_may_take_the_call(tmp_path: Path) -> None:
    async def run() -> None:
        runtime = Runtime(store="memory:")
        threads: list[str] = []

        @runtime.on("A.B", name="plain")
        def plain(event: Event, call: Any) -> Outcome:
            threads.append(threading.current_thread().name)
            call.log.info("working", attempt=call.attempt)
            return Outcome.done()

        async with runtime:
            [delivery] = await (await runtime.emit("A.B")).wait(timeout=10)
            [attempt] = await runtime.store.attempts(delivery.id)
            assert attempt.logs == ("info: working attempt=1",)
        assert threads == ["hookrt function"]

    asyncio.run(run())


def test_a_blocking_function_past_its_timeout_keeps_its_place_until_it_ends() -> None:
    async def run() -> None:
        runtime = Runtime(store="memory:")
        release, running = threading.Event(), []

        @runtime.on("A.B", name="blocks", timeout=timedelta(milliseconds=1), retry=NO_RETRY)
        def blocks(event: Event) -> None:
            running.append(1)
            release.wait(30)

        async with runtime:
            receipt = await runtime.emit("A.B")
            [delivery] = await receipt.wait(timeout=1.5)
            assert delivery.status is Status.RUNNING, "its thread has not ended"
            assert runtime.lanes == {"hook:blocks": (0, 1)}
            release.set()
            [delivery] = await receipt.wait(timeout=10)
            assert (delivery.status, delivery.reason) == (Status.DEAD, "timeout")
        assert running == [1]

    asyncio.run(run())


def test_what_a_function_raises_is_retried(tmp_path: Path) -> None:
    async def run() -> None:
        runtime = Runtime(store=store_in(tmp_path))
        tries: list[int] = []

        @runtime.on("A.B", name="flaky", retry=fixed(timedelta(milliseconds=1), 5))
        async def flaky(event: Event) -> None:
            tries.append(1)
            if len(tries) < 3:
                raise OSError("not yet")

        async with runtime:
            [delivery] = await (await runtime.emit("A.B")).wait(timeout=10)
            assert (delivery.status, len(tries)) == (Status.SUCCEEDED, 3)
            attempts = await runtime.store.attempts(delivery.id)
            assert [attempt.reason for attempt in attempts] == ["exception", "exception", None]

    asyncio.run(run())


def test_a_renamed_function_orphans_nothing(tmp_path: Path) -> None:
    async def first_run() -> tuple[str, ...]:
        runtime = Runtime(store=store_in(tmp_path), deliver=False)

        @runtime.on("A.B", name="stable")
        async def old_name(event: Event) -> None:
            raise AssertionError

        async with runtime:
            return (await runtime.emit("A.B")).deliveries

    async def second_run(deliveries: tuple[str, ...]) -> None:
        runtime = Runtime(store=store_in(tmp_path))

        @runtime.on("A.B", name="stable")
        async def new_name(event: Event) -> None:
            return None

        async with runtime:
            found = await runtime.store.delivery(deliveries[0])
            assert found is not None
            while not found.delivery.status.final:
                found = await runtime.store.delivery(deliveries[0])
                assert found is not None
            assert found.delivery.status is Status.SUCCEEDED

    asyncio.run(second_run(asyncio.run(first_run())))


def test_a_condition_and_a_source_narrow_a_function_too() -> None:
    async def run() -> None:
        runtime = Runtime(store="memory:")

        @runtime.on("A.B", name="narrow", when="event.data.n > 2", source="app")
        async def narrow(event: Event) -> None:
            return None

        async with runtime:
            assert (await runtime.emit("A.B", {"n": 2})).deliveries == ()
            assert len((await runtime.emit("A.B", {"n": 3})).deliveries) == 1
            assert (await runtime.emit("A.B", {"n": 3}, source="elsewhere")).deliveries == ()

    asyncio.run(run())


def test_a_function_registered_late_takes_up_what_waited_for_it(tmp_path: Path) -> None:
    async def first_run() -> None:
        runtime = Runtime(store=store_in(tmp_path), deliver=False)
        runtime.on("A.B", name="late")(lambda event: None)
        async with runtime:
            await runtime.emit("A.B")

    async def second_run() -> None:
        runtime = Runtime(store=store_in(tmp_path))
        done = asyncio.Event()
        async with runtime:
            assert (await runtime.store.counts())[Status.HELD] == 1

            @runtime.on("A.B", name="late")
            async def late(event: Event) -> None:
                done.set()

            async with asyncio.timeout(10):
                await done.wait()

    asyncio.run(first_run())
    asyncio.run(second_run())


def test_identity_is_source_and_id(tmp_path: Path) -> None:
    async def run() -> None:
        async with Runtime(store=store_in(tmp_path)) as runtime:
            first = await runtime.emit("A.B", {"n": 1}, id="one")
            again = await runtime.emit("A.B", {"n": 1}, id="one")
            assert (first.duplicate, again.duplicate) == (False, True)
            with pytest.raises(EventConflict):
                await runtime.emit("A.B", {"n": 2}, id="one")
            assert not (await runtime.emit("A.B", {"n": 2}, id="one", source="other")).duplicate

    asyncio.run(run())


def test_bad_events_are_refused_and_named() -> None:
    async def run() -> None:
        async with Runtime(store="memory:") as runtime:
            for bad in ("", "has space", "a..b", "hookrt.delivery.dead", "a*", "x" * 256):
                with pytest.raises(EventError, match="type"):
                    await runtime.emit(bad)
            with pytest.raises(EventError, match="data"):
                await runtime.emit("A.B", {"when": object()})
            with pytest.raises(EventError, match="id"):
                await runtime.emit("A.B", id="bad\x00id")

    asyncio.run(run())


def test_misuse_is_named() -> None:
    async def run() -> None:
        runtime = Runtime(store="memory:")
        with pytest.raises(UsageError, match="does not run"):
            await runtime.emit("A.B")
        async with runtime:
            with pytest.raises(UsageError, match="runs already"):
                await runtime.start()
        with pytest.raises(UsageError, match="does not run"):
            await runtime.emit("A.B")

    asyncio.run(run())


def test_misuse_after_a_fork_is_named(tmp_path: Path) -> None:
    async def run() -> None:
        async with Runtime(store=store_in(tmp_path)) as runtime:
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                try:
                    runtime._running()
                except UsageError as error:
                    os.write(writer, str(error).encode())
                os._exit(0)
            os.close(writer)
            os.waitpid(child, 0)
            with os.fdopen(reader) as said:
                assert "forked" in said.read()

    asyncio.run(run())


def test_synchronous_code_uses_the_same_runtime(tmp_path: Path) -> None:
    runtime = Runtime(store=store_in(tmp_path))
    seen: list[str] = []
    runtime.on("A.*", name="note")(lambda event: seen.append(event.type))
    with runtime.blocking() as hooks:
        receipt = hooks.emit("A.B")
        [delivery] = hooks.wait(receipt, timeout=10)
        assert delivery.status is Status.SUCCEEDED
    assert seen == ["A.B"]
    with pytest.raises(UsageError):
        hooks.emit("A.B")


def test_all_problems_of_a_file_are_in_one_error(tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text("hooks:\n  a:\n    on: A\n    stepz: []\n  B!: 3\n")
    with pytest.raises(ConfigError) as caught:
        Runtime.from_file(tmp_path / "hooks.yaml")
    assert isinstance(caught.value, HookrtError)
    assert len(caught.value.problems) >= 2


def test_an_embedded_runtime_configures_no_logging_and_installs_no_handler(tmp_path: Path) -> None:
    script = f"""
import asyncio, logging, signal, structlog
before = (list(logging.getLogger().handlers), signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
from hookrt import Runtime
async def run():
    async with Runtime(store={store_in(tmp_path)!r}) as runtime:
        await runtime.emit("A.B")
        assert signal.getsignal(signal.SIGTERM) is before[2]
asyncio.run(run())
assert (list(logging.getLogger().handlers), signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
assert not logging.getLogger("hookrt").handlers
assert not structlog.is_configured()
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_failed_attempts_reach_the_program_s_own_log(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        runtime = Runtime(store="memory:")

        @runtime.on("A.B", name="fails", retry=NO_RETRY)
        async def fails(event: Event) -> None:
            raise ValueError("boom")

        async with runtime:
            await (await runtime.emit("A.B")).wait(timeout=10)

    with caplog.at_level(logging.INFO, "hookrt"):
        asyncio.run(run())
    assert any("delivery-dead" in record.getMessage() for record in caplog.records)
