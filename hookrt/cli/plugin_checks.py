"""The contract of installed plugins, checked one by one: what `hookrt plugins verify` says of each."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from hookrt.cli.import_watch import Watched, watch_imports
from hookrt.plugin.action import Action
from hookrt.plugin.admission import action_faults, function_faults, scheme_faults, source_faults
from hookrt.plugin.blame import describe_error
from hookrt.plugin.manager import installed_plugins, load_plugins, plugin_of
from hookrt.plugin.reference import reference_of
from hookrt.plugin.registry import PluginInfo, Registry
from hookrt.plugin.rules import PluginRules
from hookrt.plugin.settings import Settings
from hookrt.plugin.soundness import default_faults, secret_faults
from hookrt.testing import open_action

State = Literal["ok", "failed", "skipped"]

_SLOWEST_OPEN = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: of which plugin, of which part of it (`action sms`), and what came of it."""

    plugin: str
    part: str
    check: str
    state: State
    message: str = ""


def load_watched(rules: PluginRules | None) -> tuple[Registry, Mapping[str, Watched]]:
    """Load the plugins that may be loaded, each first in a process of its own, where it can hang or end it."""
    points = [(plugin_of(one), one) for one in installed_plugins()]
    watched = watch_imports([one for plugin, one in points if rules is None or not _is_denied(plugin, rules)])
    lost = {label: one.lost for label, one in watched.items() if one.lost is not None}
    registry = load_plugins([one for plugin, one in points if plugin.label not in lost], rules=rules)
    registry.plugins.extend(
        replace(plugin, errors=(lost[plugin.label],)) for plugin, _ in points if plugin.label in lost
    )
    return registry, watched


def _is_denied(plugin: PluginInfo, rules: PluginRules) -> bool:
    return rules.why_denied(plugin.distribution, plugin.entry_point) is not None


def verify(registry: Registry, plugins: Iterable[PluginInfo], watched: Mapping[str, Watched]) -> Iterator[Check]:
    """Check these plugins of a registry, in order; nothing that a plugin does raises here.

    `watched` is what was seen when they were loaded in a process of their own.
    """
    for plugin in plugins:
        label = plugin.label
        if plugin.denied is not None:
            yield Check(label, "plugin", "loads", "skipped", plugin.denied)
            continue
        yield _listed(label, "plugin", "loads", plugin.errors)
        if not plugin.errors and label in watched:
            yield _listed(label, "plugin", "its import does nothing but define things", watched[label].does)
        for part, brought in _parts(registry, plugin):
            yield from _check_part(label, part, brought)


def _parts(registry: Registry, plugin: PluginInfo) -> Iterator[tuple[str, Any]]:
    own = plugin.distribution
    for name in plugin.actions:
        yield f"action {name}", registry.actions.get(f"{own}:{name}")
    for name in plugin.sources:
        yield f"source {name}", registry.sources.get(f"{own}:{name}")
    for name in plugin.signature_schemes:
        yield f"signature scheme {name}", registry.schemes.get(f"{own}:{name}")
    for name in plugin.functions:
        yield f"function {name}", next((one for one in registry.functions if one.name == name), None)


def _check_part(label: str, part: str, brought: Any) -> Iterator[Check]:
    kind = part.rpartition(" ")[0]
    if brought is None:
        yield Check(label, part, "is registered", "failed", "another plugin has the name")
        return
    if kind == "function":
        yield _tried(label, part, "fits the plugin point", lambda: function_faults(brought))
        yield _listed(label, part, "says what it does", () if brought.about else ("it needs a docstring",))
        return
    faults = {"action": action_faults, "source": source_faults}.get(kind, scheme_faults)
    yield _tried(label, part, "fits the plugin point", lambda: faults(brought))
    described = () if (brought.__doc__ or "").strip() else ("it needs a docstring",)
    yield _listed(label, part, "says what it does", described)
    yield _tried(label, part, "has a JSON Schema and a reference", lambda: _schema_faults(kind, brought))
    yield _tried(label, part, "hides its secrets", lambda: secret_faults(brought))
    yield _tried(label, part, "has defaults of the types of its settings", lambda: default_faults(brought))
    if kind != "signature scheme":
        yield _tried(label, part, "has a short form that is enough", lambda: _short_faults(brought))
    if kind == "action":
        yield _opened(label, part, brought)


def _listed(label: str, part: str, check: str, faults: Iterable[str]) -> Check:
    found = list(faults)
    return Check(label, part, check, "failed" if found else "ok", "; ".join(found))


def _tried(label: str, part: str, check: str, faults: Callable[[], Iterable[str]]) -> Check:
    try:
        return _listed(label, part, check, faults())
    except Exception as error:
        return Check(label, part, check, "failed", describe_error(error))


def _schema_faults(kind: Any, brought: Any) -> Iterator[str]:
    schema = json.loads(json.dumps(brought.settings.model_json_schema()))
    if schema.get("additionalProperties") is not False:
        yield "unknown keys of its settings must be errors"
    reference_of(kind, brought)


def _short_faults(brought: Any) -> Iterator[str]:
    short = brought.short
    if short is None:
        return
    needed = [name for name, field in brought.settings.model_fields.items() if field.is_required() and name != short]
    if needed:
        yield f"the short form gives only `{short}`, but {', '.join(f'`{one}`' for one in needed)} must be there too"


def _opened(label: str, part: str, action: type[Action[Any]]) -> Check:
    """`open` and `close` with default service settings, in an empty folder."""
    check = "opens and closes"
    if action.service_settings is not None and not _has_defaults(action.service_settings):
        return Check(label, part, check, "skipped", "it needs settings of the service; its own tests give some")

    async def open_and_close() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with asyncio.timeout(_SLOWEST_OPEN), open_action(action, base_dir=Path(folder)):
                pass

    def faults() -> Iterable[str]:
        asyncio.run(open_and_close())
        return ()

    return _tried(label, part, check, faults)


def _has_defaults(model: type[Settings]) -> bool:
    try:
        model.model_validate_json("{}")
    except ValidationError:
        return False
    return True
