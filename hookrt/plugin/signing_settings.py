"""The type of the setting `signing`: one signature scheme with its settings, or several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, SecretStr, ValidationError, ValidationInfo
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, PydanticKnownError, core_schema

from hookrt.plugin.schemes import BUILT_IN, HmacSettings
from hookrt.plugin.settings import KnownDestinations
from hookrt.plugin.signature import SignatureScheme, Signing


class _SigningsSchema:
    """How `Signings` is validated and described; `written_model` has the keys that an entry can have."""

    written_model: ClassVar[type[BaseModel]] = HmacSettings

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        one = core_schema.with_info_plain_validator_function(_read_one)
        listed = core_schema.no_info_before_validator_function(_as_list, core_schema.list_schema(one, min_length=1))
        hidden = core_schema.plain_serializer_function_ser_schema(_shown)
        return core_schema.no_info_after_validator_function(_apart, listed, serialization=hidden)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        forms: list[Any] = [handler(scheme.settings.__pydantic_core_schema__) for scheme in BUILT_IN.values()]
        other = {"type": "string", "not": {"enum": list(BUILT_IN)}, "description": "The scheme of a plugin"}
        forms.append({"type": "object", "properties": {"scheme": other}, "required": ["scheme", "secret"]})
        return {"anyOf": [*forms, {"type": "array", "minItems": 1, "items": {"anyOf": forms}}]}


Signings = Annotated[tuple[Signing, ...], _SigningsSchema]
"""`{scheme: NAME, secret: ...}` with what the scheme takes besides, or a list of these."""


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _read_one(value: Any, info: ValidationInfo) -> Signing:
    if isinstance(value, Signing):
        return value
    if not isinstance(value, Mapping):
        raise PydanticKnownError("dict_type")
    scheme = _find_scheme(value, info)
    settings = scheme.settings.model_validate_json(_encode(dict(value)), context=info.context)
    return Signing.of(scheme, settings)


def _find_scheme(value: Mapping[str, Any], info: ValidationInfo) -> type[SignatureScheme[Any]]:
    known = {**BUILT_IN, **(info.context.schemes if isinstance(info.context, KnownDestinations) else {})}
    if "scheme" not in value:
        raise _wrong({"type": "missing", "loc": ("scheme",), "input": None})
    name = value["scheme"]
    if not isinstance(name, str) or name not in known:
        *most, last = (repr(one) for one in known)
        expected = {"expected": f"{', '.join(most)} or {last}"}
        raise _wrong({"type": "literal_error", "loc": ("scheme",), "input": None, "ctx": expected})
    return known[name]


def _shown(signings: tuple[Signing, ...]) -> list[dict[str, str]]:
    """What may be shown of it: no secret."""
    return [{"scheme": one.scheme.name, "secret": "***"} for one in signings]


def _wrong(error: InitErrorDetails) -> ValidationError:
    return ValidationError.from_exception_data("signing", [error], hide_input=True)


def _encode(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value, enc_hook=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    raise TypeError(f"a setting cannot be {type(value).__name__}")


def _apart(signings: list[Signing]) -> tuple[Signing, ...]:
    """Each header is made by one of them."""
    taken: set[str] = set()
    for one in signings:
        if both := sorted(taken & one.header_names):
            raise PydanticCustomError(
                "same_header", "two of them make the header {header}; several secrets go into one", {"header": both[0]}
            )
        taken |= one.header_names
    return tuple(signings)
