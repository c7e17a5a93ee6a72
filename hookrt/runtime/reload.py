"""Taking a changed configuration into a running runtime: validated whole, swapped whole, or not at all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from hookrt.clock import from_us
from hookrt.config.load import Configuration, Loaded
from hookrt.config.sources import SourceEntry
from hookrt.delivery.engine import Engine
from hookrt.delivery.ports import Ports
from hookrt.delivery.redefine import Redefined, find_moved
from hookrt.egress import Egress
from hookrt.errors import HookrtError, UsageError
from hookrt.matching.router import Router
from hookrt.model.hook import Destination, Hook, Place
from hookrt.model.problem import Problem, Severity
from hookrt.plugin.action import Action
from hookrt.plugin.settings import Settings
from hookrt.plugin.threads import run_in_thread
from hookrt.runtime.action_reports import ActionReport, log_warnings, report_actions
from hookrt.runtime.changes import compare, differing_settings
from hookrt.runtime.config_files import ConfigFiles, Reading
from hookrt.runtime.reload_report import ReloadReport
from hookrt.runtime.source_runs import SourceRuns
from hookrt.runtime.watch import Watch
from hookrt.runtime.wiring import Parts, close_actions, open_actions
from hookrt.secrets.masking import Masker

FILE = "file"
"""The provider of the hooks that come from files."""

EMPTIED = "no hook is left, as if the file had been cut short: to take all hooks away, write `hooks: {}`"
"""Why a file in which nothing stands is not taken in place of one with hooks."""

MAX_LOGGED = 20
"""Problems that the log line of a rejected configuration shows."""

Tell = Callable[[ReloadReport], object]


@dataclass(slots=True)
class Works:
    """What a running runtime consists of, as far as a reload changes it."""

    parts: Parts
    ports: Ports
    egress: Egress
    actions: dict[str, Action[Any]]
    masker: Masker
    sources: SourceRuns
    engine: Engine


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A configuration ready to be swapped in: what to say of it, what it means for deliveries, its hooks indexed."""

    report: ReloadReport
    change: Redefined
    router: Router


class Reloader:
    """Reloads one run of a runtime; several reloads at once take turns. `last` is what the latest one did."""

    def __init__(self, files: ConfigFiles, works: Works, running: Callable[[], bool]) -> None:
        self._files = files
        self._works = works
        self._running = running
        self._turn = asyncio.Lock()
        self.last: ReloadReport | None = None

    async def reload(self) -> ReloadReport:
        """Read the files and swap to what they say; with any error in them everything stays as it is.

        Raises UsageError when the runtime was stopped meanwhile.
        """
        async with self._turn:
            reading = await self._read()
            self._check_running()
            report = await self._take(reading)
            self.last = report
            self._tell(report)
            return report

    async def watch(self, tell: Tell | None = None) -> None:
        """Reload whenever the files have changed, until cancelled or the runtime stops; `tell` gets each report."""
        watch = Watch()
        while self._running():
            await self._works.parts.clock.sleep(watch.pause_s)
            now = await run_in_thread(self._files.look)
            if not watch.decide(now, self._files.seen) or not self._running():
                continue
            report = await self.reload()
            if tell is not None:
                tell(report)

    async def _read(self) -> Reading:
        """In a thread, since it takes seconds with many hooks, and events come in meanwhile."""
        try:
            reading: Reading = await run_in_thread(self._files.read)
        except Exception as error:
            return Reading(Loaded(None, (self._problem(f"it cannot be read: {error!r}"),)), self._works.parts.env)
        return reading

    async def _take(self, reading: Reading) -> ReloadReport:
        wanted = reading.loaded.configuration
        if wanted is None:
            return self._reject(reading.loaded.problems)
        if wanted.empty and self._present().hooks:
            return self._reject((self._problem(EMPTIED),))
        opened: dict[str, Action[Any]] = {}
        try:
            restart, wanted = self._keep_service(wanted)
            prepared: _Prepared = await run_in_thread(partial(self._prepare, wanted))
            self._learn_secrets(wanted)
            await self._open(wanted, reading, opened)
            retired = self._swap(wanted, reading, prepared, opened)
        except Exception as error:  # also a plugin's, or our own: what runs must go on
            await close_actions(opened, self._works.parts.log)
            self._check_running()
            text = str(error) if isinstance(error, HookrtError) else f"it cannot be used: {error!r}"
            return self._reject((*reading.loaded.problems, self._problem(text)))
        except BaseException:
            await close_actions(opened, self._works.parts.log)
            raise
        self._follow(prepared)
        threading.Thread(target=_dissolve, args=retired, name="hookrt reload", daemon=True).start()
        problems = (*prepared.report.problems, *self._action_warnings())
        return replace(prepared.report, at=self._now(), needs_restart=restart, problems=problems)

    def _keep_service(self, wanted: Configuration) -> tuple[tuple[str, ...], Configuration]:
        """The settings that a restart would change, and the configuration with those that are in use.

        Where secrets come from is taken as it is now, and so are the settings of actions that were not needed yet.
        """
        present = self._present().service
        opened = {name: found for name, found in present.actions.items() if name in self._works.actions}
        actions = {**wanted.service.actions, **{name: self._keep_action(name, opened[name], wanted) for name in opened}}
        kept = present.model_copy(update={"secrets": wanted.service.secrets, "actions": actions})
        return differing_settings(kept, wanted.service, "service"), replace(wanted, service=kept)

    def _keep_action(self, name: str, used: Settings, wanted: Configuration) -> Settings:
        """The settings that an opened action has, with those that only its steps are read with as they are now."""
        new = wanted.service.actions.get(name)
        if new is None:
            return used
        taken = {key: getattr(new, key) for key in self._works.actions[name].step_defaults if hasattr(new, key)}
        return used.model_copy(update=taken)

    def _prepare(self, wanted: Configuration) -> _Prepared:
        """In a thread: all that takes longer the more hooks there are."""
        old, router = self._present(), self._works.ports.router
        report = self._compare(old, wanted)
        before = {hook.name: hook for hook in old.hooks}
        moved = find_moved(before, {hook.name: hook for hook in wanted.hooks})
        hooks = report.hooks
        change = Redefined(FILE, hooks.removed, hooks.added + hooks.changed, moved)
        return _Prepared(report, change, router.prepare(FILE, wanted.hooks))

    def _compare(self, old: Configuration, new: Configuration) -> ReloadReport:
        destinations = _without_places(old.destinations.values()), _without_places(new.destinations.values())
        return ReloadReport(
            self._now(),
            accepted=True,
            problems=new.warnings,
            hooks=compare(old.fingerprints, new.fingerprints),
            destinations=compare(*destinations),
            sources=compare(_without_places(old.sources), _without_places(new.sources)),
        )

    def _learn_secrets(self, wanted: Configuration) -> None:
        """Before anybody can log one of them; those that are not used any more stay masked."""
        self._works.masker.learn(wanted.secrets.masker)
        wanted.secrets.masker = self._works.masker

    async def _open(self, wanted: Configuration, reading: Reading, opened: dict[str, Action[Any]]) -> None:
        """Open what is needed newly, with the settings of then."""
        works = self._works
        needed = {step.action for hook in wanted.hooks for step in hook.steps} - works.actions.keys()
        await open_actions(replace(works.parts, configuration=wanted, env=reading.env), works.egress, needed, opened)

    def _swap(
        self, wanted: Configuration, reading: Reading, prepared: _Prepared, opened: dict[str, Action[Any]]
    ) -> tuple[Router, list[Hook]]:
        """Everything at once, letting nobody run between; what can fail comes first and changes nothing.

        Returns what nobody uses any more.
        """
        self._check_running()
        works, old = self._works, self._present()
        before = works.ports.router.adopt(FILE, prepared.router)
        works.actions.update(opened)
        works.parts.configuration, works.parts.env = wanted, reading.env
        works.ports.env, works.ports.destinations = reading.env, wanted.destinations
        works.ports.secret = wanted.secrets.require
        return before, list(old.hooks)

    def _follow(self, prepared: _Prepared) -> None:
        """What was made from the configuration before follows the one that is in use now."""
        self._works.engine.lanes.refresh()
        self._works.engine.redefine_soon(prepared.change)
        self._works.sources.follow()

    def _reject(self, problems: Sequence[Problem]) -> ReloadReport:
        return ReloadReport(self._now(), accepted=False, problems=tuple(problems))

    def _tell(self, report: ReloadReport) -> None:
        works = self._works
        if not report.accepted:
            told = "; ".join(_brief(problem) for problem in report.problems[:MAX_LOGGED])
            works.parts.log.error("config-rejected", count=len(report.problems), problems=told)
        elif report.needs_restart:
            works.parts.log.warning("config-needs-restart", settings=", ".join(report.needs_restart))
        if report.accepted:
            log_warnings(self._action_reports(), works.parts.log)
        works.ports.observer.configuration_read(accepted=report.accepted)
        works.engine.announcer.announce(report.event_type, report.as_data())

    def _action_reports(self) -> dict[str, ActionReport]:
        return report_actions(self._works.actions, self._works.masker.mask)

    def _action_warnings(self) -> list[Problem]:
        told = [(name, text) for name, report in self._action_reports().items() for text in report.warnings]
        return [replace(self._problem(f"action {name}: {text}"), severity=Severity.WARNING) for name, text in told]

    def _now(self) -> datetime:
        return from_us(self._works.parts.clock.now_us())

    def _present(self) -> Configuration:
        configuration = self._works.parts.configuration
        assert configuration is not None
        return configuration

    def _problem(self, text: str) -> Problem:
        return Problem(Place(str(self._files.path), 0, 0), self._works.masker.mask(text))

    def _check_running(self) -> None:
        if not self._running():
            raise UsageError("the runtime was stopped while its configuration was read")


def _without_places(named: Iterable[Destination | SourceEntry]) -> dict[str, Destination | SourceEntry]:
    """By name, so that what only stands elsewhere in the files is equal to what it was."""
    return {one.name: replace(one, place=None) for one in named}


def _brief(problem: Problem) -> str:
    return f"{problem.place}: {problem.severity.value}: {problem.message}"


def _dissolve(router: Router, hooks: list[Hook]) -> None:
    """Let go of what was in use, bit by bit: freeing all of it at once would hold up the event loop."""
    router.dissolve()
    while hooks:
        hooks.pop()
