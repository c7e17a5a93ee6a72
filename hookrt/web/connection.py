"""One HTTP connection, bounded where the server itself sets no bounds: the request's head, and what comes too late."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from hookrt.web.problem import CONTENT_TYPE, ProblemDocument

MAX_HEAD = 64 * 1024
"""Most bytes of a request's line and headers together."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a request's head, and then its body, may take to come whole."""

    head_s: float = 30.0
    body_s: float = 30.0


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection, ended when a head is too long, or a head or a body too slow.

    What comes in one piece, as nearly all requests do, costs no timer. A body that goes on after its answer is read
    and dropped for as long as it may take, so that the client gets to see the answer.
    """

    def __init__(self, *args: Any, patience: Patience, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience = patience
        self._head_bytes = 0
        self._in_head = self._in_body = False
        self._ending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there: its first head is awaited."""
        super().connection_made(transport)
        self._in_head = True
        self._end_after(self._patience.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._stay()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and watch what is not whole yet."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD:
                self._refuse_head()
            elif self._ending is None:
                self._end_after(self._patience.head_s)
        elif self._in_body and self._ending is None:
            self._end_after(self._patience.body_s)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._in_body = True
        if self._ending is not None:
            self._stay()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole."""
        self._in_body = False
        if self._ending is not None:
            self._stay()
        super().on_message_complete()

    def _end(self) -> None:
        self._ending = None
        if self._in_body and not self.pipeline and not self.cycle.response_started:
            self._refuse(_TOO_SLOW)
        self.transport.close()

    def _refuse_head(self) -> None:
        answering: Any = self.cycle  # None before the first request, whatever its type says
        if answering is None or answering.response_complete:
            self._refuse(_HEAD_TOO_LARGE)
        self.transport.close()

    def _refuse(self, problem: ProblemDocument) -> None:
        if self.transport.is_closing():
            return
        body = problem.encode()
        head = f"content-type: {CONTENT_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[problem.status] + head.encode() + body)

    def _end_after(self, seconds: float) -> None:
        self._stay()
        self._ending = self.loop.call_later(seconds, self._end)

    def _stay(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None


_HEAD_TOO_LARGE = ProblemDocument(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head-too-large", "the request's headers may have 64 KiB together"
)
_TOO_SLOW = ProblemDocument(HTTPStatus.REQUEST_TIMEOUT, "request-timeout", "the body did not come in time")
