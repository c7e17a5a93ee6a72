"""A way out by way of another one: what both the mark of a test and the guard of an attempt pass on as it is."""

from __future__ import annotations

from collections.abc import Sequence

from hookrt.egress.lazy_client import LazyClient
from hookrt.model.attempt import Exchange
from hookrt.plugin.protocols import Http


class WrappedHttp(LazyClient):
    """Keeps the promises of `hookrt.plugin.Http` but for `send`, by way of `_http`."""

    __slots__ = ("_http",)

    _http: Http

    async def addresses_of(self, host: str, port: int, *, written: bool = False) -> Sequence[str]:
        """The judged addresses for a connection of another protocol; raises HttpError."""
        return await self._http.addresses_of(host, port, written=written)

    @property
    def exchange(self) -> Exchange | None:
        """The last request and its answer, as they will be recorded."""
        return self._http.exchange
