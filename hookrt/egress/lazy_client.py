"""The httpx client of a way out, made when somebody asks for it: httpx takes long to import."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

from hookrt.plugin.protocols import Response

if TYPE_CHECKING:
    import httpx


class LazyClient:
    """What has a `send` as `hookrt.plugin.Http` promises it gets the promised `client` from here."""

    __slots__ = ("_client",)

    _client: httpx.AsyncClient
    send: Callable[..., Awaitable[Response]]

    @property
    def client(self) -> httpx.AsyncClient:
        """An httpx client whose requests go by `send`; httpx is imported when this is first read."""
        if not hasattr(self, "_client"):
            from hookrt.egress.httpx_face import Send, make_client  # noqa: PLC0415 - httpx takes long to import

            self._client = make_client(cast("Send", self.send))
        return self._client
