"""The way out of a test: every request says in a header that it is one."""

from __future__ import annotations

from typing import Any

from hookrt.delivery.wrapped_http import WrappedHttp
from hookrt.plugin.protocols import Http, Response

TEST_HEADER = "hookrt-test"
"""The header that every request of a test carries, with the value `true`."""


class MarkedHttp(WrappedHttp):
    """Keeps the promises of `hookrt.plugin.Http`, by way of another one. Other protocols take no mark."""

    __slots__ = ()

    def __init__(self, http: Http) -> None:
        self._http = http

    async def send(self, method: str, url: str, **options: Any) -> Response:
        """Send one request with the mark; raises HttpError."""
        headers = {**(options.pop("headers", None) or {}), TEST_HEADER: "true"}
        return await self._http.send(method, url, headers=headers, **options)
