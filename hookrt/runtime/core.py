"""The runtime: everything that hookrt does, behind one object."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar, Unpack

from hookrt.clock import Clock, SystemClock
from hookrt.config.load import Configuration, LoadOptions, load_dict
from hookrt.config.plugin_rules import plugin_rules_of, read_plugin_rules
from hookrt.errors import ConfigError, SecretMissing, UsageError
from hookrt.matching.router import HookExplanation, Router
from hookrt.model.decision import Decision
from hookrt.model.event import Event, EventDraft, encode_data
from hookrt.model.hook import Destination
from hookrt.observability.log import get_log
from hookrt.plugin.action import Action
from hookrt.plugin.inbound import Inbound, Reply
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.observer import Observer
from hookrt.plugin.registry import Registry
from hookrt.runtime.action_reports import log_warnings
from hookrt.runtime.blocking import BlockingRuntime
from hookrt.runtime.config_files import ConfigFiles
from hookrt.runtime.control import Control
from hookrt.runtime.deciding import DecisionDoor
from hookrt.runtime.drafts import EMBEDDED_SOURCE, check_foreign, draft_of, refuse_reserved
from hookrt.runtime.figures import Figures
from hookrt.runtime.functions import FunctionAction, HookFunction, HookKeys, function_hook
from hookrt.runtime.inbound import InboundDoor
from hookrt.runtime.inbound_accounts import Accounts
from hookrt.runtime.receipt import Receipt
from hookrt.runtime.reload import Reloader, Tell, Works
from hookrt.runtime.reload_report import ReloadReport
from hookrt.runtime.run import Run
from hookrt.runtime.source_runs import SourceRuns
from hookrt.runtime.wiring import Parts, close_actions, make_egress, make_ports, open_actions
from hookrt.secrets.masking import Masker
from hookrt.store.contract import Store
from hookrt.store.open import default_store_url, open_store

FunctionT = TypeVar("FunctionT", bound=HookFunction)

HTTP_SOURCE = "http"
"""The source of events that come over HTTP, unless they say otherwise."""


class Runtime(Figures):
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
        files: ConfigFiles | None = None,
    ) -> None:
        """A runtime on this store, a URL such as `sqlite:///app.db` or `memory:`; without a configuration its hooks
        are those of `on`. With `deliver=False` it only accepts events, for another process to deliver. `files` are
        where the configuration came from, for `reload`.
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
        self._run: Run | None = None
        accounts = Accounts(self._ports)
        self._sources = SourceRuns(self._parts, self._ports.log, self._accept, accounts)
        self._inbound = InboundDoor(self._parts, self._ports, self._accept, accounts)
        self._files = files
        self._reloader: Reloader | None = None

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
        plugins = registry or load_plugins(rules=read_plugin_rules(Path(path), os.environ if env is None else env))
        files = ConfigFiles(Path(path), plugins, os.environ if env is None else env)
        loaded = files.read().loaded
        if loaded.configuration is None:
            raise ConfigError(loaded.errors)
        return cls.from_configuration(loaded.configuration, plugins, store=store, env=files.env, files=files, **options)

    @classmethod
    def from_dict(
        cls,
        settings: Mapping[str, Any],
        *,
        env: Mapping[str, str] | None = None,
        registry: Registry | None = None,
        **options: Any,
    ) -> Self:
        """A runtime of what a hooks.yaml would hold, as Python values: `{"service": {...}, "sources": {...}}`.

        The same rules hold; relative paths are of the working directory. Raises ConfigError with all problems at once,
        and UsageError for values that no file could hold.
        """
        read_with = os.environ if env is None else env
        plugins = registry or load_plugins(rules=plugin_rules_of(settings, read_with))
        loaded = load_dict(settings, LoadOptions(plugins, read_with, missing_secrets="error"), Path.cwd())
        if loaded.configuration is None:
            raise ConfigError(loaded.errors)
        return cls.from_configuration(loaded.configuration, plugins, env=read_with, **options)

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

        After `stop` it can be started once more, also in another event loop. Raises StoreError or PluginError in one
        sentence when it cannot.
        """
        if self._run is not None:
            self._run.check_loop()
            raise UsageError("this runtime runs already")
        self._egress.reopen()
        await self._parts.store.open()
        try:
            needed = {step.action for hook in self.router.hooks.values() for step in hook.steps}
            await open_actions(self._parts, self._egress, needed, self._actions)
            log_warnings(self.action_reports, self._parts.log)
            run = self._run = Run(self._parts, self._ports, self._egress, self._sources)
            if self._files is not None:
                self._reloader = Reloader(self._files, self._works(run), lambda: self._run is run)
            await run.start(lead=self._deliver)
        except BaseException:
            await self._end(timedelta(0))
            raise

    async def stop(self, drain: timedelta | None = None) -> bool:
        """Claim no more, let attempts under way finish within `drain` (8 s by default) or return them, and close.

        Whether everything under way finished. What did not, is tried again by the next run.
        """
        if self._run is None or not self._run.here:  # a forked process leaves alone what is its parent's
            return True
        self._run.check_loop()
        return await self._end(drain if drain is not None else self._parts.drain)

    async def reload(self) -> ReloadReport:
        """Read the files again and swap to what they say; with any error in them everything stays as it is.

        Attempts under way finish as they began; retries use the hooks as they are then. Raises UsageError for a
        runtime that does not run, or was not made from a file.
        """
        return await self._reloading().reload()

    async def watch(self, tell: Tell | None = None) -> None:
        """Reload whenever the files have changed, until cancelled or stopped; `tell` is called with each report."""
        await self._reloading().watch(tell)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def __reduce__(self) -> str:
        raise UsageError("a runtime cannot be copied, nor sent to another process: make one there")

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
        refuse_reserved(draft)
        [receipt] = await self._running().accept([draft], EMBEDDED_SOURCE)
        return receipt

    async def decide(
        self, type: str, data: Any = None, *, timeout: float = 1, source: str | None = None, subject: str | None = None
    ) -> Decision:
        """Ask the hooks of `mode: decide` before going on; answered within `timeout` seconds, whatever they do.

        The answer is true where it allows. Raises EventError, Overloaded, UsageError.
        """
        draft = EventDraft(type, encode_data(data), source=source, subject=subject)
        self._running().check_loop()
        return await self.decisions.decide(draft, timeout, EMBEDDED_SOURCE)

    async def accept(self, drafts: Sequence[EventDraft], *, default_source: str = HTTP_SOURCE) -> list[Receipt]:
        """Take events from outside; several are all or nothing, and the EventError's `index` says which is at fault.

        They may not claim to come from a declared source.
        """
        check_foreign(drafts, self._parts.sources)
        return await self._running().accept(drafts, default_source)

    async def receive(self, name: str, request: Inbound) -> Reply:
        """Serve a webhook that came in for a declared source, for programs that mount it where they like: what to
        answer, once its event is on disk. Refusals are answers too, as problem documents.
        """
        self._running()
        return await self._inbound.receive(name, request)

    # Hooks

    def on(self, *patterns: str, name: str, **keys: Unpack[HookKeys]) -> Callable[[FunctionT], FunctionT]:
        """Register a function as a hook: `@runtime.on("User.*", name="sync", retry=["5s", "1m"])`.

        It is called with the event (and with the call, where it takes a second argument), as durably as a hook from
        YAML; plain functions run in a thread. `name` is stored with the deliveries: renaming the function changes
        nothing, a new name makes a new hook. The other keys are those of `HookKeys`. Raises UsageError.
        """
        hook = function_hook(name, patterns, keys, self.registry)

        def register(function: FunctionT) -> FunctionT:
            if self.router.get(name) is not None:
                raise UsageError(f"there is a hook named {name!r} already")
            self._actions[hook.steps[0].action] = FunctionAction(name, function)
            self.router.put(hook)
            if self._run is not None:
                self._run.take_up_soon(hook)
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
    def inbound(self) -> InboundDoor:
        """The sources that senders reach by HTTP, and what came in for them."""
        return self._inbound

    @property
    def decisions(self) -> DecisionDoor:
        """Where decisions are asked for."""
        return self._running().decisions

    @property
    def control(self) -> Control:
        """What people do to deliveries: replay, cancel, retry now, and follow them."""
        return self._running().control

    @property
    def mask(self) -> Callable[[str], str]:
        """Hides secrets in a text."""
        return self._masker.mask

    async def _accept(self, drafts: Sequence[EventDraft], source: str) -> list[Receipt]:
        return await self._running().accept(drafts, source)

    def _running(self) -> Run:
        if self._run is None:
            raise UsageError("the runtime does not run: use `async with runtime:`, or `await runtime.start()`")
        self._run.check_process()
        return self._run

    def _reloading(self) -> Reloader:
        self._running()
        if self._reloader is None:
            raise UsageError("this runtime has no files to read again: make it with Runtime.from_file")
        return self._reloader

    def _works(self, run: Run) -> Works:
        return Works(self._parts, self._ports, self._egress, self._actions, self._masker, self._sources, run.engine)

    async def _end(self, drain: timedelta) -> bool:
        """End what has begun, in an order in which nothing new can begin; the store is closed in any case."""
        run, self._run = self._run, None
        try:
            return run is None or await run.stop(drain)
        finally:
            await self._close_parts()

    async def _close_parts(self) -> None:
        await close_actions(self._actions, self._parts.log)
        try:
            await self._egress.close()
        finally:
            await self._parts.store.close()
            self._ports.close_log()
