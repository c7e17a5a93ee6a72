"""What the loaded plugins brought, by name, and what went wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from hookrt.errors import PluginError
from hookrt.model.cel_function import CelFunction
from hookrt.plugin.action import Action
from hookrt.plugin.admission import action_faults, source_faults
from hookrt.plugin.observer import Observer
from hookrt.plugin.protocols import Secrets
from hookrt.plugin.rules import OWN_DISTRIBUTION
from hookrt.plugin.schemes import BUILT_IN
from hookrt.plugin.signature import SignatureScheme
from hookrt.plugin.source import Source

_MOST_ABSENT = 5
"""Plugins that a message names at most."""

_Kind = Literal["action", "source", "signature scheme", "function"]


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One plugin: the entry point, the distribution that it comes from, what it brought or why it did not.

    `actions`, `sources`, `signature_schemes` and `functions` are the names it claims, also those that another
    distribution claims too. `denied` says which line of `service.plugins` keeps it from being loaded.
    """

    entry_point: str
    distribution: str
    version: str
    module: str
    actions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    signature_schemes: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    denied: str | None = None

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}".rstrip()

    @property
    def label(self) -> str:
        """How it is told from all others: `hookrt-sms:sms`."""
        return f"{self.distribution}:{self.entry_point}"


@dataclass(slots=True)
class Registry:
    """All actions, sources and signature schemes by name, each also as `dist:name`.

    A name that two distributions claim belongs to neither: it is in `ambiguous` with both, and `dist:name` says
    which. `refused` says of a class that was not let in, by the name that it claims, why.
    """

    actions: dict[str, type[Action[Any]]] = field(default_factory=dict)
    sources: dict[str, type[Source[Any]]] = field(default_factory=dict)
    schemes: dict[str, type[SignatureScheme[Any]]] = field(default_factory=lambda: dict(BUILT_IN))
    functions: tuple[CelFunction, ...] = ()
    secret_providers: list[Secrets] = field(default_factory=list)
    observers: list[Observer] = field(default_factory=list)
    plugins: list[PluginInfo] = field(default_factory=list)
    ambiguous: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    _owners: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict, repr=False)

    def add_action(self, brought: type[Action[Any]], distribution: str = "") -> None:
        """Register an action from code. Raises PluginError when it is unfit, or its name is taken."""
        self._check_free("action", brought, action_faults)
        self.claim_action(brought, distribution)

    def add_source(self, brought: type[Source[Any]], distribution: str = "") -> None:
        """Register a source from code. Raises PluginError when it is unfit, or its name is taken."""
        self._check_free("source", brought, source_faults)
        self.claim_source(brought, distribution)

    def claim_action(self, brought: type[Action[Any]], distribution: str) -> str | None:
        """Enter a fit action; returns a complaint, and changes nothing, if this distribution has the name already."""
        return self._claim("action", self.actions, brought, distribution)

    def claim_source(self, brought: type[Source[Any]], distribution: str) -> str | None:
        """Enter a fit source; returns a complaint, and changes nothing, if this distribution has the name already."""
        return self._claim("source", self.sources, brought, distribution)

    def claim_scheme(self, brought: type[SignatureScheme[Any]], distribution: str) -> str | None:
        """Enter a fit signature scheme; likewise, and hookrt's own names are taken."""
        if brought.name in BUILT_IN:
            return f"the signature scheme {brought.name!r} is one of hookrt's own"
        return self._claim("signature scheme", self.schemes, brought, distribution)

    def claim_function(self, brought: CelFunction, distribution: str) -> str | None:
        """Enter a function of expressions. Of a name that comes twice there is none: the complaint, if any."""
        name, holders = brought.name, self.holders("function", brought.name)
        self._owners["function", name] = (*holders, distribution)
        if not holders:
            self.functions = (*self.functions, brought)
            return None
        self.functions = tuple(one for one in self.functions if one.name != name)
        owners = " and ".join(holder or "this program" for holder in (*holders, distribution))
        return f"the function {name}() is brought by {owners}, so that there is none: deny one in `service.plugins`"

    def absentees(self) -> str:
        """The plugins that bring nothing, since somebody denied them or they failed, and why; empty without any."""
        foreign = [plugin for plugin in self.plugins if plugin.distribution != OWN_DISTRIBUTION]
        absent = [_denial(plugin) if plugin.denied else _failure(plugin) for plugin in foreign if _brings_none(plugin)]
        return "; ".join(absent[:_MOST_ABSENT])

    def why_no_function(self) -> str:
        """What to say of a function that does not exist: plugins that are not there, names that come twice."""
        twice = [name for (kind, name), holders in self._owners.items() if kind == "function" and len(holders) > 1]
        clashes = [f"the function {name}() is brought by several plugins" for name in twice[:_MOST_ABSENT]]
        return "; ".join(part for part in (self.absentees(), *clashes) if part)

    def why_missing(self, name: str) -> str | None:
        """A sentence on why a plugin that might have brought this name did not; None when nothing is known."""
        if name in self.ambiguous:
            return f"several plugins bring {name!r}: write {self.choices(name)}"
        if name in self.refused:
            return self.refused[name]
        for plugin in self.plugins:
            if plugin.denied and name in _likely_names(plugin):
                return _denial(plugin)
            if plugin.errors and name in _likely_names(plugin):
                return _failure(plugin)
        return None

    def choices(self, name: str) -> str:
        """How to write an ambiguous name: `acme:sms or hookrt-sms:sms`."""
        return " or ".join(f"{distribution}:{name}" for distribution in self.ambiguous[name])

    def holders(self, kind: _Kind, name: str) -> tuple[str, ...]:
        """The distributions that brought this name, sorted; `""` stands for the embedding program."""
        return self._owners.get((kind, name), ())

    def _claim(self, kind: _Kind, table: dict[str, type[Any]], brought: type[Any], distribution: str) -> str | None:
        name: str = brought.name
        holders = self.holders(kind, name)
        if distribution in holders:
            return f"the {kind} {name!r} is brought twice"
        self._owners[kind, name] = holders = tuple(sorted((*holders, distribution)))
        if distribution:
            table[f"{distribution}:{name}"] = brought
        if len(holders) == 1:
            table[name] = brought
        else:
            table.pop(name, None)
            self.ambiguous[name] = holders
        return None

    def _check_free(self, kind: _Kind, brought: type[Any], faults_of: Callable[[object], list[str]]) -> None:
        if faults := faults_of(brought):
            raise PluginError(f"{getattr(brought, '__qualname__', brought)} cannot be used: {'; '.join(faults)}")
        if holders := self._owners.get((kind, brought.name)):
            owners = " and ".join(holder or "this program" for holder in holders)
            raise PluginError(f"the {kind} {brought.name!r} cannot be added: {owners} brought one of that name")


def _denial(plugin: PluginInfo) -> str:
    return f"the plugin {plugin.entry_point!r} of {plugin} is {plugin.denied}"


def _failure(plugin: PluginInfo) -> str:
    return f"the plugin {plugin} failed to load: {plugin.errors[0]}"


def _brings_none(plugin: PluginInfo) -> bool:
    """Whether it was denied, or failed as a whole, so that nobody knows what it would have brought."""
    brought = plugin.actions or plugin.sources or plugin.signature_schemes or plugin.functions
    return bool(plugin.denied or (plugin.errors and not brought))


def _likely_names(plugin: PluginInfo) -> set[str]:
    """The names that a plugin which failed to load would probably have brought."""
    plain = plugin.distribution.removeprefix("hookrt-").replace("-", "_")
    return {plugin.entry_point, plugin.distribution, plain, f"{plugin.distribution}:{plugin.entry_point}"}
