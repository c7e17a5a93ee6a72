"""Answering over plain ASGI, for what does not pass through the web framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from hookrt.plugin.inbound import Reply
from hookrt.web.problem import CONTENT_TYPE, ProblemDocument

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
"""ASGI's way to take the pieces of an answer."""

_EMPTY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", CONTENT_TYPE.encode())


async def send_json(send: Send, status: int, body: bytes) -> None:
    """Answer with this JSON text."""
    headers = [_JSON, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_problem(send: Send, problem: ProblemDocument) -> None:
    """Answer with this problem document."""
    body = problem.encode()
    headers = [_PROBLEM, (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
    headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in problem.headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_reply(send: Send, reply: Reply) -> None:
    """Answer with this; a status that has no body goes without."""
    body = b"" if reply.status in _EMPTY else reply.body
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    if reply.status not in _EMPTY:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
