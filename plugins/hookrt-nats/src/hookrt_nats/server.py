"""A server of NATS: how settings name it, and one connection to it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from nats.aio.client import Client
from nats.errors import ConnectionClosedError, NoServersError
from nats.errors import Error as NatsError
from pydantic import AfterValidator, Field

from hookrt.plugin import Log, PluginError, Secret, Settings, TlsSettings, certificate_fault, tls_context

CONNECT_S = 5
"""Seconds that a server has to answer when we connect."""

_PING_S = 20  # two pings without an answer, and the connection is given up
_SCHEMES = ("nats", "tls")

AnswerT = TypeVar("AnswerT")


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


class ServerSettings(Settings):
    """Which server, and how to reach it."""

    url: Annotated[Secret, AfterValidator(_check_url)] = Field(
        description="The server, like nats://user:password@host:4222 or tls://...; several of a cluster with commas. "
        "Best as ${{ secrets.NAME }}"
    )
    tls: TlsSettings | None = Field(default=None, description="Files, for a server with an authority of its own")


class Connection(Client):
    """A connection that is never mended: when it breaks, it is closed for good.

    Its credentials go out in the one place that first looks whether TLS has come about, where it has to.
    """

    def __init__(self, url: SplitResult, context: ssl.SSLContext | None) -> None:
        super().__init__()
        self._url = url
        self._context = context
        self._said: Exception | None = None
        self._gone = asyncio.Event()

    async def open(self, log: Log) -> None:
        """Connect; raises NatsUnavailable, OSError, TimeoutError, or errors of NATS."""

        async def note(error: Exception) -> None:
            self._said = self._said or error
            log.debug("nats-error", error=describe(error))

        async def close() -> None:
            self._gone.set()

        host = f"[{self._url.hostname}]" if ":" in (self._url.hostname or "") else self._url.hostname
        try:
            async with asyncio.timeout(CONNECT_S + 1):
                await self.connect(
                    f"{self._url.scheme}://{host}:{self._url.port or 4222}",
                    name="hookrt",
                    allow_reconnect=False,
                    max_reconnect_attempts=1,  # for the first connection, too, where 0 would mean for ever
                    reconnect_time_wait=0,
                    connect_timeout=CONNECT_S,
                    ping_interval=_PING_S,
                    error_cb=note,
                    closed_cb=close,
                    tls=self._context,
                )
            self._check_tls()
        except BaseException as error:
            await _drop(self)
            if isinstance(error, NoServersError) and self._said is not None:
                raise NatsUnavailable(describe(self._said)) from None
            raise

    async def while_open(self, asked: Coroutine[Any, Any, AnswerT]) -> AnswerT:
        """The answer to something; raises ConnectionClosedError as soon as none can come any more."""
        answer, gone = asyncio.ensure_future(asked), asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise ConnectionClosedError
            return answer.result()
        finally:
            for task in (answer, gone):
                task.cancel()
            await asyncio.gather(answer, gone, return_exceptions=True)

    def _check_tls(self) -> None:
        if self._context is not None and not self._server_info.get("tls_required"):
            raise NatsUnavailable("the server offers no TLS, and nothing is sent without")

    def _connect_command(self) -> bytes:
        """What the client sends first, with the credentials, which it has from nowhere else."""
        self._check_tls()
        user, password = self._url.username, self._url.password
        if password is None:
            self.options["token"] = None if user is None else unquote(user)
        else:
            self.options.update(user=unquote(user or ""), password=unquote(password))
        self._auth_configured = user is not None
        return super()._connect_command()


async def connect(server: ServerSettings, base_dir: Path, log: Log) -> Connection:
    """A connection to the first server that takes one; raises NatsUnavailable."""
    context = make_context(server, base_dir)
    problems = []
    for url in map(urlsplit, _split(server.url)):
        connection = Connection(url, context)
        try:
            await connection.open(log)
            return connection
        except (NatsUnavailable, OSError, TimeoutError, NatsError) as error:
            problems.append(f"{url.hostname}:{url.port or 4222}: {describe(error)}")
    raise NatsUnavailable(
        f"no connection to NATS ({'; '.join(problems)}); is the server up, and are `url` and `tls` right?"
    )


async def _drop(client: Client) -> None:
    """Close a client that is half connected, and its socket, which it forgets before the server's first word.

    It is left without the socket, for whose end it would wait: after a failed handshake for ever.
    """
    transport, client._transport = client._transport, None
    await client.close()
    if transport is not None:
        transport.close()  # type: ignore[no-untyped-call]
    await asyncio.sleep(0)  # in which the socket is closed


def make_context(server: ServerSettings, base_dir: Path) -> ssl.SSLContext | None:
    """For TLS, where settings want it; raises NatsUnavailable for files that cannot be used."""
    if server.tls is None and not any(urlsplit(url).scheme == "tls" for url in _split(server.url)):
        return None
    try:
        return tls_context(server.tls, base_dir)
    except PluginError as error:
        raise NatsUnavailable(f"`tls`: {error}") from None


def describe(error: BaseException) -> str:
    """What went wrong, in a few words."""
    if (fault := certificate_fault(error)) is not None:
        return f"its certificate is not to be trusted: {fault}"
    return str(error).removeprefix("nats: ") or type(error).__name__


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
