"""A server of NATS: how settings name it, and one connection to it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoServersError
from pydantic import AfterValidator, Field

from hookrt.plugin import Log, Secret, Settings

CONNECT_S = 5
"""Seconds that a server has to answer when we connect."""

_PING_S = 20  # two pings without an answer, and the connection is given up
_SCHEMES = ("nats", "tls")


class NatsUnavailable(Exception):  # noqa: N818 - it says what happened
    """There is no connection, or what is needed at the server is missing; the text is for people, without secrets."""


def _check_url(url: Secret) -> Secret:
    for one in _split(url):
        try:
            parts = urlsplit(one)
            whole = parts.scheme in _SCHEMES and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            whole = False
        if not whole:
            raise ValueError("write nats://HOST:4222, or tls://HOST:4222; several servers are separated by commas")
    return url


def _split(url: Secret) -> list[str]:
    return [one.strip() for one in url.get_secret_value().split(",")]


class Tls(Settings):
    """PEM files for a connection by TLS, relative to hooks.yaml."""

    ca: str | None = Field(default=None, description="The authorities to trust instead of the system's")
    certificate: str | None = Field(default=None, description="Our certificate, where the server wants one")
    key: str | None = Field(default=None, description="Its key, unless it stands in the same file")


class ServerSettings(Settings):
    """Which server, and how to reach it."""

    url: Annotated[Secret, AfterValidator(_check_url)] = Field(
        description="The server, like nats://user:password@host:4222 or tls://...; several of a cluster with commas. "
        "Best as ${{ secrets.NAME }}"
    )
    tls: Tls | None = Field(default=None, description="Certificates, for servers with an authority of their own")


async def connect(server: ServerSettings, base_dir: Path, log: Log) -> Client:
    """A connection that is never mended: when it breaks, it is closed for good. Raises NatsUnavailable.

    The servers of a cluster are tried in turn.
    """
    context = _context(server, base_dir)
    problems = []
    for url in _split(server.url):
        try:
            return await _connect_one(url, context, log)
        except (OSError, TimeoutError, NatsError) as error:
            problems.append(f"{_place(urlsplit(url))}: {describe(error)}")
    raise NatsUnavailable(
        f"no connection to NATS ({'; '.join(problems)}); is the server up, and are `url` and `tls` right?"
    )


async def _connect_one(url: str, context: ssl.SSLContext | None, log: Log) -> Client:
    client, noted = Client(), list[Exception]()

    async def note(error: Exception) -> None:
        noted[:] = [error]
        log.debug("nats-error", error=describe(error))

    try:
        async with asyncio.timeout(CONNECT_S + 1):
            await client.connect(
                url,
                name="hookrt",
                allow_reconnect=False,
                max_reconnect_attempts=1,  # for the first connection, too, where 0 would mean for ever
                reconnect_time_wait=0,
                connect_timeout=CONNECT_S,
                ping_interval=_PING_S,
                error_cb=note,
                tls=context,
            )
    except BaseException as error:
        await _drop(client)
        if isinstance(error, NoServersError) and noted and isinstance(noted[0], (OSError, NatsError)):
            raise noted[0] from None
        raise
    return client


async def _drop(client: Client) -> None:
    """Close a client that is half connected, and its socket, which it forgets before the server's first word."""
    transport = client._transport
    await client.close()
    if transport is not None:
        transport.close()  # type: ignore[no-untyped-call]
    await asyncio.sleep(0)  # in which the socket is closed


def heed_cancellation() -> None:
    """Raise CancelledError where this task was told to end: the client can lose one that comes as an answer does."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _context(server: ServerSettings, base_dir: Path) -> ssl.SSLContext | None:
    if server.tls is None and not any(url.startswith("tls:") for url in _split(server.url)):
        return None
    files = server.tls or Tls()
    try:
        context = ssl.create_default_context(cafile=str(base_dir / files.ca) if files.ca else None)
        if files.certificate:
            key = str(base_dir / files.key) if files.key else None
            context.load_cert_chain(str(base_dir / files.certificate), key)
    except OSError as error:  # an SSLError is one
        raise NatsUnavailable(f"the files below `tls` cannot be used: {error}") from None
    return context


def describe(error: BaseException) -> str:
    """What went wrong, in a few words."""
    return str(error).removeprefix("nats: ") or type(error).__name__


def _place(url: SplitResult) -> str:
    return f"{url.hostname}:{url.port or 4222}"


def subject_faults(subject: str, *, pattern: bool = False) -> Iterator[str]:
    """What is wrong with a subject, or with a pattern of subjects."""
    tokens = subject.split(".")
    if not all(tokens) or any(char.isspace() or not char.isprintable() for char in subject):
        yield "a subject is made of parts joined by '.', without spaces: orders.created"
    elif not pattern and any("*" in token or ">" in token for token in tokens):
        yield "a subject to publish to has no wildcards: neither * nor >"
    elif not pattern and subject.startswith(("$", "_INBOX.")):
        yield "subjects that begin with $ or _INBOX are the server's own"
    elif pattern and (">" in tokens[:-1] or any(len(token) > 1 and set(token) & {"*", ">"} for token in tokens)):
        yield "in a pattern * is a whole part, and > the last one: orders.*.paid, orders.>"


def subject_matches(pattern: str, subject: str) -> bool:
    """Whether a subject is one of those that a pattern names, by the rules of NATS."""
    wanted, parts = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted = wanted[:-1]
        if len(parts) <= len(wanted):
            return False
        parts = parts[: len(wanted)]
    return len(wanted) == len(parts) and all(one in ("*", part) for one, part in zip(wanted, parts, strict=True))
