"""Answering over plain ASGI, for what does not pass through the web framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from hookrt.web.problem import CONTENT_TYPE, ProblemDocument

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
"""ASGI's way to take the pieces of an answer."""

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
