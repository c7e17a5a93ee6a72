"""The contract of a source that fetches its events, from a broker or a database, as a class of tests to inherit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from hookrt.clock import SystemClock
from hookrt.errors import Overloaded, StoreError
from hookrt.model.patterns import matches
from hookrt.plugin.source import SourceRun
from hookrt.testing.provided import MemoryState
from hookrt.testing.recorded import RecordedLog
from hookrt.testing.run_attempts import read_settings
from hookrt.testing.runtime_in_memory import RuntimeInMemory
from hookrt.testing.source_rules import SourceRules

PATIENCE_S = 20.0
"""How long a test waits for the source, or for the server."""

STOP_S = 5.0
"""How long it may take to stop."""

_LONGEST_SLEEP_S = 0.01
_ASK_S = 0.02
_NAME = "fetching"


class FetchingSourceContract(SourceRules):
    """Tests that every source must pass that fetches: `class TestQueue(FetchingSourceContract): source = Queue; ...`.

    Give `source`, `make_settings` and `send`; `unacknowledged` where the server knows what was not acknowledged, and
    `make_settings_away`. Servers come from pytest's fixtures: take them in a fixture of the class with `autouse`, and
    keep them in `self`. Each test has its own instance, and wants a queue of its own. Pauses of `source.clock` are
    cut short.
    """

    lasting: ClassVar[bool] = True
    """Whether what was sent waits for the source: then what was not stored comes again to the next run of it."""

    secrets: ClassVar[tuple[str, ...]] = ()
    """Texts in the settings that nobody may see, a password, say."""

    def make_settings(self) -> Mapping[str, Any]:
        """Settings as in hooks.yaml, with which the source finds its server."""
        raise NotImplementedError

    def make_settings_away(self) -> Mapping[str, Any] | None:
        """Settings with which it finds none, at a closed port, say; None where there is nothing to connect to."""
        return None

    async def send(self, count: int) -> None:
        """Put so many things where the source finds them, each of which is to become one event."""
        raise NotImplementedError

    async def until_it_listens(self) -> None:
        """Wait until the source is connected; only for one that misses what is sent before that."""

    async def unacknowledged(self) -> int | None:
        """How many things are there, or handed out, that the source has not acknowledged; None: nobody knows."""
        return None

    def test_invalid_settings_are_refused(self) -> None:
        """The model refuses the examples of invalid settings, and a misspelt key."""
        for written in (*self.invalid_settings, {**self.make_settings(), "no_such_setting": 1}):
            assert self._read(written) is None, f"{written} should be refused"

    def test_its_settings_show_no_secret(self) -> None:
        """No secret shows where somebody prints the settings."""
        shown = repr(read_settings(self.source.settings, self.make_settings()))
        assert not [secret for secret in self.secrets if secret in shown], "make it a hookrt.plugin.Secret"

    def test_its_events_are_stored_by_a_runtime(self, tmp_path: Path) -> None:
        """In a whole runtime each thing becomes an event of this source, of a type that it publishes."""
        written = self.make_settings()
        hooks = json.dumps({"sources": {_NAME: {self.source.name: written}}, "hooks": {}})
        with RuntimeInMemory(tmp_path, hooks, sources=[self.source]) as runtime:
            asyncio.run(self._send(3))
            events = runtime.wait_for_events(3)
        assert {event.source for event in events} == {_NAME}
        published = self.source().types(read_settings(self.source.settings, written))
        for event in events:
            known = published is None or any(matches(one, event.type) for one in published)
            assert known, f"{event.type!r} is none of its types"

    def test_what_is_not_stored_is_not_acknowledged_and_comes_again(self, tmp_path: Path) -> None:
        """It is acknowledged after `emit` has returned, and never before; an `emit` that raises is made again."""
        asyncio.run(self._meet_failures(tmp_path))

    def test_what_was_not_stored_when_it_ended_comes_to_the_next_run(self, tmp_path: Path) -> None:
        """A crash between fetching and storing loses nothing."""
        if self.lasting:
            asyncio.run(self._end_while_storing(tmp_path))

    def test_it_stops_promptly(self, tmp_path: Path) -> None:
        """Cancelled, it ends, whether it waits or stores, and leaves no task behind."""
        asyncio.run(self._stop_while(tmp_path, storing=False))
        asyncio.run(self._stop_while(tmp_path, storing=True))

    def test_a_server_that_is_not_there_is_no_crash(self, tmp_path: Path) -> None:
        """It says why nothing comes, by a warning without secrets, and goes on trying."""
        written = self.make_settings_away()
        if written is not None:
            asyncio.run(self._look_for_nobody(written, tmp_path))

    async def _meet_failures(self, folder: Path) -> None:
        store = _Store([StoreError("the disk is full"), Overloaded("too much at once", timedelta(milliseconds=1))])
        store.open.clear()
        async with self._running(self.make_settings(), store, folder):
            await self._send(1)
            await _until(lambda: store.calls > 2, "what was not stored does not come again")
            assert await self.unacknowledged() != 0, "it is acknowledged before it is stored"
            store.open.set()
            await self._until_finished(store, 1)

    async def _end_while_storing(self, folder: Path) -> None:
        written, store = self.make_settings(), _Store()
        store.open.clear()
        async with self._running(written, store, folder):
            await self._send(1)
            await _until(lambda: store.calls > 0, "nothing comes")
        assert await self.unacknowledged() != 0, "it is acknowledged, and was never stored"
        store = _Store()
        async with self._running(written, store, folder):
            await self._until_finished(store, 1)

    async def _stop_while(self, folder: Path, *, storing: bool) -> None:
        before, store = asyncio.all_tasks(), _Store()
        if storing:
            store.open.clear()
        task = asyncio.create_task(self.source().run(self._run(self.make_settings(), store, folder)))
        await self._send(1)
        await _until(lambda: store.calls > 0 or task.done(), "nothing comes")
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=STOP_S)
        assert done, "it does not stop when it is cancelled"
        failed = None if task.cancelled() else task.exception()
        assert failed is None, f"it fails when it is cancelled: {failed!r}"
        await _until(lambda: asyncio.all_tasks() <= before, "it leaves tasks behind")

    async def _look_for_nobody(self, written: Mapping[str, Any], folder: Path) -> None:
        log, report = RecordedLog(), _Report()
        run = self._run(written, _Store(), folder, log, report)
        task = asyncio.create_task(self.source().run(run))
        try:
            await _until(lambda: task.done() or _complaints(log) > 0, "it says nothing of a server that is not there")
            assert not task.done(), f"it ends where it should go on trying: {task.exception()!r}"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        said = f"{log.lines} {report.said}"
        assert not [secret for secret in self.secrets if secret in said], "a secret shows in what it says"

    async def _send(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.until_it_listens()
            await self.send(count)

    async def _until_finished(self, store: _Store, count: int) -> None:
        """Until so much is stored, and all is acknowledged."""
        await _until(lambda: store.stored >= count, "what was sent is not stored")

        async def finished() -> bool:
            return not await self.unacknowledged()

        await _until_true(finished, "what is stored is not acknowledged")

    def _run(
        self,
        written: Mapping[str, Any],
        store: _Store,
        folder: Path,
        log: RecordedLog | None = None,
        report: Any = None,
    ) -> SourceRun[Any]:
        settings = read_settings(self.source.settings, written)
        clock = _Hurried()
        named = {} if report is None else {"report": report}
        return SourceRun(_NAME, settings, store, log or RecordedLog(), clock, folder, MemoryState(clock), **named)

    @asynccontextmanager
    async def _running(self, written: Mapping[str, Any], store: _Store, folder: Path) -> AsyncIterator[None]:
        """The source at work, started again when it fails, as the runtime does."""

        async def keep_running() -> None:
            while True:
                try:
                    return await self.source().run(self._run(written, store, folder))
                except Exception:
                    store.failures += 1
                    await asyncio.sleep(_ASK_S)

        task = asyncio.create_task(keep_running())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class _Hurried(SystemClock):
    """The machine's clock, but for pauses: nobody wants to wait for them."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, _LONGEST_SLEEP_S))


@dataclass(slots=True)
class _Store:
    """Where a source emits to, in place of the runtime: it raises first, then waits until it is `open`."""

    raising: list[Exception] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    calls: int = 0
    failures: int = 0
    ids: set[str | None] = field(default_factory=set)
    stored: int = 0

    def __post_init__(self) -> None:
        self.open.set()

    async def __call__(self, type: str, data: Any = None, **named: Any) -> bool:
        self.calls += 1
        if self.raising:
            raise self.raising.pop(0)
        await self.open.wait()
        known = named.get("id") is not None and named["id"] in self.ids
        self.ids.add(named.get("id"))
        self.stored += not known
        return not known


@dataclass(frozen=True, slots=True)
class _Report:
    """Keeps what a source says of itself."""

    said: list[str] = field(default_factory=list)

    def refused(self, reason: str) -> None:
        self.said.append(reason)

    def away(self, why: str) -> None:
        self.said.append(why)

    def connected(self) -> None:
        self.said.append("connected")


def _complaints(log: RecordedLog) -> int:
    return sum(level in ("warning", "error") for level, _, _ in log.lines)


async def _until(condition: Callable[[], bool], otherwise: str) -> None:
    async def asked() -> bool:
        return condition()

    await _until_true(asked, otherwise)


async def _until_true(condition: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    """Ask until the answer is yes; what is asked may be a server. Raises AssertionError saying what is wrong."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await condition():  # noqa: ASYNC110 - it may be a server that is asked
                await asyncio.sleep(_ASK_S)
    except TimeoutError:
        raise AssertionError(otherwise) from None
