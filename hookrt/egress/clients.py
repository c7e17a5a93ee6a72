"""The HTTP clients and the addresses pinned in them: few clients for many hosts.

A client is told once, when it is built, at which address each of its hosts is, and asks no name server ever. Building
one takes milliseconds, so hosts share clients, several that are wanted together are built together, and building
happens in a thread. A host whose address has changed moves to a newer client; the older one is closed when the
requests under way through it are over.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib import metadata
from itertools import islice
from time import monotonic

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from hookrt.plugin.protocols import HttpError

MAX_PINS = 64
"""Most hosts that share one client."""

MAX_CLIENTS = 256
"""Most clients that are kept; beyond that small ones are merged, and then the least recently used one goes."""

CONNECT_TIMEOUT = timedelta(seconds=10)
"""How long connecting to one address may take, TLS included."""

IDLE_TIMEOUT = timedelta(seconds=30)
"""How long an idle connection is kept; many servers drop theirs after a minute."""

MAX_IDLE_PER_HOST = 128
"""Most idle connections that are kept for one host."""

LITERAL = ""
"""The pin of everything whose host is an address itself: it needs none, any client will do."""


class PinnedClient:
    """A client, the hosts that it serves with their addresses, and how many requests are under way through it."""

    __slots__ = ("client", "in_flight", "pins", "retired", "used")

    def __init__(self, client: Client, pins: Mapping[str, str]) -> None:
        self.client = client
        self.pins = dict(pins)
        self.in_flight = 0
        self.retired = False
        self.used = monotonic()


class Clients:
    """All clients of one way out; `build` makes one that has these pins."""

    def __init__(
        self,
        *,
        max_pins: int = MAX_PINS,
        max_clients: int = MAX_CLIENTS,
        build: Callable[[Mapping[str, str]], Client] | None = None,
    ) -> None:
        self._build = build or build_client
        self._max_pins = max_pins
        self._max_clients = max_clients
        self._homes: dict[str, PinnedClient] = {}
        self._clients: set[PinnedClient] = set()
        self._wanted: dict[str, str] = {}
        self._building: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False
        self._draining = False

    def find(self, host: str, address: str) -> PinnedClient | None:
        """The client in which this host is pinned to this very address."""
        home = self._homes.get(host)
        return home if home is not None and home.pins[host] == address else None

    async def pin(self, host: str, address: str) -> PinnedClient:
        """A client in which this host is pinned to this address, built if there is none."""
        while (found := self.find(host, address)) is None:
            if self._closed:
                raise HttpError("reset", "the runtime is stopping: nothing is sent any more")
            self._wanted[host] = address
            if self._building is None:
                self._building = asyncio.create_task(self._build_wanted())
                self._building.add_done_callback(_look_at)
            await asyncio.shield(self._building)
        return found

    def release(self, home: PinnedClient) -> None:
        """One request through this client is over."""
        home.in_flight -= 1
        if home.in_flight > 0:
            return
        if home.retired:
            self._bury(home)
        elif self._draining:
            self._retire(home)

    @property
    def busy(self) -> bool:
        """Whether there is a connection yet, or may be one soon."""
        return bool(self._clients or self._closing or self._building)

    def drain(self) -> None:
        """Close every client as soon as no request is under way through it."""
        self._draining = True
        for home in list(self._clients):
            self._retire(home)

    async def close(self) -> None:
        """Close all clients; requests still under way through them fail."""
        self._closed = True
        if self._building is not None:
            await asyncio.gather(self._building, return_exceptions=True)
        for home in list(self._clients):
            home.in_flight = 0
            self._retire(home)
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _build_wanted(self) -> None:
        try:
            while self._wanted and not self._closed:
                chosen = list(islice(self._wanted, self._max_pins))
                pins = {host: self._wanted.pop(host) for host in chosen}
                pins = self._absorb_small(len(pins)) | pins
                self._install(await asyncio.to_thread(self._build, pins), pins)
        except (PyreqwestError, ValueError, OSError) as error:
            self._wanted.clear()
            raise HttpError("protocol", f"no HTTP client can be made on this machine: {error}") from error
        finally:
            self._building = None

    def _absorb_small(self, taken: int) -> dict[str, str]:
        """The pins of the smallest clients, as many as fit beside the new ones, once there are too many clients."""
        absorbed: dict[str, str] = {}
        if len(self._clients) < self._max_clients:
            return absorbed
        for home in sorted(self._clients, key=lambda home: len(home.pins)):
            if taken + len(absorbed) + len(home.pins) > self._max_pins:
                break
            absorbed |= home.pins
        return absorbed

    def _install(self, client: Client, pins: Mapping[str, str]) -> None:
        home = PinnedClient(client, pins)
        self._clients.add(home)
        for host in pins:
            self._evict(host)
            self._homes[host] = home
        if len(self._clients) > self._max_clients:
            self._retire(min(self._clients - {home}, key=lambda known: known.used))

    def _evict(self, host: str) -> None:
        older = self._homes.pop(host, None)
        if older is not None:
            del older.pins[host]
            if not older.pins:
                self._retire(older)

    def _retire(self, home: PinnedClient) -> None:
        home.retired = True
        self._clients.discard(home)
        for host in home.pins:
            self._homes.pop(host, None)
        if home.in_flight == 0:
            self._bury(home)

    def _bury(self, home: PinnedClient) -> None:
        task = asyncio.create_task(home.client.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def build_client(pins: Mapping[str, str]) -> Client:
    """A client that follows no redirect, asks no proxy, and finds these hosts at these addresses only.

    It takes milliseconds, so that it belongs into a thread.
    """
    return make_builder(pins).build()


def make_builder(pins: Mapping[str, str]) -> ClientBuilder:
    """What makes such a client, for those who have more to say of it."""
    builder = (
        ClientBuilder()
        .no_proxy()  # a proxy from the environment would go around the pins
        .follow_redirects(enable=False)
        .referer(enable=False)
        .user_agent(user_agent())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
    )
    for host, address in pins.items():
        if host != LITERAL:
            builder = builder.resolve(host, address, 0)  # port 0 leaves the URL's
    return builder


@functools.cache
def user_agent() -> str:
    """`hookrt/VERSION`."""
    try:
        return f"hookrt/{metadata.version('hookrt')}"
    except metadata.PackageNotFoundError:  # run from a folder, without being installed
        return "hookrt"


def _look_at(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()  # those who wait are told; without any there is nobody to tell
