"""Reading a request's body, counted while it comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from hookrt.errors import EventTooLarge, Overloaded
from hookrt.web.problem import ProblemDocument, Refusal

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
"""ASGI's way to hand over the next piece of a request."""

MAX_UNDER_WAY = 256 * 1024 * 1024
"""Most bytes of unfinished bodies in memory together; above it new ones get 503."""


class ClientGone(Exception):  # noqa: N818 - nobody is left to answer
    """The client closed the connection before its request was whole."""


class BodyReader:
    """Reads bodies within a size, and bounds what all unfinished ones hold together.

    How long a body may take to come is the connection's affair, which then tells that the client is gone.
    """

    def __init__(self, max_under_way: int = MAX_UNDER_WAY) -> None:
        self._max_under_way = max_under_way
        self._under_way = 0

    async def read(self, head: Mapping[bytes, bytes], receive: Receive, limit: int) -> bytes:
        """The whole body.

        Raises EventTooLarge above `limit` bytes (at once where Content-Length says so), Overloaded when too much is
        under way, Refusal for a compressed body, and ClientGone.
        """
        if b"content-encoding" in head:
            _check_encoding(head[b"content-encoding"])
        length = head.get(b"content-length", b"")
        if length.isdigit() and int(length[:19]) > limit:
            raise _too_large(limit)
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            body: bytes = message.get("body", b"")
            if len(body) > limit:
                raise _too_large(limit)
            return body
        return await self._read_rest(message, receive, limit)

    async def _read_rest(self, message: MutableMapping[str, Any], receive: Receive, limit: int) -> bytes:
        pieces, size = [], 0
        try:
            while True:
                if message["type"] != "http.request":
                    raise ClientGone
                piece = message.get("body", b"")
                pieces.append(piece)
                size += len(piece)
                self._under_way += len(piece)
                self._check(size, limit)
                if not message.get("more_body", False):
                    return b"".join(pieces)
                message = await receive()
        finally:
            self._under_way -= size

    def _check(self, size: int, limit: int) -> None:
        if size > limit:
            raise _too_large(limit)
        if self._under_way > self._max_under_way:
            raise Overloaded("too many large requests are under way: try again")


def _check_encoding(encoding: bytes) -> None:
    if encoding.strip().lower() not in {b"", b"identity"}:
        shown = encoding.decode("latin-1")[:40]
        detail = f"the body is compressed ({shown}): send it as it is, without Content-Encoding"
        raise Refusal(
            ProblemDocument(415, "unsupported-content-encoding", detail, headers={"accept-encoding": "identity"})
        )


def _too_large(limit: int) -> EventTooLarge:
    return EventTooLarge(f"the request may have {limit} bytes at most (service.limits)")
