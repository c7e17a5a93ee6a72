"""Secrets that a rotation overlaps: the types of settings that hold the old one beside the new."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from hookrt.model.hook import SigningSecret
from hookrt.plugin.settings import Settings
from hookrt.signing import SigningKey


def _check_signing_key(secret: str) -> str:
    SigningKey.parse(secret)
    return secret


def _parse_moment(value: Any) -> datetime:
    """An aware time; raises ValueError saying how to write one."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("write a time with its zone, like 2027-01-31T00:00:00Z")
    return moment


class WrittenSecret(Settings):
    """A secret with the time until which it is used; `{secret: ..., until: 2027-01-31T00:00:00Z}`."""

    secret: str = Field(min_length=1, repr=False)
    until: Annotated[datetime, BeforeValidator(_parse_moment), WithJsonSchema({"type": "string"})] | None = None


class WrittenSigningSecret(WrittenSecret):
    """The same for a key of the Standard Webhooks."""

    secret: Annotated[str, AfterValidator(_check_signing_key)] = Field(repr=False)


def _listed_secrets(value: Any) -> list[Any]:
    """One, or several, secrets as a list of mappings; what is neither is left for the model to refuse."""
    several = value if isinstance(value, (list, tuple)) else [value]
    return [one if isinstance(one, dict) else {"secret": _secret_text(one)} for one in several]


def _secret_text(one: Any) -> Any:
    return one.get_secret_value() if isinstance(one, SecretStr) else one


def _made_secrets(written: list[WrittenSecret]) -> tuple[SigningSecret, ...]:
    return tuple(SigningSecret(one.secret, one.until) for one in written)


class _SecretsSchema:
    """How secrets are validated and described; `written_model` is what a mapping in it is read by."""

    written_model: ClassVar[type[WrittenSecret]] = WrittenSecret
    described: ClassVar[str] = "the secret, best as ${{ secrets.NAME }}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.list_schema(handler.generate_schema(cls.written_model), min_length=1)
        listed = core_schema.no_info_before_validator_function(_listed_secrets, written)
        made = core_schema.no_info_after_validator_function(_made_secrets, listed)
        instances = core_schema.tuple_variable_schema(core_schema.is_instance_schema(SigningSecret))
        return core_schema.json_or_python_schema(made, core_schema.union_schema([instances, made]))

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        text = {"type": "string", "description": cls.described}
        until = {"type": "string", "description": "a time with its zone, like 2027-01-31T00:00:00Z"}
        dated = {
            "type": "object",
            "properties": {"secret": text, "until": until},
            "required": ["secret"],
            "additionalProperties": False,
        }
        return {"anyOf": [text, dated, {"type": "array", "minItems": 1, "items": {"anyOf": [text, dated]}}]}


class _SigningSecretsSchema(_SecretsSchema):
    written_model = WrittenSigningSecret
    described = "whsec_ and base64, best as ${{ secrets.NAME }}"


RotatingSecrets = Annotated[tuple[SigningSecret, ...], _SecretsSchema]
"""Secrets of any form: one text, one `{secret, until}`, or a list of these, for a rotation that overlaps."""

SigningSecrets = Annotated[tuple[SigningSecret, ...], _SigningSecretsSchema]
"""The same for keys of the Standard Webhooks, `whsec_...` or `whsk_...`, each checked."""
