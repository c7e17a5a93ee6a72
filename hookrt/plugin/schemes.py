"""The signature schemes that are always there."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from hookrt.plugin.protocols import FRAMING_HEADERS, HEADER_NAME
from hookrt.plugin.rotating_secrets import SigningSecrets
from hookrt.plugin.signature import SchemeSettings, SignatureScheme, ToSign
from hookrt.signing import BODY_SCHEMES, ContentTemplate, SigningKey, hmac_of, sign

_VALUE = re.compile(r"[\x20-\x7e]*")
STANDARD_HEADERS = frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"})
"""The headers of a signature by the Standard Webhooks."""

Encoding = Literal["hex", "base64", "base64url"]
"""How bytes are written as text."""

_OTHERS = FRAMING_HEADERS | STANDARD_HEADERS | {"content-type", "user-agent"}


class StandardSettings(SchemeSettings):
    """Settings of the scheme `standard`."""

    scheme: Literal["standard"] = Field(description="The Standard Webhooks, as `signing_secret` has it")
    secret: SigningSecrets = Field(
        repr=False,
        description="`whsec_...` (v1) or `whsk_...` (v1a, ed25519), one or a list, each with an end `{secret, until}`; "
        "every one signs",
    )


class StandardScheme(SignatureScheme[StandardSettings]):
    """The Standard Webhooks: v1 (HMAC-SHA256) and v1a (ed25519), one signature for each secret."""

    name = "standard"

    def header_names(self, settings: StandardSettings) -> Collection[str]:
        """Those of the specification."""
        return STANDARD_HEADERS

    def sign(self, settings: StandardSettings, secrets: Sequence[str], request: ToSign) -> Mapping[str, str]:
        """All secrets sign."""
        keys = [SigningKey.parse(secret) for secret in secrets]
        return {
            "webhook-id": request.message_id,
            "webhook-timestamp": str(request.timestamp),
            "webhook-signature": sign(keys, request.message_id, request.timestamp, request.body),
        }


class LogtoSettings(SchemeSettings):
    """Settings of the scheme `logto`."""

    scheme: Literal["logto"] = Field(description="Logto's `logto-signature-sha-256`: HMAC-SHA256 of the body, in hex")


class GithubSettings(SchemeSettings):
    """Settings of the scheme `github`."""

    scheme: Literal["github"] = Field(description="GitHub's `X-Hub-Signature-256`: HMAC-SHA256 of the body, in hex")


class _BodySigning(SignatureScheme[Any]):
    """What Logto and GitHub have in common: one signature, of the body alone."""

    def header_names(self, settings: SchemeSettings) -> Collection[str]:
        """The one header."""
        return (BODY_SCHEMES[self.name].header,)

    def sign(self, settings: SchemeSettings, secrets: Sequence[str], request: ToSign) -> Mapping[str, str]:
        """The first secret signs."""
        scheme = BODY_SCHEMES[self.name]
        return {scheme.header: scheme.sign(secrets[0], request.body)}


class LogtoScheme(_BodySigning):
    """As Logto signs its webhooks."""

    name = "logto"
    settings: ClassVar[type[SchemeSettings]] = LogtoSettings


class GithubScheme(_BodySigning):
    """As GitHub signs its webhooks."""

    name = "github"
    settings: ClassVar[type[SchemeSettings]] = GithubSettings


def _check_header(name: str) -> str:
    if not HEADER_NAME.fullmatch(name):
        raise ValueError("this is no header name: letters, digits and '-' make one")
    if name.lower() in _OTHERS:
        raise ValueError(f"{name} is made otherwise, and cannot carry this signature")
    return name


def _check_content(text: str) -> str:
    if not _template(text).uses("body"):
        raise ValueError("the signed bytes must hold {body}: else any body would do")
    return text


def _check_prefix(text: str) -> str:
    ContentTemplate.parse(text, ("id", "timestamp"))
    if not _VALUE.fullmatch(text):
        raise ValueError("it has a character that a header cannot carry")
    return text


@lru_cache(maxsize=256)
def _template(text: str) -> ContentTemplate:
    return ContentTemplate.parse(text)


def _key(secret: str, written: str) -> bytes:
    """The bytes of a key; none where the secret is not written so."""
    try:
        if written == "base64":
            return base64.b64decode(secret + "=" * (-len(secret) % 4), validate=True)
        return bytes.fromhex(secret) if written == "hex" else secret.encode()
    except ValueError:
        return b""


def _encode(digest: bytes, encoding: Encoding) -> str:
    if encoding == "hex":
        return digest.hex()
    if encoding == "base64":
        return base64.b64encode(digest).decode("ascii")
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


HeaderName = Annotated[str, AfterValidator(_check_header)]
"""The name of a header that can carry a signature, or what belongs to one."""


class HmacSettings(SchemeSettings):
    """Settings of the scheme `hmac`: any HMAC, described."""

    scheme: Literal["hmac"] = Field(description="An HMAC as it is described here")
    header: HeaderName = Field(description="The header that carries the signature", examples=["X-Signature"])
    algorithm: Literal["sha256", "sha512", "sha384", "sha1"] = Field(
        "sha256", description="The hash; sha1 only for receivers that know nothing better"
    )
    encoding: Encoding = Field("hex", description="How the signature is written; base64url without its padding")
    prefix: Annotated[str, AfterValidator(_check_prefix)] = Field(
        "",
        description="What stands before the signature, with `{id}` and `{timestamp}` where they are wanted",
        examples=["sha256=", "t={timestamp},v1="],
    )
    content: Annotated[str, AfterValidator(_check_content)] = Field(
        "{body}",
        description="What is signed, with `{body}`, `{timestamp}` (Unix seconds) and `{id}` (the message id)",
        examples=["{timestamp}.{body}", "v0:{timestamp}:{body}"],
    )
    key: Literal["text", "hex", "base64"] = Field(
        "text", description="How the secret is written: its text is the key, or stands for bytes"
    )
    timestamp_header: HeaderName | None = Field(None, description="A header to carry the timestamp")
    id_header: HeaderName | None = Field(None, description="A header to carry the message id")

    @model_validator(mode="after")
    def _apart(self) -> HmacSettings:
        names = [name.lower() for name in (self.header, self.timestamp_header, self.id_header) if name is not None]
        if len(set(names)) < len(names):
            raise ValueError("`header`, `timestamp_header` and `id_header` must be different ones")
        if not all(_key(secret.value, self.key) for secret in self.secret):
            raise ValueError(f"a `secret` is not written in {self.key}, as `key` says")
        return self


class HmacScheme(SignatureScheme[HmacSettings]):
    """An HMAC whose algorithm, encoding, header, prefix and signed bytes are described."""

    name = "hmac"

    def header_names(self, settings: HmacSettings) -> Collection[str]:
        """The header of the signature, and those of timestamp and id where they are wanted."""
        names = (settings.header, settings.timestamp_header, settings.id_header)
        return [name for name in names if name is not None]

    def sign(self, settings: HmacSettings, secrets: Sequence[str], request: ToSign) -> Mapping[str, str]:
        """The first secret signs."""
        message_id = request.message_id.encode("utf-8", "surrogatepass")
        values = {"id": message_id, "timestamp": b"%d" % request.timestamp, "body": request.body}
        content = _template(settings.content).fill(values)
        digest = hmac_of(_key(secrets[0], settings.key), settings.algorithm)(content)
        written = _template(settings.prefix).fill(values).decode() + _encode(digest, settings.encoding)
        headers = {settings.header: written}
        if settings.timestamp_header is not None:
            headers[settings.timestamp_header] = str(request.timestamp)
        if settings.id_header is not None:
            headers[settings.id_header] = request.message_id
        return headers


BUILT_IN: Mapping[str, type[SignatureScheme[Any]]] = {
    scheme.name: scheme for scheme in (StandardScheme, LogtoScheme, GithubScheme, HmacScheme)
}
"""These schemes by name."""
