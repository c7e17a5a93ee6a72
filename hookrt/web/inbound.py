"""`/in/{name}`: webhooks that come in. Plain ASGI, without a token: each source verifies what it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from hookrt.clock import from_us
from hookrt.errors import EventTooLarge, UsageError
from hookrt.plugin.inbound import Inbound, Reply
from hookrt.plugin.inbound_body import MAX_FIELDS
from hookrt.web.answer import Send, send_problem, send_reply
from hookrt.web.body import BodyReader, ClientGone, Receive
from hookrt.web.faults import Faults
from hookrt.web.problem import ProblemDocument, Refusal
from hookrt.web.service import Service

PREFIX = "/in/"
"""Where the paths of sources begin."""

_STOPPING = ProblemDocument(
    HTTPStatus.SERVICE_UNAVAILABLE, "stopping", "the service is stopping: try again", headers={"retry-after": "5"}
)


class InboundRoute:
    """The ASGI application of the sources: reads a request, hands it to its source, sends the answer."""

    def __init__(self, service: Service, bodies: BodyReader, faults: Faults) -> None:
        self._service = service
        self._bodies = bodies
        self._faults = faults

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens ends in an answer."""
        try:
            reply = await self._serve(scope, receive)
        except ClientGone:
            return
        except (UsageError, asyncio.CancelledError):
            await send_problem(send, _STOPPING)
        except Exception as error:  # the last place that can still answer
            await send_problem(send, self._faults.describe(error))
        else:
            await send_reply(send, reply)

    async def _serve(self, scope: Mapping[str, Any], receive: Receive) -> Reply:
        name, door = scope["path"].removeprefix(PREFIX), self._service.inbound
        most = door.admit(name, scope["method"])
        if isinstance(most, Reply):
            return most
        try:
            body = await self._bodies.read(dict(scope["headers"]), receive, most)
        except EventTooLarge:
            return door.too_large(name, most)
        return await self._service.receive(name, read_request(scope, body, from_us(door.now_us())))


def read_request(scope: Mapping[str, Any], body: bytes, received: datetime) -> Inbound:
    """A request as sources see it; raises Refusal for a query that is too long."""
    headers = join_headers(scope["headers"])
    return Inbound(
        method=scope["method"],
        url=_url_of(scope, headers),
        headers=headers,
        query=_query_of(scope["query_string"]),
        body=body,
        received=received,
    )


def join_headers(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers as text, repeated ones joined."""
    found: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _url_of(scope: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """What the sender asked for, as far as a proxy in front says so."""
    scheme = headers.get("x-forwarded-proto", scope["scheme"]).partition(",")[0].strip()
    host = headers.get("x-forwarded-host", headers.get("host", "")).partition(",")[0].strip()
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return f"{scheme}://{host}{path}{'?' if query else ''}{query}"


def _query_of(query_string: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        detail = f"the query has more than {MAX_FIELDS} parameters"
        raise Refusal(ProblemDocument(HTTPStatus.BAD_REQUEST, "malformed", detail)) from None
    return dict(reversed(pairs))
