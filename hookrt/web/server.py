"""The HTTP server inside a running event loop: bound before anything starts, stopped without losing a request."""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import uvicorn

from hookrt.errors import HookrtError
from hookrt.web.connection import BoundedConnection, Patience

KEEP_ALIVE_S = 30
"""How long an idle connection is kept: longer than clients' pools keep theirs, so that it is not us who hang up."""

_BACKLOG = 2048


class CannotListen(HookrtError):  # noqa: N818 - says it as people do
    """The address cannot be had; the text says why and what to do."""


def bind_sockets(host: str, port: int) -> list[socket.socket]:
    """Sockets bound to every address that `host` stands for, all on one port; port 0 takes a free one.

    Raises CannotListen with one sentence.
    """
    bound: list[socket.socket] = []
    try:
        for family, address in _resolve(host, port):
            chosen = bound[0].getsockname()[1] if bound and port == 0 else port
            bound.append(_bind(family, (address[0], chosen, *address[2:])))
    except OSError as error:
        for one in bound:
            one.close()
        raise CannotListen(_say_why(error, host, port)) from None
    return bound


def _resolve(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    if not 0 <= port <= 65535:
        raise CannotListen(f"{port} is no port: choose one from 1 to 65535, or 0 for any free one")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise CannotListen(
            f"the host {host!r} is not known here: use 127.0.0.1 for this machine only, 0.0.0.0 for all its addresses"
        ) from None
    return list(dict.fromkeys((int(family), address) for family, _, _, _, address in found))


def _bind(family: int, address: tuple[Any, ...]) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(_BACKLOG)
        opened.setblocking(False)  # noqa: FBT003 - the standard library's signature
    except OSError:
        opened.close()
        raise
    return opened


def _say_why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use: stop what listens there, or choose another port with --port"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"port {port} needs rights that this process does not have: choose one above 1023 with --port"
    if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
        return f"{host} is no address of this machine: use 127.0.0.1, or 0.0.0.0 for all its addresses, with --host"
    return f"{host}:{port} cannot be listened on: {error.strerror or error}"


class WebServer:
    """Serves one ASGI application. `start` returns when it accepts connections, `stop` when the last is done."""

    def __init__(self, app: Any, host: str = "127.0.0.1", port: int = 4665, patience: Patience | None = None) -> None:
        self._app = app
        self._patience = patience or Patience()
        self._host = host
        self._port = port
        self._sockets: list[socket.socket] = []
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    def bind(self) -> None:
        """Take the address, so that a fault shows before anything is started. Raises CannotListen."""
        if not self._sockets:
            self._sockets = bind_sockets(self._host, self._port)
            self._port = int(self._sockets[0].getsockname()[1])

    @property
    def port(self) -> int:
        """The port that it is bound to; before that, the one that it is to be bound to."""
        return self._port

    @property
    def url(self) -> str:
        """Where it is reached from this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(self._host, self._host)  # noqa: S104
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"http://{host}:{self.port}"

    async def start(self) -> None:
        """Bind where that is not done yet, and accept connections. Raises CannotListen."""
        self.bind()
        self._server = _Server(_configure(self._app, self._patience))
        self._serving = asyncio.create_task(self._server.serve(sockets=self._sockets))
        started = asyncio.create_task(self._server.accepting.wait())
        await asyncio.wait({self._serving, started}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if self._serving.done():
            await self._serving

    async def stop(self, within: timedelta = timedelta(seconds=5)) -> None:
        """Accept nothing more, let requests under way finish within this time, then end the rest with a 503."""
        if self._server is None or self._serving is None:
            for one in self._sockets:
                one.close()
            return
        self._server.config.timeout_graceful_shutdown = within.total_seconds()  # type: ignore[assignment]
        self._server.should_exit = True
        await self._serving
        self._server.drop_connections()
        self._server = self._serving = None
        self._sockets = []


def _configure(app: Any, patience: Patience) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=functools.partial(BoundedConnection, patience=patience),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        backlog=_BACKLOG,
    )


class _Server(uvicorn.Server):
    """uvicorn's server, which takes no signals: they belong to the program."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, and say so."""
        await super().startup(sockets=sockets)
        self.accepting.set()

    def drop_connections(self) -> None:
        """Close what clients still hold open."""
        for connection in list(self.server_state.connections):
            connection.transport.close()
