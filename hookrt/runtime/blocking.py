"""The runtime for synchronous code: the same, in a thread of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from hookrt.errors import UsageError
from hookrt.model.decision import Decision
from hookrt.model.delivery import Delivery
from hookrt.model.event import Event, EventDraft, encode_data
from hookrt.runtime.deciding import read_timeout
from hookrt.runtime.drafts import EMBEDDED_SOURCE
from hookrt.runtime.exit import stop_at_exit
from hookrt.runtime.run import STARTED_BEFORE_FORK

if TYPE_CHECKING:
    from hookrt.runtime.core import Runtime
    from hookrt.runtime.receipt import Receipt
    from hookrt.runtime.reload_report import ReloadReport

T = TypeVar("T")

LATE_S = 0.25
"""Seconds after its end in which the answer of a decision may still come from the event loop."""


class BlockingRuntime:
    """Use it as `with runtime.blocking() as hooks: hooks.emit("PostSignIn", {...})`, from any thread."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._ends_by_itself = False

    def start(self) -> None:
        """Start the thread and the runtime in it; what nobody stops is stopped when the program ends."""
        if self._loop is not None:
            raise UsageError("this runtime runs already" if self._pid == os.getpid() else STARTED_BEFORE_FORK)
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_turn, args=(self._loop,), name="hookrt", daemon=True)
        self._thread.start()
        try:
            self._run(self._runtime.start())
        except BaseException:
            self._end(self._loop)
            raise
        if not self._ends_by_itself:
            stop_at_exit(self.stop)
            self._ends_by_itself = True

    def stop(self) -> None:
        """Stop the runtime, letting attempts under way finish, and end the thread; nothing in a forked process."""
        if self._loop is not None and self._pid == os.getpid():
            stopping = self._runtime.stop()
            with self._lock:
                loop = self._check_place(stopping)
                self._loop = None  # nobody else comes in from here on
            try:
                asyncio.run_coroutine_threadsafe(stopping, loop).result()
            finally:
                self._end(loop)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def emit(  # noqa: PLR0913 - one for each field of an event
        self,
        event: str | Event,
        data: Any = None,
        *,
        id: str | None = None,
        source: str | None = None,
        subject: str | None = None,
        time: datetime | None = None,
    ) -> Receipt:
        """As Runtime.emit: the event is on disk when this returns."""
        return self._run(self._runtime.emit(event, data, id=id, source=source, subject=subject, time=time))

    def decide(
        self,
        type: str,
        data: Any = None,
        *,
        timeout: float = 1.0,
        source: str | None = None,
        subject: str | None = None,
    ) -> Decision:
        """As Runtime.decide: what the hooks of `mode: decide` say, within `timeout` seconds.

        Also while something blocks the runtime's event loop; then `on_error` answers for all of them, unrecorded.
        """
        patience = read_timeout(timeout).total_seconds() + LATE_S
        asking = self._runtime.decide(type, data, timeout=timeout, source=source, subject=subject)
        answer = asyncio.run_coroutine_threadsafe(asking, self._check_place(asking))
        try:
            return answer.result(patience)
        except TimeoutError:
            answer.cancel()
            draft = EventDraft(type, encode_data(data), source=source, subject=subject)
            return self._runtime.decisions.fall_back(draft, timeout, EMBEDDED_SOURCE)

    def wait(self, receipt: Receipt, timeout: float | None = None) -> list[Delivery]:
        """As Receipt.wait."""
        return self._run(receipt.wait(timeout))

    def reload(self) -> ReloadReport:
        """As Runtime.reload."""
        return self._run(self._runtime.reload())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        self._check_place(work)  # first, since a fork may have left the lock taken
        with self._lock:
            begun = asyncio.run_coroutine_threadsafe(work, self._check_place(work))
        try:
            return begun.result()
        except concurrent.futures.CancelledError:
            raise UsageError("the runtime was stopped meanwhile") from None

    def _check_place(self, work: Coroutine[Any, Any, Any]) -> asyncio.AbstractEventLoop:
        """The loop, if it runs in this process and somewhere else than here."""
        misuse = None
        if self._loop is not None and self._pid != os.getpid():
            misuse = STARTED_BEFORE_FORK
        elif self._loop is None or self._thread is None or not self._thread.is_alive():
            misuse = "the runtime does not run: use `with runtime.blocking() as hooks:`, or start it"
        elif self._thread is threading.current_thread():
            misuse = "this would wait for itself: in an async function await the runtime's own methods instead"
        if misuse is None and self._loop is not None:
            return self._loop
        work.close()
        raise UsageError(misuse)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        assert self._thread is not None
        self._loop = None
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    """Run the loop until it is stopped, and cancel what is left in it, so that nobody waits for that for ever."""
    loop.run_forever()
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))
    loop.close()
