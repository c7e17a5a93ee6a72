"""How a destination lets requests in: `auth`, `tls` and `proxy` of its entry."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import quote_plus, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from hookrt.model.access import Access, OAuthClient, Proxy, TlsIdentity
from hookrt.model.origin import written_origin
from hookrt.model.web_url import check_url
from hookrt.plugin.settings import Secret, Settings, check_line

_VISIBLE = re.compile(r"[\x21-\x7e]+")


def _check_secret(value: SecretStr) -> SecretStr:
    check_line(value.get_secret_value())
    return value


def _check_user(user: str) -> str:
    if ":" in user:
        raise ValueError("a user name cannot have a colon in it")
    return check_line(user)


def _check_token(token: SecretStr) -> SecretStr:
    if not _VISIBLE.fullmatch(token.get_secret_value()):
        raise ValueError("a token is one word of visible ASCII characters, without `Bearer` before it")
    return token


def _check_token_url(url: str) -> str:
    try:
        check_url(url)
    except ValueError:
        raise ValueError("it must be an http or https URL with a host, and without a user name in it") from None
    if "#" in url:
        raise ValueError("it cannot have a fragment")
    return url


def _check_proxy(url: SecretStr) -> SecretStr:
    _split_proxy(url.get_secret_value())
    return url


Plain = Annotated[str, AfterValidator(check_line)]
Hidden = Annotated[Secret, AfterValidator(_check_secret)]


class BasicAuth(Settings):
    """A user name and a password."""

    user: Annotated[str, AfterValidator(_check_user)] = Field(description="The user name")
    password: Hidden = Field(description="The password, best as ${{ secrets.NAME }}")


class OAuth2(Settings):
    """Credentials of a client, for which a token endpoint gives a token (OAuth 2, client credentials)."""

    token_url: Annotated[str, AfterValidator(_check_token_url)] = Field(
        description="Where tokens are fetched; a local origin that is written out here may be reached"
    )
    client_id: Plain = Field(description="The client's name")
    client_secret: Hidden = Field(description="The client's secret, best as ${{ secrets.NAME }}")
    scope: Plain | None = Field(default=None, description="The scopes to ask for, separated by spaces")
    audience: Plain | None = Field(default=None, description="The audience to ask for, where the endpoint wants one")
    style: Literal["basic", "post"] = Field(
        default="basic", description="Where name and secret go: into the authorization header, or into the body"
    )


class AuthSettings(Settings):
    """Exactly one way to authenticate; each makes the header `authorization`."""

    basic: BasicAuth | None = Field(default=None, description="A user name and a password")
    bearer: Annotated[Secret, AfterValidator(_check_token)] | None = Field(
        default=None, description="A token, best as ${{ secrets.NAME }}"
    )
    oauth2: OAuth2 | None = Field(
        default=None,
        description="A token of a token endpoint, kept until shortly before it expires and renewed once on 401",
    )

    @model_validator(mode="after")
    def _one(self) -> AuthSettings:
        if sum(one is not None for one in (self.basic, self.bearer, self.oauth2)) != 1:
            raise ValueError("it takes exactly one of `basic`, `bearer` and `oauth2`")
        return self

    @property
    def header(self) -> str | None:
        """The header `authorization`, where it is always the same."""
        if self.basic is not None:
            return f"Basic {_encoded(self.basic.user, self.basic.password.get_secret_value())}"
        return f"Bearer {self.bearer.get_secret_value()}" if self.bearer is not None else None

    def secrets(self) -> Iterator[str]:
        """What must never be shown."""
        if self.basic is not None:
            yield self.basic.password.get_secret_value()
            yield _encoded(self.basic.user, self.basic.password.get_secret_value())
        if self.bearer is not None:
            yield self.bearer.get_secret_value()
        if self.oauth2 is not None:
            secret = self.oauth2.client_secret.get_secret_value()
            yield secret
            yield _encoded(quote_plus(self.oauth2.client_id), quote_plus(secret))


ProxyUrl = Annotated[Secret, AfterValidator(_check_proxy)]
"""`http://user:password@proxy:3128`; user and password may be left out."""


class AccessSettings(Protocol):
    """The part of a destination's settings that is about access."""

    @property
    def auth(self) -> AuthSettings | None:
        """How to authenticate."""
        ...

    @property
    def proxy(self) -> SecretStr | None:
        """The proxy in between."""
        ...


def made_access(name: str, url: str, settings: AccessSettings, tls: TlsIdentity | None) -> Access | None:
    """What goes along with each request, None where headers do."""
    oauth = settings.auth.oauth2 if settings.auth is not None else None
    client = None
    if oauth is not None:
        given = {**dict(oauth), "client_secret": oauth.client_secret.get_secret_value()}
        client = OAuthClient(**given)
    proxy = _split_proxy(settings.proxy.get_secret_value()) if settings.proxy is not None else None
    if client is None and proxy is None and tls is None:
        return None
    return Access(name, written_origin(url) or url, client, tls, proxy)


def secrets_of(settings: AccessSettings) -> Iterator[str]:
    """What must never be shown of these settings, also as it is sent."""
    if settings.auth is not None:
        yield from settings.auth.secrets()
    if settings.proxy is not None:
        proxy = _split_proxy(settings.proxy.get_secret_value())
        if proxy.user is not None:
            yield proxy.password
            yield _encoded(proxy.user, proxy.password)


def written_secrets(settings: Any) -> Iterator[str]:
    """The same of settings as they were written, right or wrong: an error shows the line that it is about."""
    for key, value in settings.items() if isinstance(settings, dict) else ():
        if key == "proxy" and isinstance(value, str):
            yield value.partition("//")[2].rpartition("@")[0].partition(":")[2]
        elif key in {"password", "bearer", "client_secret"} and isinstance(value, str):
            yield value
        elif key in {"auth", "basic", "oauth2"}:
            yield from written_secrets(value)


def _encoded(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def _split_proxy(url: str) -> Proxy:
    """Raises ValueError, without any of the URL, for what is no proxy."""
    wrong = "write it like http://proxy.example.com:3128 or http://user:password@proxy.example.com:3128"
    try:
        parts = urlsplit(check_line(url))
        place = parts.netloc.rpartition("@")[2]
        check_url(f"{parts.scheme}://{place}")
    except ValueError:
        raise ValueError(wrong) from None
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(f"a proxy's URL ends behind its host and port: {wrong}")
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password or "")
    try:
        if user is not None:
            check_line(_check_user(user) + password)
    except ValueError:
        raise ValueError(wrong) from None
    return Proxy(f"{parts.scheme.lower()}://{place}", user, password)
