"""The way out of a test: every request says in a header that it is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from hookrt.model.attempt import Exchange
from hookrt.plugin.protocols import Http, Response

if TYPE_CHECKING:
    import httpx

TEST_HEADER = "hookrt-test"
"""The header that every request of a test carries, with the value `true`."""


class MarkedHttp:
    """Keeps the promises of `hookrt.plugin.Http`, by way of another one."""

    __slots__ = ("_client", "_http")

    def __init__(self, http: Http) -> None:
        self._http = http
        self._client: httpx.AsyncClient | None = None

    async def send(self, method: str, url: str, **options: Any) -> Response:
        """Send one request with the mark; raises HttpError."""
        headers = {**(options.pop("headers", None) or {}), TEST_HEADER: "true"}
        return await self._http.send(method, url, headers=headers, **options)

    async def addresses_of(self, host: str, port: int, *, written: bool = False) -> Sequence[str]:
        """The judged addresses for a connection of another protocol, which takes no mark; raises HttpError."""
        return await self._http.addresses_of(host, port, written=written)

    @property
    def client(self) -> httpx.AsyncClient:
        """An httpx client that sends the mark, too; httpx is imported when this is first read."""
        if self._client is None:
            from hookrt.egress.httpx_face import Send, make_client  # noqa: PLC0415 - httpx takes long to import

            self._client = make_client(cast("Send", self.send))
        return self._client

    @property
    def exchange(self) -> Exchange | None:
        """The last request and its answer, masked."""
        return self._http.exchange
