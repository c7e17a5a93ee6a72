"""Plain functions in threads of their own, for actions that block."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import Any

_UNFIT = (StopIteration, KeyboardInterrupt, GeneratorExit)
"""What no future can carry, or what would end the event loop."""


async def run_in_thread(function: Callable[[], Any]) -> Any:
    """The function's result, from a daemon thread of its own.

    A cancellation is kept back until the thread has ended; a second one gives up waiting.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: Any, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)

    def work() -> None:
        result, error = _ended(context, function)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name="hookrt function", daemon=True).start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        if not done.done():
            await asyncio.wait([done])
        if not done.cancelled():
            done.exception()  # read, so that nobody warns that nobody did
        raise


def _ended(context: contextvars.Context, function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What it returned or raised."""
    try:
        return context.run(function), None
    except BaseException as raised:  # whatever it is, it belongs to the caller
        unfit = isinstance(raised, _UNFIT)
        return None, RuntimeError(f"the function raised {type(raised).__name__}") if unfit else raised
