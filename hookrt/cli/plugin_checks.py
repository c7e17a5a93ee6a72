"""The contract of installed plugins, checked one by one: what `hookrt plugins verify` says of each."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, SecretStr, ValidationError

from hookrt.cli.import_watch import watch_imports
from hookrt.plugin.action import Action
from hookrt.plugin.admission import action_faults, function_faults, scheme_faults, source_faults
from hookrt.plugin.blame import describe_error
from hookrt.plugin.reference import reference_of
from hookrt.plugin.registry import PluginInfo, Registry
from hookrt.plugin.settings import Settings
from hookrt.testing import open_action

State = Literal["ok", "failed", "skipped"]

_SECRET = re.compile(r"(^|_)(password|passwd|passphrase|secret|api_?key|private_?key|token)$")
_HIDDEN = "hookrt-verify-8f41c2"
_SLOWEST_OPEN = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: of which plugin, of which part of it (`action sms`), and what came of it."""

    plugin: str
    part: str
    check: str
    state: State
    message: str = ""


def verify(registry: Registry, plugins: Iterable[PluginInfo]) -> Iterator[Check]:
    """Check these plugins of a registry, in order; nothing that a plugin does raises here."""
    chosen = list(plugins)
    imports = watch_imports([one for one in chosen if one.denied is None])
    for plugin in chosen:
        label = f"{plugin.distribution}:{plugin.entry_point}"
        if plugin.denied is not None:
            yield Check(label, "plugin", "loads", "skipped", plugin.denied)
            continue
        yield _listed(label, "plugin", "loads", plugin.errors)
        if not plugin.errors:
            yield _listed(label, "plugin", "its import does nothing but define things", imports.get(label, ()))
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
    yield _tried(label, part, "hides its secrets", lambda: _secret_faults(brought))
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


def _models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """A model and every model in its fields."""
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for one in _types(field.annotation):
            if isinstance(one, type) and issubclass(one, BaseModel):
                yield from _models(one, seen)


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in get_args(annotation):
        yield from _types(argument)


def _secret_faults(brought: Any) -> Iterator[str]:
    """A setting that is named like a secret has to be one, and one that is must not be in what a model shows."""
    service = getattr(brought, "service_settings", None)
    for top in (brought.settings, *([service] if service is not None else ())):
        for model in _models(top, set()):
            yield from _faults_of_model(model)


def _faults_of_model(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        types = set(map(str, _types(field.annotation)))
        plain = {str(str), str(bytes)} & types and not {str(SecretStr)} & types
        is_name = "SecretName" in str(field.metadata) or "_check_secret_name" in str(field.metadata)
        if plain and _SECRET.search(name) and not is_name:
            yield f"`{name}` of {model.__name__} is plain text: make it a hookrt.plugin.Secret (or a SecretName)"
        if str(SecretStr) in types:
            filled: dict[str, Any] = {name: SecretStr(_HIDDEN)}
            made = model.model_construct(None, **filled)
            shown = f"{made!r} {made!s} {made.model_dump_json(include={name}, warnings=False)}"
            if _HIDDEN in shown:
                yield f"{model.__name__} shows the value of `{name}`"


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
