"""The whole of HTTP as one ASGI application: the ingest route in front, the API behind a guard."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from hookrt.web.answer import Send, send_problem
from hookrt.web.api.app import INGEST_PATH, build_api
from hookrt.web.auth import Guard, Head, Scope
from hookrt.web.body import BodyReader, ClientGone, Receive
from hookrt.web.faults import Faults
from hookrt.web.inbound import PREFIX as INBOUND_PREFIX
from hookrt.web.inbound import InboundRoute
from hookrt.web.ingest import Ingest
from hookrt.web.malformed import find_lone_surrogate
from hookrt.web.options import WebOptions
from hookrt.web.parse_events import check_nesting
from hookrt.web.problem import ProblemDocument, Refusal
from hookrt.web.service import Service

OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/openapi.json"})
"""What anybody may see; everything else wants a token, or to be asked from this machine."""

_EXPLAIN_PATH = "/v1/explain"
_DECISION_PATH = "/v1/decisions"
_BULK_PATHS = frozenset({"/v1/deliveries/replay", "/v1/deliveries/cancel", "/v1/events/replay"})
_SLASHED = f"{INGEST_PATH}/"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_Scope = MutableMapping[str, Any]


def build_app(service: Service, options: WebOptions) -> WebApp:
    """The ASGI application that serves this runtime."""
    guard, bodies = options.guard or Guard(options.tokens), BodyReader()
    faults = Faults(options.log, options.mask)
    ingest = Ingest(service, guard, bodies, options.limits, faults)
    door = ApiDoor(build_api(service, options, faults), guard, bodies, options.limits.event, faults)
    return WebApp(ingest, door, InboundRoute(service, bodies, faults))


class WebApp:
    """Sends each request to its place. Never raises: whatever happens ends in an answer."""

    def __init__(self, ingest: Ingest, door: ApiDoor, inbound: InboundRoute) -> None:
        self._ingest = ingest
        self._door = door
        self._inbound = inbound

    async def __call__(self, scope: _Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of any kind that ASGI knows."""
        if scope["type"] == "http":
            if scope["path"] == INGEST_PATH and scope["method"] == "POST":
                await self._ingest(scope, receive, send)
            elif scope["path"].startswith(INBOUND_PREFIX):
                await self._inbound(scope, receive, send)
            else:
                await self._door(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})


class ApiDoor:
    """Stands before the API: checks who asks, and reads bodies within their limits."""

    def __init__(self, api: FastAPI, guard: Guard, bodies: BodyReader, limit: int, faults: Faults) -> None:
        self._api = api
        self._guard = guard
        self._bodies = bodies
        self._limit = limit
        self._faults = faults

    async def __call__(self, scope: _Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        head = dict(scope["headers"])
        try:
            needed = needed_scope(scope["method"], scope["path"])
            if scope["path"] not in OPEN_PATHS:
                self._guard.check(scope, head, needed)
            if scope["method"] == "POST" and scope["path"] == _SLASHED:
                raise Refusal(_slashed())
            if scope["method"] in _WITH_BODY:
                body = await self._bodies.read(head, receive, self._limit)
                check_nesting(body, around=1)
                self._check_body(scope, head, body)
                receive = _Replayed(body, receive)
        except ClientGone:
            return
        except Exception as error:  # the last place that can still answer
            await send_problem(send, self._faults.describe(error))
            return
        with contextlib.suppress(Exception, asyncio.CancelledError):  # answered by then: Starlette raises it once more
            await self._api(_as_mounted(scope), receive, send)

    def _check_body(self, scope: _Scope, head: Head, body: bytes) -> None:
        """Raise Refusal for a text that no store can keep, and for a job of somebody who may only look at one."""
        if scope["path"] in _BULK_PATHS and not _is_dry_run(body):
            self._guard.check(scope, head, Scope.ADMIN)
        if scope["path"] != _EXPLAIN_PATH and (fault := find_lone_surrogate(body)):
            faults = [{"in": "body", "name": "body", "detail": str(fault)}]
            raise Refusal(
                ProblemDocument(HTTPStatus.BAD_REQUEST, "request-invalid", f"body: {fault}", {"errors": faults})
            )


def _as_mounted(scope: _Scope) -> _Scope:
    """The request as web frameworks want it: a path that holds the place of the mount."""
    root = scope.get("root_path")
    return {**scope, "path": f"{root}{scope['path']}"} if root else scope


def needed_scope(method: str, path: str) -> Scope:
    """What a request to the API must be allowed before its body is read: reading, or, to change something, all.

    A dry run of the routes of many only reads; whether it is one, the body tells.
    """
    if method in {"GET", "HEAD"} or (method == "POST" and (path == _EXPLAIN_PATH or path in _BULK_PATHS)):
        return Scope.READ
    return Scope.EMIT if method == "POST" and path in (_SLASHED, _DECISION_PATH) else Scope.ADMIN


def _is_dry_run(body: bytes) -> bool:
    """Whether the body says so without a doubt, as the API will read it: of a key given twice, the last counts."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(asked, dict) and asked.get("dry_run") is True


def _slashed() -> ProblemDocument:
    """Else it would be the post to an event without an id, which says nothing to whoever added a slash."""
    detail = f"nothing is at {_SLASHED}: the route is {INGEST_PATH}, without the slash"
    return ProblemDocument(HTTPStatus.NOT_FOUND, "not-found", detail)


class _Replayed:
    """A receive that hands over a body that has been read before, then waits for the client to go."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> MutableMapping[str, Any]:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
