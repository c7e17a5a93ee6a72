"""A whole runtime for a test: hooks, plugins and engine as in the service, with a store in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TypedDict, TypeVar, Unpack

from hookrt.clock import wait_at_most
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery, Status
from hookrt.model.event import Event
from hookrt.plugin.action import Action
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.observer import AttemptRecorded, Observer
from hookrt.plugin.registry import Registry
from hookrt.plugin.source import Source
from hookrt.runtime.blocking import BlockingRuntime
from hookrt.runtime.core import Runtime
from hookrt.secrets.providers import DEFAULT_PREFIX

PATIENCE_S = 10.0
"""How long is waited for deliveries to come to rest."""

_POLL_S = 0.05
_AT_REST = frozenset({Status.SUCCEEDED, Status.DEAD, Status.CANCELLED, Status.WAITING, Status.HELD})
_T = TypeVar("_T")


class RuntimeOptions(TypedDict, total=False):
    """What a runtime of a test may be given beside its hooks.

    `actions` and `sources` are classes that need not be installed. `secrets` are what `secrets.NAME` finds.
    """

    actions: Sequence[type[Action[Any]]]
    sources: Sequence[type[Source[Any]]]
    observers: Sequence[Observer]
    secrets: Mapping[str, str]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of an event in one hook: the delivery, and each attempt with its outcome, logs and exchange."""

    delivery: Delivery
    attempts: tuple[Attempt, ...]

    @property
    def id(self) -> str:
        """The delivery's id."""
        return self.delivery.id

    @property
    def hook(self) -> str:
        """The hook's name."""
        return self.delivery.hook

    @property
    def status(self) -> Status:
        """Where it stands."""
        return self.delivery.status

    @property
    def last(self) -> Attempt:
        """The last attempt; raises AssertionError when there was none."""
        if not self.attempts:
            raise AssertionError(f"the hook {self.hook} made no attempt: it is {self.status.value}")
        return self.attempts[-1]


class RuntimeInMemory:
    """A runtime with the hooks of a YAML text, in a thread of its own; for plain test functions.

    Use it as `with RuntimeInMemory(folder, text) as runtime:`; the text becomes `hooks.yaml` in the folder. All
    installed plugins are there. Raises ConfigError with all problems of the text. `runtime` is the Runtime itself.
    """

    def __init__(self, folder: Path, hooks: str = "hooks: {}", **options: Unpack[RuntimeOptions]) -> None:
        path = folder / "hooks.yaml"
        path.write_text(hooks, encoding="utf-8")
        secrets = {DEFAULT_PREFIX + name: value for name, value in options.get("secrets", {}).items()}
        self._rests = _Rests()
        self.runtime: Runtime = Runtime.from_file(
            path,
            store="memory:",
            registry=_registry_with(options),
            env={**options.get("env", {}), **secrets},
            observers=[*options.get("observers", ()), self._rests],
        )
        self._thread = _Thread(self.runtime)

    def start(self) -> None:
        """Begin to deliver, and run the sources."""
        self._thread.start()

    def close(self) -> None:
        """Stop at once; doing it twice is no error."""
        self._thread.close()

    def emit(self, event: str | Event, data: Any = None, **fields: Any) -> list[Delivered]:
        """Emit an event, as `Runtime.emit`, and wait until its deliveries have ended, wait for a retry, or are held.

        One for each hook that it fires. Raises TimeoutError, which says how they stand, after ten seconds.
        """
        receipt = self._thread.emit(event, data, **fields)
        return [self._thread.run(self._until_at_rest(identity, 0)) for identity in receipt.deliveries]

    def retry(self, delivered: Delivered) -> Delivered:
        """Make the next attempt of a delivery that waits for a retry now, and wait as `emit` does."""
        return self._thread.run(self._retry(delivered))

    def deliveries(self) -> list[Delivered]:
        """What there is of deliveries, newest first, at most a hundred: also of events from sources and actions."""
        return self._thread.run(self._deliveries())

    def wait_for_events(self, count: int) -> list[Event]:
        """The first events there are, the oldest first, once there are so many: those of sources, say.

        Raises TimeoutError, which says how many there are, after ten seconds.
        """
        return self._thread.run(self._wait_for_events(count))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _retry(self, delivered: Delivered) -> Delivered:
        await self.runtime.control.retry_now(delivered.id)
        return await self._until_at_rest(delivered.id, len(delivered.attempts) + 1)

    async def _until_at_rest(self, identity: str, attempts: int) -> Delivered:
        """Until so many attempts were made, and nothing is to be done now."""
        found: Delivered | None = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    found = await self._read(identity)
                    if found.status in _AT_REST and (found.status.final or len(found.attempts) >= attempts):
                        return found
                    await self._rests.next()
        except TimeoutError:
            stands = f"is {found.status.value}" if found is not None else "was not read"
            raise TimeoutError(f"the delivery {identity} {stands} after {PATIENCE_S:g} s") from None

    async def _deliveries(self) -> list[Delivered]:
        from hookrt.store.contract import DeliveryQuery  # noqa: PLC0415 - for this only

        page = await self.runtime.store.deliveries(DeliveryQuery(limit=100))
        return [await self._read(one.id) for one in page.items]

    async def _wait_for_events(self, count: int) -> list[Event]:
        from hookrt.store.contract import EventQuery  # noqa: PLC0415 - for this only

        found: Sequence[Any] = ()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while len(found) < count:
                    await self._rests.next()
                    found = (await self.runtime.store.events(EventQuery(limit=max(count, 100)))).items
        except TimeoutError:
            raise TimeoutError(f"there are {len(found)} events and not {count} after {PATIENCE_S:g} s") from None
        return [one.event for one in reversed(found)]

    async def _read(self, identity: str) -> Delivered:
        found = await self.runtime.store.delivery(identity)
        if found is None:
            raise AssertionError(f"no delivery has the id {identity!r}")
        return Delivered(found.delivery, tuple(await self.runtime.store.attempts(identity)))


class _Thread(BlockingRuntime):
    """The runtime's thread, in which a test may run more than a program may."""

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self._run(work)

    def close(self) -> None:
        if self._loop is not None:
            self._run(self._runtime.stop(timedelta(0)))
            self.stop()


class _Rests(Observer):
    """Wakes who waits for deliveries to come to rest."""

    def __init__(self) -> None:
        self._woken: asyncio.Event | None = None

    async def next(self) -> None:
        """Wait for the next attempt or end, or a moment."""
        self._woken = asyncio.Event()
        await wait_at_most(_POLL_S, self._woken)

    def attempt_recorded(self, recorded: AttemptRecorded) -> None:
        self._wake()

    def delivery_ended(self, hook: str, status: Status) -> None:
        self._wake()

    def _wake(self) -> None:
        if self._woken is not None:
            self._woken.set()


def _registry_with(options: RuntimeOptions) -> Registry:
    registry = load_plugins()
    for action in options.get("actions", ()):
        if registry.actions.get(action.name) is not action:
            registry.add_action(action)
    for source in options.get("sources", ()):
        if registry.sources.get(source.name) is not source:
            registry.add_source(source)
    return registry
