"""The source `hmac`: senders that sign with an HMAC of their own making, as the settings describe it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hookrt.plugin import (
    ContentTemplate,
    HeaderName,
    Inbound,
    InboundSource,
    Received,
    Refused,
    Source,
    check_age,
    hmac_digests,
    impl,
    matches_any,
    seconds_of,
)
from hookrt.sources.encodings import Encoding, decode
from hookrt.sources.reading import as_sent, moment_of, name_of
from hookrt.sources.signed import TimedSettings
from hookrt.sources.untyped import event_of

_MILLISECONDS = 100_000_000_000  # as seconds, this would be the year 5138
_NAMES = ("body", "timestamp", "id", "url", "method")


@lru_cache(maxsize=256)
def _template(text: str) -> ContentTemplate:
    return ContentTemplate.parse(text, _NAMES)


def _check_content(text: str) -> str:
    if not _template(text).uses("body"):
        raise ValueError("{body} has to be part of what is signed: else any body would do")
    return text


class HmacSettings(TimedSettings):
    """How the sender signs, and with which `secret`."""

    header: HeaderName = Field(description="The header with the signature")
    algorithm: Literal["sha256", "sha512", "sha384", "sha1"] = Field(
        default="sha256", description="The hash of the HMAC; sha1 only for senders that know no better"
    )
    encoding: Encoding = Field(default="hex", description="How the signature is written")
    prefix: str = Field(default="", description="What stands before the signature, like sha256=")
    content: Annotated[str, AfterValidator(_check_content)] = Field(
        default="{body}", description="What is signed: {body}, {timestamp}, {id}, {url} and {method} in a text"
    )
    key: Literal["text", "hex", "base64"] = Field(
        default="text", description="How the secret is written: its text is the key, or stands for bytes"
    )
    timestamp_header: HeaderName | None = Field(
        default=None, description="The header with the time of the signature: Unix seconds or milliseconds, or ISO 8601"
    )
    id_header: HeaderName | None = Field(default=None, description="The header with the id of the delivery")
    type_header: HeaderName | None = Field(default=None, description="The header with the type of the event")

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        content = _template(self.content)
        if content.uses("timestamp") and self.timestamp_header is None:
            raise ValueError("`content` has {timestamp}: say in `timestamp_header` where it stands")
        if self.timestamp_header is not None and not content.uses("timestamp"):
            raise ValueError("`timestamp_header` proves nothing unless `content` has {timestamp}")
        if content.uses("id") and self.id_header is None:
            raise ValueError("`content` has {id}: say in `id_header` where it stands")
        if any(decode(secret, self.key) in (None, b"") for secret in self.plain_secrets if self.key != "text"):
            raise ValueError(f"a `secret` is not written in {self.key}, as `key` says")
        return self


class Hmac(InboundSource[HmacSettings]):
    """Senders with an HMAC of their own: which header, algorithm and encoding, and what is signed, is described."""

    name = "hmac"

    def receive(self, request: Inbound, settings: HmacSettings) -> Received:
        """The event of whatever the body is; raises Refused."""
        given = _signature(request, settings)
        expected = hmac_digests(settings.algorithm, _keys(settings), _signed(request, settings))
        if not matches_any(given, expected):
            raise Refused("bad-signature", f"{settings.header} does not match: another secret, or a changed body")
        if settings.timestamp_header is not None:
            check_age(_sent(request, settings.timestamp_header.lower()), request.received, settings.tolerance)
        kind = request.headers.get(settings.type_header.lower(), "") if settings.type_header else ""
        return event_of(request, kind=kind.strip(), identity=_identity(request, settings))


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `hmac`."""
    return [Hmac]


def _signature(request: Inbound, settings: HmacSettings) -> bytes:
    header = settings.header.lower()
    written = request.require(header).strip()
    signature = decode(written.removeprefix(settings.prefix), settings.encoding)
    if not written.startswith(settings.prefix) or not signature:
        form = f"{settings.prefix!r} and a signature" if settings.prefix else "a signature"
        raise Refused("bad-signature", f"the header {header} must be {form} in {settings.encoding}")
    return signature


def _keys(settings: HmacSettings) -> list[str | bytes]:
    if settings.key == "text":
        return list(settings.plain_secrets)
    return [decode(secret, settings.key) or b"" for secret in settings.plain_secrets]


def _signed(request: Inbound, settings: HmacSettings) -> bytes:
    """What the sender has signed, with the headers' own bytes; raises Refused for one that is missing."""
    content = _template(settings.content)
    values = {"body": request.body, "url": request.url.encode(), "method": request.method.encode()}
    for name, header in (("timestamp", settings.timestamp_header), ("id", settings.id_header)):
        if header is not None and content.uses(name):
            values[name] = as_sent(request.require(header.lower()))
    return content.fill(values)


def _sent(request: Inbound, header: str) -> float:
    written = request.require(header)
    if written.isdigit():
        seconds = seconds_of(written, header)
        return seconds / 1000 if seconds >= _MILLISECONDS else seconds
    moment = moment_of(written)
    if moment is None:
        raise Refused("malformed", f"{header} is no time: neither a number since 1970 nor ISO 8601 with a zone")
    return moment.timestamp()


def _identity(request: Inbound, settings: HmacSettings) -> str | None:
    return name_of(request.headers.get(settings.id_header.lower())) if settings.id_header else None
