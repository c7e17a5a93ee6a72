"""Whose code it is that holds the event loop, or a task: the plugin by name and distribution, and the place in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from hookrt.delivery.run_attempt import is_over
from hookrt.observability.stack_lines import frames_of, stack_lines
from hookrt.plugin.action import Action, ActionCall
from hookrt.plugin.at_work import AtWork, work_of
from hookrt.plugin.inbound import InboundSource
from hookrt.plugin.observer import Observer
from hookrt.plugin.registry import Registry
from hookrt.plugin.source import Source, SourceRun
from hookrt.runtime.functions import PREFIX, FunctionAction
from hookrt.runtime.wiring import Parts

THIS_PROGRAM = "this program"
"""Where what no distribution brought comes from."""

_CALLERS = (
    "hookrt.delivery.",
    "hookrt.runtime.",
    "asyncio.events",
    "asyncio.base_events",
    "asyncio.runners",
)
"""Modules that call plugins: what stands further out than one of them is not the plugin's."""

_KINDS = (Action, Source, InboundSource, Observer, object)


@dataclass(frozen=True, slots=True)
class Culprit:
    """An `action`, a `source` or an `observer`, by name; `plugin` is its distribution with the version.

    `hook` and `step` are those of the attempt, where it is one. `stack` is where it stands, the innermost line last.
    """

    kind: str
    name: str
    plugin: str
    hook: str | None = None
    step: str | None = None
    stack: tuple[str, ...] = ()

    @property
    def fields(self) -> dict[str, Any]:
        """For a line of the log."""
        named = {self.kind: self.name, "plugin": self.plugin, "hook": self.hook, "step": self.step}
        shown = {key: value for key, value in named.items() if value is not None}
        return {**shown, "stack": " > ".join(self.stack)} if self.stack else shown


@dataclass(frozen=True, slots=True)
class _Owner:
    kind: str
    name: str
    brought: type[Any]
    module: str

    def wrote(self, frame: FrameType) -> bool:
        """Whether this is its own code."""
        return _package(_module_of(frame)) == _package(self.module)


class Culprits:
    """Finds out whose code something is, among the plugins of one runtime. Its methods may be called in any thread."""

    def __init__(self, parts: Parts, actions: Mapping[str, Action[Any]]) -> None:
        self._parts = parts
        self._actions = actions

    def of_stack(self, task: asyncio.Task[Any] | None, frame: FrameType) -> Culprit | None:
        """Who is at work; None when it is no plugin, and while something is imported, which happens only once."""
        frames = list(frames_of(frame))
        if any(one.f_code.co_filename.startswith("<frozen importlib") for one in frames):
            return None
        work = work_of(task)
        owner = self._owner_by_code(frames, work)
        if owner is None:
            return None
        within = _within(frames, owner)
        under_way = isinstance(work, ActionCall) and not is_over(work)
        if not under_way and not any(owner.wrote(one) for one in within):
            return None  # the engine, in a task that was made on behalf of a plugin
        hook, step = (work.hook, work.step) if isinstance(work, ActionCall) and owner.kind == "action" else (None, None)
        stack = stack_lines(within, owner.wrote)
        return Culprit(owner.kind, owner.name, self._plugin_of(owner), hook, step, stack)

    def of_work(self, work: AtWork) -> Culprit:
        """Whose attempt, or source, this is."""
        owner = self._owner_of(work)
        hook, step = (work.hook, work.step) if isinstance(work, ActionCall) else (None, None)
        return Culprit(owner.kind, owner.name, self._plugin_of(owner), hook, step)

    def package_of(self, work: AtWork) -> str:
        """The outermost package of the code that does it."""
        return _package(self._owner_of(work).module)

    def _owner_by_code(self, frames: list[FrameType], work: AtWork | None) -> _Owner | None:
        """The observer or inbound source that is on the stack, else whose task it is, else the action on the stack."""
        known = {code: owner for owner in self._owners() for code in _codes_of(owner.brought)}
        found = next((known[one.f_code] for one in frames if one.f_code in known), None)
        if work is not None and (found is None or found.kind != "observer"):
            return self._owner_of(work)
        return found

    def _owner_of(self, work: AtWork) -> _Owner:
        if isinstance(work, SourceRun):
            entry = next((one for one in self._parts.sources if one.name == work.name), None)
            brought = entry.plugin if entry is not None else Source
            return _Owner("source", work.name, brought, brought.__module__)
        opened = self._actions.get(work.action)
        brought_by = type(opened) if opened is not None else Action
        module = opened.module if isinstance(opened, FunctionAction) else brought_by.__module__
        return _Owner("action", work.action, brought_by, module)

    def _owners(self) -> Iterator[_Owner]:
        for name, action in dict(self._actions).items():
            if not isinstance(action, FunctionAction):
                yield _Owner("action", name, type(action), type(action).__module__)
        for entry in self._parts.sources:
            yield _Owner("source", entry.name, entry.plugin, entry.plugin.__module__)
        for observer in list(self._parts.registry.observers):
            yield _Owner("observer", type(observer).__name__, type(observer), type(observer).__module__)

    def _plugin_of(self, owner: _Owner) -> str:
        if owner.name.startswith(PREFIX):
            return THIS_PROGRAM
        return plugin_of(self._parts.registry, owner.module)


def plugin_of(registry: Registry, module: str) -> str:
    """The distribution that a module came with, and its version."""
    package = _package(module)
    return next((str(one) for one in registry.plugins if _package(one.module) == package), THIS_PROGRAM)


def _codes_of(brought: type[Any]) -> Iterator[CodeType]:
    for one in brought.__mro__:
        if one not in _KINDS:
            for value in vars(one).values():
                code = getattr(getattr(value, "__func__", value), "__code__", None)
                if isinstance(code, CodeType):
                    yield code


def _within(frames: list[FrameType], owner: _Owner) -> list[FrameType]:
    """The frames that are the plugin's doing, the innermost first."""
    for number, one in enumerate(frames):
        module = _module_of(one)
        if module.startswith(_CALLERS) and module != owner.module:
            return frames[:number] or frames[:1]
    return frames


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _package(module: str) -> str:
    return module.partition(".")[0]
