"""A Redis server: how settings name it, and a client for it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from hookrt.plugin import PluginError, Secret, Settings

CONNECT_S = 5.0
"""Seconds that a server has to answer when we connect."""

ANSWER_S = 15.0
"""Seconds that it has to answer anything; longer than any command here waits."""

_SCHEMES = ("redis", "rediss")


def _check_url(url: Secret) -> Secret:
    try:
        parts = urlsplit(url.get_secret_value())
        whole = parts.scheme in _SCHEMES and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        database = parts.path.strip("/")
    except ValueError:
        whole, database = False, ""
    if not whole or parts.query or not (database.isdecimal() or not database):
        raise ValueError("write redis://HOST:6379/0, or rediss://HOST:6379/0 for TLS")
    return url


class Tls(Settings):
    """PEM files for a connection by TLS (`rediss://`), relative to hooks.yaml."""

    ca: str | None = Field(default=None, description="The authorities to trust instead of the system's")
    certificate: str | None = Field(default=None, description="Our certificate, where the server wants one")
    key: str | None = Field(default=None, description="Its key, unless it stands in the same file")


class ServerSettings(Settings):
    """Which server, and how to reach it."""

    url: Annotated[Secret, AfterValidator(_check_url)] = Field(
        description="The server, like redis://user:password@host:6379/0 or rediss://...; best as ${{ secrets.NAME }}"
    )
    tls: Tls | None = Field(default=None, description="Certificates, for servers with an authority of their own")


def make_client(server: ServerSettings, base_dir: Path) -> Redis:
    """A client that connects when it is used, and again when a connection broke; raises PluginError for bad files."""
    url = server.url.get_secret_value()
    secure = _secure(server.tls or Tls(), base_dir) if url.startswith("rediss:") else {}
    return Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_S,
        socket_timeout=ANSWER_S,
        retry=Retry(NoBackoff(), 0),
        client_name="hookrt",
        **secure,
    )


def heed_cancellation() -> None:
    """Raise CancelledError where this task was told to end: the client can lose one that comes as an answer does."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _secure(files: Tls, base_dir: Path) -> dict[str, Any]:
    named = {"ssl_ca_certs": files.ca, "ssl_certfile": files.certificate, "ssl_keyfile": files.key or files.certificate}
    found = {option: base_dir / path for option, path in named.items() if path is not None}
    for path in found.values():
        if not path.is_file():
            raise PluginError(f"there is no file {path}, which `tls` names")
    return {option: str(path) for option, path in found.items()}


def describe(error: Exception, server: ServerSettings) -> str:
    """What went wrong and what to do, without a secret."""
    parts = urlsplit(server.url.get_secret_value())
    place = f"{parts.hostname}:{parts.port or 6379}"
    said = str(error) or type(error).__name__
    if parts.password:
        said = said.replace(parts.password, "***")
    if isinstance(error, AuthenticationError) or said.startswith(("NOAUTH", "WRONGPASS", "NOPERM")):
        return f"the Redis server {place} refuses us ({said}): look at user and password in `url`"
    if isinstance(error, ResponseError):
        return f"the Redis server {place} answers {said}"
    if isinstance(error, (RedisError, OSError)):
        return f"no connection to the Redis server {place} ({said}); is it up, and are `url` and `tls` right?"
    return said
