"""What a plugin's classes and objects must be like to be let in; each function gives all faults, in words."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Set
from datetime import timedelta
from typing import Any

from hookrt.model.cel_function import MAX_OVERLOADS, CelFunction
from hookrt.model.policy import RetryPolicy
from hookrt.plugin.action import Action
from hookrt.plugin.blame import FAULTS, describe_error
from hookrt.plugin.inbound import InboundSource
from hookrt.plugin.inbound_settings import OpenInboundSettings
from hookrt.plugin.settings import Settings
from hookrt.plugin.signature import SchemeSettings, SignatureScheme
from hookrt.plugin.source import Source

STEP_KEYS = frozenset({"id", "when", "timeout", "retry", "max_retry_after", "continue_on_error"})
"""The keys that a step takes beside its action, which therefore cannot be an action's name."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

_FUNCTION = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
_TAKEN = """
    as break const continue else false for function if import in let loop null package namespace return true var
    void while event steps hook env secrets body headers query optional strings math list map int uint double
    bool string bytes null_type type dyn get has size contains startsWith endsWith matches lowerAscii upperAscii
    trim replace split join substring indexOf lastIndexOf charAt reverse format timestamp duration getFullYear
    getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds getMilliseconds all
    exists exists_one filter orValue or hasValue value optMap optFlatMap
"""
_RESERVED = frozenset(_TAKEN.split())
"""CEL's own words, types and functions, and the names at the root of every path."""

_PLAIN = ("expect_checks", "timeout_of_steps", "check", "lane", "facts", "warnings")


def action_faults(brought: object) -> list[str]:
    """Why this cannot be an action; empty when it can."""
    if not isinstance(brought, type) or not issubclass(brought, Action) or brought is Action:
        return [f"{_shown(brought)} is no subclass of hookrt.plugin.Action"]
    return [
        *_name_faults(brought),
        *_model_faults(brought, "settings"),
        *(_model_faults(brought, "service_settings") if brought.service_settings is not None else ()),
        *(_value_faults(brought) or _key_faults(brought)),
        *_method_faults(brought, awaited=("run", "open", "close"), plain=_PLAIN),
        *_making_faults(brought),
    ]


def source_faults(brought: object) -> list[str]:
    """Why this cannot be a source; empty when it can."""
    if not isinstance(brought, type) or not issubclass(brought, Source) or brought in (Source, InboundSource):
        return [f"{_shown(brought)} is no subclass of hookrt.plugin.Source"]
    inbound = issubclass(brought, InboundSource)
    return [
        *_name_faults(brought),
        *_model_faults(brought, "settings"),
        *_short_faults(brought),
        *(_inbound_faults(brought) if inbound else _method_faults(brought, awaited=("run",), plain=("types",))),
        *_making_faults(brought),
    ]


def secret_provider_faults(brought: object) -> list[str]:
    """Why this cannot be asked for secrets; empty when it can."""
    return _object_faults(brought, "get")


def observer_faults(brought: object) -> list[str]:
    """Why this cannot be told of attempts; empty when it can."""
    return _object_faults(brought, "attempt_recorded")


def scheme_faults(brought: object) -> list[str]:
    """Why this cannot be a signature scheme; empty when it can."""
    if not isinstance(brought, type) or not issubclass(brought, SignatureScheme) or brought is SignatureScheme:
        return [f"{_shown(brought)} is no subclass of hookrt.plugin.SignatureScheme"]
    model: Any = brought.settings
    own = isinstance(model, type) and issubclass(model, SchemeSettings)
    missing = [name for name in ("header_names", "sign") if getattr(brought, name) is getattr(SignatureScheme, name)]
    awaited = [name for name in ("header_names", "sign") if _is_async(getattr(brought, name))]
    return [
        *_name_faults(brought),
        *_model_faults(brought, "settings"),
        *([] if own else ["its settings are no subclass of hookrt.plugin.SchemeSettings"]),
        *(f"it has no `{name}`" for name in missing),
        *(f"its `{name}` must be a plain `def`, not async" for name in awaited),
        *_making_faults(brought),
    ]


def function_faults(brought: object) -> list[str]:
    """Why this cannot be a function of expressions; empty when it can."""
    if not isinstance(brought, CelFunction):
        return [f"{_shown(brought)} is no CelFunction: make it with @hookrt.plugin.cel_function"]
    faults = []
    if not _FUNCTION.fullmatch(brought.name):
        faults.append(f"its name is {brought.name!r}: it must be letters, digits and '_', a letter first, at most 64")
    if brought.name in _RESERVED:
        faults.append(f"its name is {brought.name!r}, which means something in every expression")
    if (count := len(brought.overloads())) > MAX_OVERLOADS:
        faults.append(f"it takes {count} combinations of types: {MAX_OVERLOADS} at most, so give types in place of Any")
    return faults


def name_of(brought: object) -> str | None:
    """The name that a class claims, where it is a text at all."""
    name = getattr(brought, "name", None)
    return name if isinstance(name, str) else None


def _name_faults(brought: type[Any]) -> list[str]:
    name = getattr(brought, "name", None)
    if name is None:
        return ["it has no `name`"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return [f"its name is {name!r}: it must be lower case letters, digits and '_', a letter first, at most 64"]
    if name in STEP_KEYS and issubclass(brought, Action):
        return [f"its name is {name!r}, which is a key of every step"]
    return []


def _model_faults(brought: type[Any], which: str) -> list[str]:
    model = getattr(brought, which, None)
    if model is None:
        return ["it has no settings model: write Action[YourSettings] (or Source[YourSettings])"]
    if not isinstance(model, type) or not issubclass(model, Settings):
        return [f"its {which} are {_shown(model)}, which is no subclass of hookrt.plugin.Settings"]
    if brought.__module__.startswith("hookrt."):
        return []  # ours give one, as tests say; making it takes milliseconds
    try:
        model.model_json_schema()
    except FAULTS as error:
        return [f"its {which} give no JSON Schema: {describe_error(error)}"]
    return []


def _keys_of(brought: type[Any]) -> set[str]:
    model = getattr(brought, "settings", None)
    if not isinstance(model, type) or not issubclass(model, Settings):
        return set()
    return {key for name, field in model.model_fields.items() for key in (name, field.alias) if key}


def _short_faults(brought: type[Any]) -> list[str]:
    short = brought.short
    if short is None or short in _keys_of(brought):
        return []
    return [f"its `short` is {short!r}, which is none of its settings"]


def _key_faults(brought: type[Action[Any]]) -> list[str]:
    unknown = sorted(str(key) for key in set(brought.static) - _keys_of(brought))
    faults = [f"its `static` names {key!r}, which is none of its settings" for key in unknown]
    unknown = sorted(str(key) for key in set(brought.html) - _keys_of(brought))
    faults += [f"its `html` names {key!r}, which is none of its settings" for key in unknown]
    for file, target in brought.text_files.items():
        if file in _keys_of(brought):
            faults.append(f"its `text_files` names {file!r}, which is one of its settings")
        if target not in brought.static:
            faults.append(f"its `text_files` leads to {target!r}, which is none of its `static` settings")
    return [*_short_faults(brought), *faults]


def _value_faults(brought: type[Action[Any]]) -> list[str]:
    wanted: tuple[tuple[str, Any], ...] = (
        ("retry", RetryPolicy),
        ("default_timeout", (timedelta, type(None))),
        ("reasons", Mapping),
        ("text_files", Mapping),
        ("step_defaults", Set),
    )
    return [
        f"its `{name}` is {_shown(getattr(brought, name))}, which is of the wrong kind"
        for name, kind in wanted
        if not isinstance(getattr(brought, name), kind)
    ]


def _method_faults(brought: type[Any], awaited: tuple[str, ...], plain: tuple[str, ...]) -> list[str]:
    if brought.run in (Action.run, Source.run):
        return ["it has no `run`"]
    return [
        *(f"its `{name}` is no `async def`" for name in awaited if not _is_async(getattr(brought, name))),
        *(f"its `{name}` must be a plain `def`, not async" for name in plain if _is_async(getattr(brought, name))),
    ]


def _inbound_faults(brought: type[Any]) -> list[str]:
    """A source that is asked at each request needs no `run`, and answers at once."""
    model, methods, most = getattr(brought, "settings", None), brought.methods, brought.max_body
    awaited = [name for name in ("receive", "types") if _is_async(getattr(brought, name))]
    faults = [f"its `{name}` must be a plain `def`, not async" for name in awaited]
    if brought.receive is InboundSource.receive:
        faults.append("it has no `receive`")
    if brought.run is not Source.run and not _is_async(brought.run):
        faults.append("its `run` is no `async def`")
    if isinstance(model, type) and issubclass(model, Settings) and not issubclass(model, OpenInboundSettings):
        faults.append("its settings are no subclass of hookrt.plugin.InboundSettings")
    if not isinstance(most, int) or most < 1:
        faults.append(f"its `max_body` is {most!r}, which is no number of bytes")
    if not isinstance(methods, Set) or not methods or not all(isinstance(one, str) for one in methods):
        faults.append("its `methods` is no set of HTTP methods")
    return faults


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(inspect.unwrap(function)) if callable(function) else False


def _making_faults(brought: type[Any]) -> list[str]:
    if inspect.isabstract(brought):
        return ["it is abstract"]
    made_by: tuple[Any, Any] = (brought.__new__, brought.__init__)
    if made_by == (object.__new__, object.__init__):
        return []  # as most are; reading the signature of a built-in takes 10 ms
    try:
        inspect.signature(brought).bind()
    except TypeError:
        return ["it cannot be made without arguments: what it needs comes to `open`, not to `__init__`"]
    except ValueError:  # a signature that cannot be read; making one will tell
        return []
    return []


def _object_faults(brought: object, method: str) -> list[str]:
    if isinstance(brought, type):
        return [f"{_shown(brought)} is a class: return an object of it"]
    found = getattr(brought, method, None)
    if not callable(found):
        return [f"{_shown(brought)} has no method `{method}`"]
    return [f"its `{method}` must be a plain `def`, not async"] if _is_async(found) else []


def _shown(thing: object) -> str:
    return thing.__qualname__ if isinstance(thing, type) else f"an object of {type(thing).__qualname__}"
