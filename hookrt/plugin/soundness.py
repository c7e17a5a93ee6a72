"""What settings models should be beside admissible: they hide their secrets, and accept their own defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, get_args

from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

_SECRET = re.compile(r"(^|_)(password|passwd|passphrase|secret|api_?key|private_?key|token)$")
_HIDDEN = "hookrt-verify-8f41c2"


def secret_faults(brought: Any) -> Iterator[str]:
    """A setting that is named like a secret has to be one, and one that is must not be in what a model shows."""
    for model in models_of(brought):
        yield from _faults_of_model(model)


def default_faults(brought: Any) -> Iterator[str]:
    """A default, which pydantic takes as it is, has to be what its type gives: no `"15s"` for a Duration."""
    for model in models_of(brought):
        for name, field in model.model_fields.items():
            if field.default is not None and field.default is not PydanticUndefined:
                yield from (
                    f"the default of `{name}` of {model.__name__} {fault}" for fault in _faults_of_default(field)
                )


def _faults_of_default(field: FieldInfo) -> Iterator[str]:
    written: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    try:
        read = TypeAdapter(written).validate_python(field.default)
    except ValidationError:  # a default may say what nobody can write: an empty list, for "there is none"
        return
    if type(read) is not type(field.default) and not isinstance(field.default, int):
        yield f"is of the type {type(field.default).__name__}, and `run` gets it so: give the {type(read).__name__}"


def models_of(brought: Any) -> Iterator[type[BaseModel]]:
    """Every settings model of a class, those for the service and those inside others with them."""
    seen: set[type[BaseModel]] = set()
    service = getattr(brought, "service_settings", None)
    for top in (brought.settings, *([service] if service is not None else ())):
        yield from _models(top, seen)


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
