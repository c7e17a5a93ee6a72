"""The ways to destinations that need more than a header: connections of their own, a proxy, a token."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic

from pyreqwest.client import Client
from pyreqwest.proxy import ProxyBuilder

from hookrt.egress.clients import Clients, make_builder
from hookrt.egress.record import Sent
from hookrt.egress.response import Answer
from hookrt.egress.target import Target, read_target
from hookrt.egress.tokens import FETCH_S, Tokens
from hookrt.model.access import Access
from hookrt.plugin.protocols import HttpError

MAX_WAYS = 1024
"""Most destinations whose connections and tokens are kept; the least recently used one goes first."""

Remember = Callable[[str, str], None]
"""Told the destination's name and its token, so that it is masked wherever it shows up."""


@dataclass(slots=True, eq=False)
class Way:
    """One destination's way: `clients` are its own or everybody's, `proxy` is where its connections lead instead."""

    access: Access
    target: Target
    clients: Clients
    proxy: Target | None
    tokens: Tokens | None = None

    @property
    def busy(self) -> bool:
        """Whether requests may still be under way by it."""
        return self.clients.busy or (self.tokens is not None and self.tokens.busy)

    def check(self, target: Target) -> None:
        """Raises HttpError for a request to any other origin than the destination's own."""
        own = self.target
        if (target.url.scheme, target.host, target.port) != (own.url.scheme, own.host, own.port):
            message = f"what lets requests in at the destination {self.access.name!r} goes to {own.place} only"
            raise HttpError("bad-request", message)


Send = Callable[[Way, Sent, float], Awaitable[Answer]]
"""Sends by a way until a deadline; raises HttpError."""


class Ways:
    """All of them by the destination's name. A way whose destination changed is left when its requests are over."""

    def __init__(self, shared: Clients, send: Send, remember: Remember) -> None:
        self._shared = shared
        self._send = send
        self._remember = remember
        self._ways: OrderedDict[str, Way] = OrderedDict()
        self._left: set[Way] = set()

    def of(self, access: Access) -> Way:
        """The way of this destination, as it is written now."""
        way = self._ways.get(access.name)
        if way is not None and (way.access is access or way.access == access):
            way.access = access  # from now on they are the same, and found so at once
            self._ways.move_to_end(access.name)
            return way
        if way is not None:
            self._leave(self._ways.pop(access.name))
        way = self._ways[access.name] = self._make(access)
        if len(self._ways) > MAX_WAYS:
            self._leave(self._ways.popitem(last=False)[1])
        return way

    async def close(self) -> None:
        """Close every connection and give up every token request."""
        ways = [*self._ways.values(), *self._left]
        self._ways.clear()
        self._left.clear()
        for way in ways:
            if way.tokens is not None:
                await way.tokens.close()
            if way.clients is not self._shared:
                await way.clients.close()

    def _make(self, access: Access) -> Way:
        own = Clients(build=partial(_build, access)) if access.own_connections else self._shared
        proxy = _trusted(access.proxy.url) if access.proxy is not None else None
        way = Way(access, read_target(access.origin, ()), own, proxy)
        if access.oauth is not None:
            remember = partial(self._remember, access.name)
            way.tokens = Tokens(access.oauth, partial(self._post, way), remember)
        return way

    async def _post(self, way: Way, url: str, headers: dict[str, str], body: bytes) -> Answer:
        sent = Sent("POST", read_target(url, (url,)), headers, body)
        return await self._send(way, sent, monotonic() + FETCH_S)

    def _leave(self, way: Way) -> None:
        """Requests under way by it go on; a new one goes another way."""
        if way.clients is not self._shared:
            way.clients.drain()
        self._left = {left for left in self._left if left.busy} | {way}


def _trusted(url: str) -> Target:
    """A proxy is the operator's will, wherever its name leads."""
    target = read_target(url, ())
    target.trusted = True
    return target


def _build(access: Access, pins: Mapping[str, str]) -> Client:
    builder = make_builder(pins)
    tls, proxy = access.tls, access.proxy
    for authority in tls.authorities if tls is not None else ():
        builder = builder.add_root_certificate_pem(authority)
    if tls is not None and tls.identity is not None:
        builder = builder.identity_pem(tls.identity)
    if proxy is not None:
        through = ProxyBuilder.all(proxy.url)
        if proxy.user is not None:
            through = through.basic_auth(proxy.user, proxy.password)
        builder = builder.proxy(through)
    return builder.build()
