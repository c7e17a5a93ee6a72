"""The runtime: everything that hookrt does, behind one object."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

from hookrt.clock import Clock, SystemClock
from hookrt.config.fields import NAME
from hookrt.config.load import Configuration, LoadOptions, load_or_raise
from hookrt.delivery.engine import Engine
from hookrt.errors import EventError, SecretMissing, UsageError
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Names
from hookrt.matching.patterns import check_pattern
from hookrt.matching.router import HookExplanation, Router
from hookrt.model.delivery import Status
from hookrt.model.event import Event, EventDraft, encode_data
from hookrt.model.hook import Destination, Hook, Step
from hookrt.model.policy import DEFAULT_EXPIRES, DEFAULT_TIMEOUT, STANDARD, RetryPolicy
from hookrt.observability.log import get_log
from hookrt.plugin.action import Action
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.observer import Observer
from hookrt.plugin.registry import Registry
from hookrt.runtime.blocking import BlockingRuntime
from hookrt.runtime.control import Control
from hookrt.runtime.functions import PREFIX, FixedSettings, FunctionAction
from hookrt.runtime.processes import Processes
from hookrt.runtime.receipt import Receipt
from hookrt.runtime.source_runs import SourceRuns
from hookrt.runtime.wiring import Parts, make_egress, make_ports, open_actions
from hookrt.secrets.masking import Masker
from hookrt.store.contract import Store
from hookrt.store.open import default_store_url, open_store

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

EMBEDDED_SOURCE = "app"
"""The source of events that the embedding program emits, unless it says otherwise."""

HTTP_SOURCE = "http"
"""The source of events that come over HTTP, unless they say otherwise."""


class Runtime:
    """Accepts events, matches them against hooks, and runs the hooks' actions, durably.

    Use it as `async with Runtime.from_file("hooks.yaml") as runtime:`, or start and stop it. It never configures
    logging, installs no signal handler, and starts nothing before `start`.
    """

    def __init__(  # noqa: PLR0913 - all optional, all by name
        self,
        *,
        store: str | Store = "sqlite:///hookrt.db",
        configuration: Configuration | None = None,
        registry: Registry | None = None,
        env: Mapping[str, str] | None = None,
        observers: Sequence[Observer] = (),
        clock: Clock | None = None,
        deliver: bool = True,
    ) -> None:
        """A runtime on this store, a URL such as `sqlite:///app.db` or `memory:`; without a configuration its hooks
        are those of `on`. With `deliver=False` it only accepts events, for another process to deliver.
        """
        clock = clock or SystemClock()
        self._masker = configuration.secrets.masker if configuration else Masker()
        self._parts = Parts(
            store=open_store(store, clock) if isinstance(store, str) else store,
            log=get_log("hookrt", self._masker.mask),
            registry=registry or Registry(),
            configuration=configuration,
            env=os.environ if env is None else env,
            clock=clock,
            base_dir=configuration.base_dir if configuration else Path.cwd(),
        )
        self._parts.registry.observers.extend(observers)
        self._actions: dict[str, Action[Any]] = {}
        self._egress = make_egress(self._parts, self._masker)
        self._ports = make_ports(self._parts, self._egress, self._actions, self._masker)
        self._deliver = deliver
        self._engine: Engine | None = None
        self._processes: Processes | None = None
        self._sources = SourceRuns(self._parts, self._emit_from_source)
        self._pid = os.getpid()

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        store: str | Store | None = None,
        env: Mapping[str, str] | None = None,
        registry: Registry | None = None,
        **options: Any,
    ) -> Self:
        """A runtime with the hooks of a file, or of a directory of files, and all installed plugins.

        The store is `service.store`, by default `.hookrt/hookrt.db` beside the file. Raises ConfigError with all
        problems at once.
        """
        environment = os.environ if env is None else env
        plugins = registry or load_plugins()
        load = LoadOptions(registry=plugins, env=environment, missing_secrets="error")
        configuration = load_or_raise(Path(path), load)
        return cls.from_configuration(configuration, plugins, store=store, env=environment, **options)

    @classmethod
    def from_configuration(
        cls,
        configuration: Configuration,
        registry: Registry,
        *,
        store: str | Store | None = None,
        env: Mapping[str, str],
        **options: Any,
    ) -> Self:
        """A runtime of a configuration that is loaded already; raises SecretMissing when secrets of it are."""
        if configuration.missing_secrets:
            raise SecretMissing(f"these secrets are not provided: {', '.join(sorted(configuration.missing_secrets))}")
        chosen = store or configuration.service.store or default_store_url(configuration.base_dir)
        return cls(store=chosen, configuration=configuration, registry=registry, env=env, **options)

    # Its life

    async def start(self) -> None:
        """Open the store and the actions, and begin to deliver (or to wait for the process that does).

        Raises StoreError or PluginError in one sentence when it cannot.
        """
        if self._engine is not None:
            raise UsageError("this runtime runs already")
        self._pid = os.getpid()
        await self._parts.store.open()
        try:
            needed = {step.action for hook in self.router.hooks.values() for step in hook.steps}
            await open_actions(self._parts, self._egress, needed, self._actions)
            engine = Engine(self._ports, owner=f"{os.getpid()}-{self._ports.ids.new('run')}")
            self._processes = Processes(engine, self._parts, self._sources)
            self._engine = engine
            await engine.start(lead=self._deliver, on_lead=self._processes.on_lead)
        except BaseException:
            await self._end(timedelta(0))
            raise

    async def stop(self, drain: timedelta | None = None) -> bool:
        """Claim no more, let attempts under way finish within `drain` (8 s by default) or return them, and close.

        Whether everything under way finished. What did not, is tried again by the next run.
        """
        if self._engine is None:
            return True
        return await self._end(drain if drain is not None else self._drain_time())

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def blocking(self) -> BlockingRuntime:
        """The same for synchronous code: it runs in a thread of its own."""
        return BlockingRuntime(self)

    # Events in

    async def emit(  # noqa: PLR0913 - one for each field of an event
        self,
        event: str | Event,
        data: Any = None,
        *,
        id: str | None = None,
        source: str | None = None,
        subject: str | None = None,
        time: datetime | None = None,
    ) -> Receipt:
        """Emit an event of a type with its data, or an Event; it is on disk when this returns.

        A repeated `id` from the same `source` (by default `app`) is answered as a duplicate. Raises EventError,
        EventConflict, Overloaded, StoreError.
        """
        if isinstance(event, Event):
            draft = draft_of(event)
        else:
            draft = EventDraft(event, encode_data(data), id=id, source=source, subject=subject, time=time)
        _refuse_reserved(draft)
        [receipt] = await self._accept([draft], EMBEDDED_SOURCE, batch=False)
        return receipt

    async def accept(self, drafts: Sequence[EventDraft], *, default_source: str = HTTP_SOURCE) -> list[Receipt]:
        """Take events from outside; several are all or nothing, and the EventError's `index` says which is at fault.

        They may not claim to come from a declared source.
        """
        for index, draft in enumerate(drafts):
            try:
                _refuse_reserved(draft)
                self._refuse_declared_source(draft)
            except EventError as error:
                error.index = index
                raise
        return await self._accept(drafts, default_source, batch=len(drafts) > 1)

    # Hooks

    def on(  # noqa: PLR0913 - one for each key of a hook
        self,
        *patterns: str,
        name: str,
        when: str | None = None,
        source: str | None = None,
        retry: RetryPolicy = STANDARD,
        timeout: timedelta = DEFAULT_TIMEOUT,
        expires: timedelta = DEFAULT_EXPIRES,
    ) -> Callable[[FunctionT], FunctionT]:
        """Register a function as a hook: `@runtime.on("User.*", name="sync")`.

        It is called with the event (and with the call, where it takes a second argument), as durably as a hook from
        YAML; plain functions run in a thread. `name` is stored with the deliveries: renaming the function changes
        nothing, a new name makes a new hook.
        """
        if not NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name for a hook: use lower case letters, digits, '-' and '_'")
        for pattern in patterns:
            check_pattern(pattern)
        if not patterns:
            raise UsageError("say which event types the hook is for: @runtime.on('User.*', name=...)")

        def register(function: FunctionT) -> FunctionT:
            if self.router.get(name) is not None:
                raise UsageError(f"there is a hook named {name!r} already")
            step = Step("function", PREFIX + name, FixedSettings(), f"hook:{name}", timeout=timeout, retry=retry)
            condition = compile_condition(when, Names()) if when is not None else None
            hook = Hook(name, patterns, (step,), source, condition, expires=expires, origin="code")
            self._actions[PREFIX + name] = FunctionAction(name, function)
            self.router.put(hook)
            if self._engine is not None:
                self._engine.take_up_soon(hook)
            return function

        return register

    def explain(self, event: Event) -> list[HookExplanation]:
        """For every hook, whether this event fires it and if not, why."""
        return self.router.explain(event, self._parts.env)

    # What can be asked

    @property
    def router(self) -> Router:
        """The hooks, and which of them an event fires."""
        return self._ports.router

    @property
    def store(self) -> Store:
        """What survives a crash."""
        return self._parts.store

    @property
    def registry(self) -> Registry:
        """The plugins."""
        return self._parts.registry

    @property
    def configuration(self) -> Configuration | None:
        """What was read from the file; None for a runtime without one."""
        return self._parts.configuration

    @property
    def destinations(self) -> Mapping[str, Destination]:
        """The named destinations."""
        return self._ports.destinations

    @property
    def control(self) -> Control:
        """What people do to deliveries: replay, cancel, retry now."""
        return Control(self._parts.store, self.router, self._ports.ids, self._running().kick)

    @property
    def leading(self) -> bool:
        """Whether this process delivers."""
        return self._engine is not None and self._engine.leading

    @property
    def ready(self) -> bool:
        """Whether it runs."""
        return self._engine is not None

    @property
    def lanes(self) -> Mapping[str, tuple[int, int]]:
        """For each lane of this process: deliveries waiting in memory, and attempts under way."""
        return self._engine.lanes.figures() if self._engine else {}

    @property
    def counts(self) -> Mapping[Status, int]:
        """Deliveries by status as they were counted last, a few seconds ago at most; `store.counts()` asks anew."""
        return self._engine.counts if self._engine else {}

    @property
    def mask(self) -> Callable[[str], str]:
        """Hides secrets in a text."""
        return self._masker.mask

    async def _accept(self, drafts: Sequence[EventDraft], default_source: str, *, batch: bool) -> list[Receipt]:
        engine = self._running()
        assert self._processes is not None
        accepted = await self._processes.accept(drafts, default_source, batch=batch)
        return [Receipt(one.id, one.source, one.deliveries, one.duplicate, engine.waiters) for one in accepted]

    async def _emit_from_source(self, draft: EventDraft, source: str) -> bool:
        _refuse_reserved(draft)
        [receipt] = await self._accept([draft], source, batch=False)
        return not receipt.duplicate

    def _running(self) -> Engine:
        if os.getpid() != self._pid:
            raise UsageError(
                "this runtime was started before the process forked: start one in each worker process "
                "(gunicorn: in post_fork or the application's start-up, not with --preload)"
            )
        if self._engine is None:
            raise UsageError("the runtime does not run: use `async with runtime:`, or `await runtime.start()`")
        return self._engine

    def _refuse_declared_source(self, draft: EventDraft) -> None:
        declared = self._parts.configuration.sources if self._parts.configuration else ()
        if draft.source is not None and any(entry.name == draft.source for entry in declared):
            raise EventError(f"'source' is {draft.source!r}: only the declared source of that name sends as it")

    def _drain_time(self) -> timedelta:
        configuration = self._parts.configuration
        return configuration.service.drain if configuration else timedelta(seconds=8)

    async def _end(self, drain: timedelta) -> bool:
        """End what has begun, in an order in which nothing new can begin; the store is closed in any case."""
        engine, self._engine = self._engine, None
        processes, self._processes = self._processes, None
        finished = True
        try:
            if engine is not None and processes is not None:
                await engine.withdraw()
                await processes.stop()
                finished = await engine.stop(drain)
        finally:
            await self._close_parts()
        return finished

    async def _close_parts(self) -> None:
        for action in self._actions.values():
            try:
                await action.close()
            except Exception as error:
                self._parts.log.error("action-close-failed", action=action.name, error=repr(error))
        for name in [name for name in self._actions if not name.startswith(PREFIX)]:
            del self._actions[name]
        try:
            await self._egress.close()
        finally:
            await self._parts.store.close()


def draft_of(event: Event) -> EventDraft:
    """An event as a draft that becomes the same event."""
    return EventDraft(
        type=event.type,
        content=event.content,
        id=event.id,
        source=event.source,
        subject=event.subject,
        time=event.time,
        content_type=event.content_type,
        binary=event.binary,
        attributes=event.attributes,
    )


def _refuse_reserved(draft: EventDraft) -> None:
    if draft.type == "hookrt" or draft.type.startswith("hookrt."):
        raise EventError(f"'type' is {draft.type!r}: types that begin with 'hookrt.' are for hookrt itself")
