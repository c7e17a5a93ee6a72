"""An httpx client whose requests pass the same gate as all others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol

import httpx

from hookrt.egress.response import Answer
from hookrt.plugin.protocols import FRAMING_HEADERS, HttpError

_SET_BY_CLIENT = FRAMING_HEADERS | {"accept-encoding"}  # httpx sets these itself; the real client has its own
_GONE = frozenset({"content-encoding", "content-length", "transfer-encoding"})  # the body is decoded already


class Send(Protocol):
    """`Http.send`."""

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | str | None = None,
        timeout: timedelta | None = None,
    ) -> Answer:
        """Send one request; raises HttpError."""
        ...


class GuardedConnectError(HttpError, httpx.ConnectError):
    """No connection, in httpx's terms and in ours."""


class GuardedTimeout(HttpError, httpx.ReadTimeout):  # noqa: N818 - named like httpx's own
    """Out of time, in httpx's terms and in ours."""


class GuardedReadError(HttpError, httpx.ReadError):
    """A broken connection, in httpx's terms and in ours."""


class GuardedProtocolError(HttpError, httpx.RemoteProtocolError):
    """An answer that cannot be read, in httpx's terms and in ours."""


class GuardedRequestError(HttpError, httpx.UnsupportedProtocol):
    """A request that must not or cannot be sent, in httpx's terms and in ours."""


_CLASSES: dict[str, type[HttpError]] = {
    "dns": GuardedConnectError,
    "refused": GuardedConnectError,
    "tls": GuardedConnectError,
    "reset": GuardedReadError,
    "timeout": GuardedTimeout,
    "blocked-address": GuardedRequestError,
    "bad-url": GuardedRequestError,
    "bad-request": GuardedRequestError,
}


class GuardedTransport(httpx.AsyncBaseTransport):
    """Carries httpx's requests through the gate. Timeouts of httpx's can only shorten the attempt's own."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; raises errors that are both HttpError and httpx's own."""
        body = await request.aread()
        try:
            answer = await self._send(
                request.method,
                str(request.url),
                headers={name: value for name, value in request.headers.items() if name not in _SET_BY_CLIENT},
                content=body if body or "content-length" in request.headers else None,
                timeout=_shortest(request.extensions.get("timeout")),
            )
        except HttpError as error:
            raise _CLASSES.get(error.reason, GuardedProtocolError)(error.reason, error.message) from None
        headers = [(name, value) for name, value in answer.header_pairs if name not in _GONE]
        return httpx.Response(answer.status_code, headers=headers, content=answer.content, request=request)


def make_client(send: Send) -> httpx.AsyncClient:
    """An httpx client on the gate: no proxy, no redirects, no settings from the environment."""
    return httpx.AsyncClient(
        transport=GuardedTransport(send), trust_env=False, follow_redirects=False, timeout=httpx.Timeout(None)
    )


def _shortest(timeouts: Any) -> timedelta | None:
    given = [value for value in (timeouts or {}).values() if value is not None]
    return timedelta(seconds=min(given)) if given else None
