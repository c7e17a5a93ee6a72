"""What can be set on a webhook step."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from hookrt.actions.webhook.formats import FORMATS
from hookrt.actions.webhook.prepared import Prepared
from hookrt.actions.webhook.url import check_path
from hookrt.plugin import (
    SUCCESS,
    BodyFormat,
    DestinationName,
    Failures,
    KnownDestinations,
    Settings,
    Signings,
    SigningSecrets,
    Statuses,
    check_url,
    written_origin,
)


def _check_signed(headers: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    """Raises when one of these headers is made by a signature, of the step or of its destination."""
    data, known = info.data, info.context
    makers = {name for signing in data.get("signing", ()) for name in signing.header_names}
    if (written := FORMATS.get(data.get("format", "standard"))) is not None:
        makers |= written.reserved
    if isinstance(known, KnownDestinations):
        key = data.get("to") or written_origin(data.get("url") or "")
        makers |= known.signed.get(key or "", frozenset())
    for name in headers:
        if name.lower() in makers:
            by = "destination's `auth`" if name.lower() == "authorization" else "signature"
            message = f"the header {{header}} is made by the {by} and cannot be set by hand"
            raise PydanticCustomError("reserved_header", message, {"header": name})
    return headers


class WebhookSettings(Settings):
    """Settings of `webhook`. Exactly one of `to` and `url` says where it goes."""

    to: DestinationName | None = Field(
        None,
        description="The name of an entry of `destinations:`, which brings the URL, its headers and signing secrets.",
    )
    url: Annotated[str, AfterValidator(check_url)] | None = Field(
        None,
        description=(
            "Where to send, an http or https URL. Public addresses only, unless a local origin is written out here. "
            "A webhook that is only a text means this."
        ),
        examples=["https://example.com/hooks"],
    )
    path: Annotated[str, AfterValidator(check_path)] | None = Field(
        None, description="What to append to the destination's URL; goes with `to`.", examples=["/contacts"]
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field("POST", description="The HTTP method.")
    signing: Signings = Field(
        (),
        description=(
            "Signs the request by another scheme: `{scheme: NAME, secret: ...}`, or a list of these. Schemes: `logto` "
            "and `github` (HMAC-SHA256 of the body), `hmac` (described: algorithm, encoding, header, prefix, signed "
            "bytes), `standard`, and those of plugins. Where the destination makes the same header, this one counts."
        ),
        examples=[{"scheme": "github", "secret": "${{ secrets.CRM_KEY }}"}],
    )
    format: BodyFormat | None = Field(
        None,
        description=(
            "How the event is written: `standard` (by default: `{type, timestamp, data}` as the Standard Webhooks have "
            "it), `cloudevents` (structured), `cloudevents-binary`, `raw` (the event's data as it came, with its "
            "content type), `logto` (as Logto's own webhooks). Without one, that of the destination. Goes without "
            "`body`."
        ),
    )
    headers: Annotated[dict[str, str], AfterValidator(_check_signed)] = Field(
        default_factory=dict,
        description=(
            "Headers to add to those of the destination. The content type of the body can be set here; what frames "
            "the message and the signature headers cannot."
        ),
    )
    query: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="Parameters to append to the URL's query."
    )
    body: JsonValue = Field(
        None,
        description=(
            "The body: a text goes out as it is, anything else as JSON. Without one, POST, PUT and PATCH send the "
            "event, written as `format` says, and GET and DELETE nothing."
        ),
    )
    signing_secret: SigningSecrets = Field(
        (),
        description=(
            "Signs the request by the Standard Webhooks, beside the destination's own secrets: one secret "
            "(`whsec_...`, or `whsk_...` for ed25519), or a list during a rotation, each with an optional end "
            "`{secret, until}`."
        ),
    )

    success: Statuses = Field(
        SUCCESS,
        description="The statuses that are a success: classes, codes and ranges, one or a list. By default 2xx.",
        examples=["2xx", ["2xx", 404]],
    )
    retry_on: Failures | None = Field(
        None,
        description=(
            "The failures that are tried again: statuses as in `success`, `timeout`, `connect` (dns, refused, reset, "
            "tls), `redirect`, `too-large`, `protocol`. Any other one is final. By default all but 410 are."
        ),
        examples=[["5xx", 429, 408, "timeout", "connect"]],
    )

    @model_validator(mode="after")
    def _one_place(self) -> WebhookSettings:
        if (self.to is None) == (self.url is None):
            raise ValueError("set exactly one of `to` (a destination) and `url`")
        if self.path is not None and self.to is None:
            raise ValueError("`path` goes with `to`; with `url`, write the path into the URL")
        if self.format is not None and self.has_body:
            raise ValueError("`format` says how the event is written, `body` what is sent instead: set one of them")
        return self

    @property
    def has_body(self) -> bool:
        """Whether a body was written, be it `null`."""
        return "body" in self.model_fields_set

    @cached_property
    def memo(self) -> Memo:
        """A place for what was made ready from these settings; a fixed step's are the same instance every time."""
        return Memo()


class Memo:
    """What was made ready from one instance of the settings, and with which destination."""

    __slots__ = ("prepared",)

    def __init__(self) -> None:
        self.prepared: Prepared | None = None
