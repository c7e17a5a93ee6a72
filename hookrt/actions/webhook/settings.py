"""What can be set on a webhook step."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, model_validator

from hookrt.actions.webhook.prepared import Prepared
from hookrt.actions.webhook.url import check_path, check_url
from hookrt.plugin import SUCCESS, DestinationName, Failures, Settings, SigningSecrets, Statuses


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
    headers: dict[str, str] = Field(
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
            "The body: a text goes out as it is, anything else as JSON. Without one, POST, PUT and PATCH send "
            "`{type, timestamp, data}` of the event, as the Standard Webhooks have it, and GET and DELETE nothing."
        ),
    )
    signing_secret: SigningSecrets = Field(
        (),
        description=(
            "Signs the request, beside the destination's own secrets: one secret (`whsec_...`), or a list during a "
            "rotation, each with an optional end `{secret, until}`."
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
