"""Reloading while `hookrt run` serves: on SIGHUP, and when the files change."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hookrt.cli.event_loop import collector_at_rest
from hookrt.cli.reload_view import fields_of, show_reload
from hookrt.cli.render import Screen
from hookrt.errors import UsageError
from hookrt.observability.log import get_log
from hookrt.runtime import Runtime
from hookrt.runtime.config_files import ConfigFiles, Reading
from hookrt.runtime.reload_report import ReloadReport

_STREAMS = (0, 1, 2)
_PATIENCE_S = 1.0


class ServedFiles(ConfigFiles):
    """The files of a configuration that is in use while it is read again."""

    def read(self) -> Reading:
        """Read everything, holding up the event loop as little as can be."""
        with collector_at_rest():
            return ConfigFiles.read(self)


@contextmanager
def hangups(stop: asyncio.Event) -> Iterator[asyncio.Event]:
    """An event that is set by each SIGHUP; call it inside the running loop, before anything that may be hung up on.

    When the signal means that the terminal of this process is gone, it sets `stop` instead.
    """
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    terminals = [stream for stream in _STREAMS if _is_terminal(stream)]

    def take() -> None:
        gone = any(not _is_terminal(stream) for stream in terminals)
        (stop if gone else asked).set()

    loop.add_signal_handler(signal.SIGHUP, take)
    try:
        yield asked
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


@dataclass(slots=True)
class Reloading:
    """Reloads a runtime whose configuration is at `path`, and tells of it."""

    runtime: Runtime
    path: Path
    asked: asyncio.Event
    watch: bool

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """As long as the block lasts."""
        works = [self._on_request, *([self._on_change] if self.watch else [])]
        tasks = [asyncio.create_task(self._keep_on(work)) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_on(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while self.runtime.ready:
            try:
                await work()
            except UsageError:  # the runtime stops
                return
            except Exception as error:
                get_log("service", self.runtime.mask).error("reload-failed", error=repr(error))
                await asyncio.sleep(_PATIENCE_S)

    async def _on_request(self) -> None:
        await self.asked.wait()
        self.asked.clear()
        self._tell(await self.runtime.reload())

    async def _on_change(self) -> None:
        await self.runtime.watch(self._tell)

    def _tell(self, report: ReloadReport) -> None:
        if sys.stderr.isatty():
            show_reload(Screen(sys.stderr), report, self.path)
        elif report.accepted:  # what is wrong is in the log already
            get_log("service", self.runtime.mask).info("config-reloaded", **fields_of(report))


def _is_terminal(stream: int) -> bool:
    try:
        return os.isatty(stream)
    except OSError:
        return False
