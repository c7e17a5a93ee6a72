"""The settings that every source of webhooks has."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
)
from pydantic_core import CoreSchema

from hookrt.plugin.protocols import FRAMING_HEADERS, HEADER_NAME
from hookrt.plugin.settings import Settings, Size

_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_EMPTY = (204, 205)


def _as_tuple(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(value)
    return (value,)


def _check_secret(secret: SecretStr) -> SecretStr:
    """What an empty line of a file leaves is a key that anybody would try."""
    if not secret.get_secret_value().strip():
        raise ValueError("the secret is nothing but white space")
    return secret


class _SecretsSchema:
    """How `InboundSecrets` is described: one text, or a list."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(source)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        text = {"type": "string", "minLength": 1}
        return {"anyOf": [text, {"type": "array", "minItems": 1, "items": text}]}


HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")]
"""The name of a header, in any case."""

_OneSecret = Annotated[SecretStr, Field(min_length=1), AfterValidator(_check_secret)]
InboundSecrets = Annotated[tuple[_OneSecret, ...], Field(min_length=1), BeforeValidator(_as_tuple), _SecretsSchema()]
"""What requests are verified with: one secret, or a list during a rotation, any of which verifies."""


def check_reply_headers(headers: dict[str, str]) -> dict[str, str]:
    """Headers that an answer can carry; raises ValueError naming one that it cannot."""
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
        if name.lower() in FRAMING_HEADERS:
            raise ValueError(f"{name!r} cannot be set: it says where the answer ends, or how it is sent")
        if not _VALUE.fullmatch(value):
            raise ValueError(f"the value of {name!r} has a character that no header can carry")
    return headers


class Respond(Settings):
    """What a sender is answered with, once its event is stored."""

    status: int = Field(200, ge=200, le=299, description="the HTTP status, 200 to 299")
    headers: Annotated[dict[str, str], AfterValidator(check_reply_headers)] = Field(
        default_factory=dict, description="headers of the answer"
    )
    body: Any = Field(None, description="its body: a text as it is, anything else as JSON")

    def model_post_init(self, _: Any) -> None:
        """A body where none can be is a mistake."""
        if self.status in _EMPTY and self.body is not None:
            raise ValueError(f"an answer {self.status} has no body")


class OpenInboundSettings(Settings):
    """The settings of every source of webhooks, but for the secret; for a source that may go without one."""

    # most sources are never declared, and each takes milliseconds
    model_config: ClassVar[ConfigDict] = ConfigDict(defer_build=True)

    max_body: Size | None = Field(
        None, gt=0, description="the largest body that is taken, like 2MiB; by default what the sender allows itself"
    )
    type: str | None = Field(
        None, description="the event's type, as a CEL expression over `body`, `headers`, `query` and `event`"
    )
    subject: str | None = Field(None, description="the event's subject, as a CEL expression")
    id: str | None = Field(
        None,
        description="what a repeated delivery has in common with the first, as a CEL expression; by default the "
        "sender's delivery id, or the hash of the body",
    )
    respond: Respond | None = Field(None, description="what the sender is answered with: status, headers, body")


class InboundSettings(OpenInboundSettings):
    """The settings of every source of webhooks that verifies with secrets."""

    secret: InboundSecrets = Field(
        description='what the sender signs with, best as "${{ secrets.NAME }}"; a list during a rotation'
    )

    @property
    def plain_secrets(self) -> tuple[str, ...]:
        """The secrets as text, never to be shown."""
        return tuple(one.get_secret_value() for one in self.secret)
