"""A Redis server: how settings name it, and a client for it."""

from __future__ import annotations

import asyncio
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

from hookrt.plugin import PluginError, Secret, Settings

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


class Tls(Settings):
    """PEM files for a connection by TLS (`rediss://`), relative to hooks.yaml."""

    ca: str | None = Field(default=None, description="Authorities to trust, beside the system's")
    certificate: str | None = Field(default=None, description="Our certificate, where the server wants one")
    key: str | None = Field(default=None, description="Its key, unless it stands in the same file")


class ServerSettings(Settings):
    """Which server, and how to reach it."""

    url: Annotated[Secret, AfterValidator(_check_url)] = Field(
        description="The server, like redis://user:password@host:6379/0 or rediss://...; best as ${{ secrets.NAME }}"
    )
    tls: Tls | None = Field(default=None, description="Certificates, for servers with an authority of their own")

    @model_validator(mode="after")
    def _check_tls(self) -> Self:
        if self.tls is not None and not is_secure(self.url):
            raise ValueError("with `tls` the url begins with rediss:// , since redis:// is plain text")
        return self


def make_client(server: ServerSettings, base_dir: Path) -> Redis:
    """A client that connects when it is used, and again when a connection broke; raises PluginError for bad files."""
    url = server.url.get_secret_value()
    secure = _secure(server.tls or Tls(), base_dir) if is_secure(server.url) else {}
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


def heed_cancellation() -> None:
    """Raise CancelledError where this task was told to end: the client can lose one that comes as an answer does."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _secure(files: Tls, base_dir: Path) -> dict[str, Any]:
    """What the client is told: certificates and names are always verified, whatever its defaults are."""
    named = {"ssl_ca_certs": files.ca, "ssl_certfile": files.certificate, "ssl_keyfile": files.key or files.certificate}
    found = {option: str(base_dir / path) for option, path in named.items() if path is not None}
    for path in found.values():
        if not Path(path).is_file():
            raise PluginError(f"there is no file {path}, which `tls` names")
    try:
        context = ssl.create_default_context(cafile=found.get("ssl_ca_certs"))
        if files.certificate is not None:
            context.load_cert_chain(found["ssl_certfile"], found["ssl_keyfile"], password=_no_passphrase)
    except ssl.SSLError:
        raise PluginError("the files below `tls` are no certificates and key in PEM form that fit") from None
    except OSError as error:
        raise PluginError(f"the files below `tls` cannot be read: {error.strerror or error}") from None
    verified = {"ssl_cert_reqs": "required", "ssl_check_hostname": True, "ssl_min_version": ssl.TLSVersion.TLSv1_2}
    return {**found, **verified}


def _no_passphrase() -> str:
    """Where a key has one: nobody is asked at the terminal."""
    return ""


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
        said = _certificate_fault(error) or said.rstrip(".")
        return f"no connection to the Redis server {place} ({said}); is it up, and are `url` and `tls` right?"
    return said


def _certificate_fault(error: BaseException | None) -> str | None:
    """What is wrong with the server's certificate, if that is the cause."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is not to be trusted: {error.verify_message}"
        error = error.__cause__ or error.__context__
    return None
