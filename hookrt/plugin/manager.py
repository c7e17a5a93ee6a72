"""Finds and loads plugins, each so guarded that a broken one costs itself only.

pluggy checks the signatures; the implementations are called one by one here, since pluggy's own call loses all answers
to one raising implementation and leaves an async one un-awaited.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from hookrt.plugin import admission, spec
from hookrt.plugin.blame import describe_error, one_line
from hookrt.plugin.registry import PluginInfo, Registry
from hookrt.plugin.rules import OWN_DISTRIBUTION, PluginRules, normalized

_Faults = Callable[[object], list[str]]
_POINTS: dict[str, tuple[str, _Faults]] = {
    "hookrt_actions": ("action", admission.action_faults),
    "hookrt_sources": ("source", admission.source_faults),
    "hookrt_secret_providers": ("secret provider", admission.secret_provider_faults),
    "hookrt_observers": ("observer", admission.observer_faults),
    "hookrt_signature_schemes": ("signature scheme", admission.scheme_faults),
    "hookrt_functions": ("function", admission.function_faults),
}
_SHAPE = '`name = "package.module"`'
_T = TypeVar("_T")


@dataclass(slots=True)
class _Plugin:
    """A plugin while it is loaded; `brought` holds the admitted classes and objects by plugin point."""

    entry_point: str
    distribution: str
    version: str
    module: str
    brought: dict[str, list[Any]] = field(default_factory=lambda: {point: [] for point in _POINTS})
    refused: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    denied: str | None = None

    def try_to(self, what: str, call: Callable[[], _T]) -> _T | None:
        """The value of a call into foreign code; None, and an error noted, when it raises anything at all."""
        try:
            return call()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also SystemExit: a plugin that exits on import must not end the service
            self.errors.append(f"{what}: {describe_error(error)}")
            return None


def installed_plugins() -> Sequence[EntryPoint]:
    """The entry points of all installed plugins, none of them imported."""
    return tuple(importlib.metadata.entry_points(group=spec.ENTRY_POINT_GROUP))


def plugin_of(point: EntryPoint) -> PluginInfo:
    """What is known of a plugin without importing it."""
    [(about, _)] = _in_order([point])
    return PluginInfo(about.entry_point, about.distribution, about.version, about.module)


def load_plugins(
    entry_points: Iterable[EntryPoint] | None = None,
    extra: Sequence[ModuleType] = (),
    rules: PluginRules | None = None,
    *,
    tell: Callable[[str], None] = lambda _label: None,
) -> Registry:
    """Load the entry points of the group `hookrt` (all installed ones by default), and the modules in `extra`.

    Those that `rules` deny are listed, and not even imported. Nothing that a plugin does raises here: what went wrong
    stands in `Registry.plugins`. The result depends only on what is installed: plugins are taken in the order of their
    distributions' names. `tell` hears the label of each before it is imported.
    """
    manager = pluggy.PluginManager("hookrt")
    manager.add_hookspecs(spec)
    found = installed_plugins() if entry_points is None else entry_points
    plugins = [_load(manager, one, about, rules, tell) for about, one in _in_order(found)]
    for module in extra:
        about = _Plugin(module.__name__, module.__name__, "", module.__name__)
        _collect(manager, about, module)
        plugins.append(about)
    return _register(plugins)


def _in_order(found: Iterable[EntryPoint]) -> list[tuple[_Plugin, EntryPoint]]:
    identities: dict[int, tuple[str, str]] = {}
    known: list[tuple[_Plugin, EntryPoint]] = []
    for point in found:
        distribution = point.dist
        if id(distribution) not in identities:  # reading the metadata costs a millisecond
            identities[id(distribution)] = _identity(distribution)
        name, version = identities[id(distribution)]
        module = point.value.partition(":")[0].strip()
        known.append((_Plugin(point.name, name or module.partition(".")[0], version, module), point))
    return sorted(known, key=lambda pair: (pair[0].distribution, pair[0].entry_point, pair[0].module))


def _identity(distribution: Distribution | None) -> tuple[str, str]:
    """Name (normalized, as in `dist:name`) and version of a distribution; empty where they cannot be read."""
    if distribution is None:
        return "", ""
    try:
        metadata = distribution.metadata
        name, version = metadata["Name"], metadata["Version"]
    except Exception:  # damaged metadata; the plugin itself may be fine
        return "", ""
    return normalized(name or ""), version or ""


def _load(
    manager: pluggy.PluginManager,
    point: EntryPoint,
    about: _Plugin,
    rules: PluginRules | None,
    tell: Callable[[str], None],
) -> _Plugin:
    about.denied = rules.why_denied(about.distribution, about.entry_point) if rules is not None else None
    if about.denied is not None:
        return about
    if not point.pattern.match(point.value):
        about.errors.append(one_line(f"its entry point is {point.value!r}, which names no module: write {_SHAPE}"))
        return about
    tell(f"{about.distribution}:{about.entry_point}")
    module = about.try_to("it cannot be imported", point.load)
    if module is not None:
        _collect(manager, about, module)
    elif not about.errors:
        about.errors.append(f"the entry point names {point.value!r}, which is None")
    return about


def _collect(manager: pluggy.PluginManager, about: _Plugin, module: Any) -> None:
    """Call the plugin's implementations, one by one, and keep what is fit."""
    if other := manager.get_name(module):
        about.errors.append(f"it names the same module as the entry point {other}")
        return
    label = f"{about.entry_point} of {about.distribution}"
    if about.try_to("it does not fit the plugin points", lambda: manager.register(module, label)) is None:
        return
    callers = manager.get_hookcallers(module) or []
    unknown = [caller.name for caller in callers if not caller.has_spec()]
    about.errors.extend(_no_such_point(name) for name in unknown)
    implementations = [
        (point, implementation)
        for point in _POINTS
        for implementation in getattr(manager.hook, point).get_hookimpls()
        if implementation.plugin is module
    ]
    if not implementations and not unknown:
        about.errors.append(f"it implements no plugin point: mark {_listed(_POINTS)} with @hookrt.plugin.impl")
    for point, implementation in implementations:
        for thing in _answers(about, point, implementation):
            _admit(about, point, thing)


def _no_such_point(name: str) -> str:
    near = difflib.get_close_matches(name, _POINTS, n=1)
    return f"{name} is no plugin point" + (f": did you mean {near[0]}?" if near else f"; there are {_listed(_POINTS)}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _answers(about: _Plugin, point: str, implementation: pluggy.HookImpl) -> list[Any]:
    function = implementation.function
    if implementation.hookwrapper or implementation.wrapper:
        about.errors.append(f"{point} is a wrapper: it must be a plain function that returns a list")
    elif inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        about.errors.append(f"{point} is async: it must be a plain function that returns a list")
    else:
        return about.try_to(f"{point} failed", lambda: _listed_answer(function())) or []
    return []


def _listed_answer(returned: Any) -> list[Any]:
    """What an implementation returned, as a list; raises TypeError saying what it should have been."""
    if inspect.iscoroutine(returned):
        returned.close()  # else Python warns that nobody awaited it
        raise TypeError("it returned a coroutine; it must return a list")
    if isinstance(returned, (str, bytes, type)) or not isinstance(returned, Iterable):
        raise TypeError(f"it must return a list, not {type(returned).__name__}")
    return list(returned)


def _admit(about: _Plugin, point: str, thing: Any) -> None:
    kind, faults_of = _POINTS[point]
    shown = thing.__qualname__ if isinstance(thing, type) else type(thing).__qualname__
    faults = about.try_to(f"the {kind} {shown} cannot be examined", lambda: faults_of(thing))
    if faults == []:
        about.brought[point].append(thing)
        return
    complaints = [one_line(f"the {kind} {shown} cannot be used: {fault}") for fault in faults or ()]
    about.errors.extend(complaints)
    if name := about.try_to(f"the name of {shown} cannot be read", lambda: admission.name_of(thing)):
        why = f"the plugin {about.distribution} {about.version} brings {name!r}, but {about.errors[-1]}"
        about.refused |= {name: why, f"{about.distribution}:{name}": why}


def _register(plugins: Sequence[_Plugin]) -> Registry:
    registry = Registry()
    for plugin in plugins:
        _claim(registry, plugin)
        registry.secret_providers.extend(plugin.brought["hookrt_secret_providers"])
        registry.observers.extend(plugin.brought["hookrt_observers"])
        registry.refused.update(plugin.refused)
    registry.plugins.extend(_info(registry, plugin) for plugin in plugins)
    return registry


def _claim(registry: Registry, plugin: _Plugin) -> None:
    complaints = [registry.claim_action(one, plugin.distribution) for one in plugin.brought["hookrt_actions"]]
    complaints += [registry.claim_source(one, plugin.distribution) for one in plugin.brought["hookrt_sources"]]
    complaints += [registry.claim_function(one, plugin.distribution) for one in plugin.brought["hookrt_functions"]]
    schemes = plugin.brought["hookrt_signature_schemes"]
    complaints += [registry.claim_scheme(one, plugin.distribution) for one in schemes]
    plugin.errors.extend(complaint for complaint in complaints if complaint)


def _info(registry: Registry, plugin: _Plugin) -> PluginInfo:
    actions = tuple(dict.fromkeys(one.name for one in plugin.brought["hookrt_actions"]))
    sources = tuple(dict.fromkeys(one.name for one in plugin.brought["hookrt_sources"]))
    schemes = tuple(dict.fromkeys(one.name for one in plugin.brought["hookrt_signature_schemes"]))
    functions = tuple(dict.fromkeys(one.name for one in plugin.brought["hookrt_functions"]))
    claims = [registry.holders("action", name) for name in actions]
    claims += [registry.holders("source", name) for name in sources]
    claims += [registry.holders("signature scheme", name) for name in schemes]
    clashes = [
        f"{name!r} is brought by {' and '.join(holders)}: write {plugin.distribution}:{name}"
        for name, holders in zip((*actions, *sources, *schemes), claims, strict=True)
        if len(holders) > 1 and plugin.distribution != OWN_DISTRIBUTION
    ]
    return PluginInfo(
        plugin.entry_point,
        plugin.distribution,
        plugin.version,
        plugin.module,
        actions,
        sources,
        (*plugin.errors, *clashes),
        schemes,
        functions,
        plugin.denied,
    )
