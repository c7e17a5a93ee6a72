"""A blocking function in a thread of its own: whatever it raises is its caller's, and a cancellation waits for it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from hookrt.plugin.threads import run_in_thread


@pytest.mark.parametrize("raised", [ValueError("boom"), SystemExit(3), StopIteration(), KeyboardInterrupt()])
def test_what_a_function_raises_reaches_its_caller_and_never_the_event_loop(raised: BaseException) -> None:
    def fails() -> None:
        raise raised

    async def run() -> None:
        fit = isinstance(raised, (ValueError, SystemExit))
        with pytest.raises(type(raised) if fit else RuntimeError):
            await run_in_thread(fails)

    asyncio.run(run())


def test_a_cancellation_waits_for_the_thread_and_a_second_one_does_not() -> None:
    async def run() -> None:
        begun, finish = threading.Event(), threading.Event()

        def blocks() -> None:
            begun.set()
            finish.wait()

        task = asyncio.create_task(run_in_thread(blocks))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        finish.set()

    asyncio.run(run())


def test_a_cancelled_function_that_fails_later_warns_nobody() -> None:
    async def run() -> None:
        said: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: said.append(context))
        begun, finish = threading.Event(), threading.Event()

        def fails() -> None:
            begun.set()
            finish.wait()
            raise ValueError("boom")

        task = asyncio.create_task(run_in_thread(fails))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        await asyncio.sleep(0)
        finish.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert said == []

    asyncio.run(run())
