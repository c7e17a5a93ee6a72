"""A Redis server: how settings name it, and a client for it."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, model_validator
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from hookrt.plugin import Secret, Settings, TlsSettings, certificate_fault, tls_context

CONNECT_S = 5.0
"""Seconds that a server has to answer when we connect."""

ANSWER_S = 15.0
"""Seconds that it has to answer anything; longer than any command here waits."""

_SCHEMES = ("redis://", "rediss://")


def _check_url(url: Secret) -> Secret:
    try:
        parts, written = urlsplit(url.get_secret_value()), url.get_secret_value().startswith(_SCHEMES)
        whole = written and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        database = parts.path.strip("/")
    except ValueError:
        whole, database = False, ""
    if not whole or parts.query or not (database.isdecimal() or not database):
        raise ValueError("write redis://HOST:6379/0, or rediss://HOST:6379/0 for TLS")
    return url


def is_secure(url: Secret) -> bool:
    """Whether a URL means TLS."""
    return url.get_secret_value().startswith("rediss:")


class ServerSettings(Settings):
    """Which server, and how to reach it."""

    url: Annotated[Secret, AfterValidator(_check_url)] = Field(
        description="The server, like redis://user:password@host:6379/0 or rediss://...; best as ${{ secrets.NAME }}"
    )
    tls: TlsSettings | None = Field(default=None, description="Files, for a server with an authority of its own")

    @model_validator(mode="after")
    def _check_tls(self) -> Self:
        if self.tls is not None and not is_secure(self.url):
            raise ValueError("with `tls` the url begins with rediss:// , since redis:// is plain text")
        return self


def make_client(server: ServerSettings, base_dir: Path) -> Redis:
    """A client that connects when it is used, and again when a connection broke; raises PluginError for bad files."""
    url = server.url.get_secret_value()
    secure = _secure(server.tls, base_dir) if is_secure(server.url) else {}
    return Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_S,
        socket_timeout=ANSWER_S,
        retry=Retry(NoBackoff(), 0),
        client_name="hookrt",
        **secure,
    )


async def drop_idle(client: Redis) -> None:
    """Close the connections that nobody uses: after an error the server has most likely closed them, too."""
    with contextlib.suppress(RedisError, OSError):
        await client.connection_pool.disconnect(inuse_connections=False)


def _secure(tls: TlsSettings | None, base_dir: Path) -> dict[str, Any]:
    """What the client is told: certificates and names are always verified, whatever its defaults are."""
    tls_context(tls, base_dir)  # it makes one of its own for each connection: here it is found out what that would say
    verified = {"ssl_cert_reqs": "required", "ssl_check_hostname": True, "ssl_min_version": ssl.TLSVersion.TLSv1_2}
    if tls is None:
        return verified
    named = {"ssl_ca_certs": tls.ca, "ssl_certfile": tls.certificate, "ssl_keyfile": tls.key or tls.certificate}
    found = {option: str(base_dir / Path(path).expanduser()) for option, path in named.items() if path is not None}
    return {**found, **verified}


def describe(error: BaseException, server: ServerSettings) -> str:
    """What went wrong and what to do, without a secret."""
    parts = urlsplit(server.url.get_secret_value())
    place = f"{parts.hostname}:{parts.port or 6379}"
    said = str(error) or type(error).__name__
    for secret in {parts.password or "", unquote(parts.password or "")} - {""}:
        said = said.replace(secret, "***")
    if isinstance(error, AuthenticationError) or said.startswith(("NOAUTH", "WRONGPASS", "NOPERM")):
        return f"the Redis server {place} refuses us ({said}): look at user and password in `url`"
    if isinstance(error, ResponseError):
        return f"the Redis server {place} answers {said}"
    if isinstance(error, (RedisError, OSError)):
        fault = certificate_fault(error)
        said = f"its certificate is not to be trusted: {fault}" if fault is not None else said.rstrip(".")
        return f"no connection to the Redis server {place} ({said}); is it up, and are `url` and `tls` right?"
    return said
