"""`POST /v1/events`: the hot path, plain ASGI in front of the web framework."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import msgspec

from hookrt.errors import EventError, NotFound, UsageError
from hookrt.web.answer import Send, send_json, send_problem
from hookrt.web.auth import Guard, Scope
from hookrt.web.body import BodyReader, ClientGone, Receive
from hookrt.web.faults import Faults
from hookrt.web.idempotency import HEADER, identify, read_key
from hookrt.web.parse_events import Form, Headers, Limits, Parsed, UnknownForm, form_of, parse_events
from hookrt.web.problem import ProblemDocument, Refusal, describe_error
from hookrt.web.service import Accepted, Service

SOURCE = "http"
"""The source of events whose sender names none."""

_IN_THREAD = 128 * 1024
"""Bodies above this many bytes are read in a thread, so that they hold up nobody else."""

_encode = msgspec.json.Encoder().encode


class _Shown(msgspec.Struct, gc=False):
    id: str
    deliveries: tuple[str, ...]
    duplicate: bool


class Ingest:
    """The ASGI application of one route: reads, accepts, and answers 202 after the commit."""

    def __init__(self, service: Service, guard: Guard, bodies: BodyReader, limits: Limits, faults: Faults) -> None:
        self._service = service
        self._guard = guard
        self._bodies = bodies
        self._limits = limits
        self._faults = faults

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens ends in an answer."""
        headers: Headers = scope["headers"]
        head = dict(headers)
        try:
            self._guard.check(scope, head, Scope.EMIT)
            form = form_or_refuse(head)
            key = read_key(headers) if HEADER in head else None
            body = await self._bodies.read(head, receive, self._limits.of(form))
            if len(body) > _IN_THREAD:
                parsed = await asyncio.to_thread(parse_events, form, headers, body, self._limits)
            else:
                parsed = parse_events(form, headers, body, self._limits)
            if key is not None:
                parsed = parsed._replace(drafts=identify(parsed.drafts, key, batch=parsed.batch))
            if scope["query_string"] and (only := self._only(scope["query_string"])) is not None:
                parsed = parsed._replace(drafts=[replace(draft, only=only) for draft in parsed.drafts])
            shown = await self._accept(parsed)
        except ClientGone:
            return
        except asyncio.CancelledError:
            shown = None
        except Exception as error:  # the last place that can still answer
            await send_problem(send, self._faults.describe(error))
            return
        if shown is None:
            await send_problem(send, _STOPPING)
        else:
            await send_json(send, HTTPStatus.ACCEPTED, shown)

    def _only(self, query: bytes) -> str | None:
        """The one hook that may have these events, if the sender names one; raises NotFound for an unknown one."""
        given = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("only")
        if given is not None and self._service.router.get(given[-1]) is None:
            raise NotFound(f"no hook is named {given[-1]!r}")
        return None if given is None else given[-1]

    async def _accept(self, parsed: Parsed) -> bytes:
        if not parsed.drafts:
            return _show_batch(())
        try:
            accepted = await self._service.accept(parsed.drafts, default_source=SOURCE)
        except UsageError:
            raise Refusal(_STOPPING) from None
        except EventError as error:
            raise _name_event(error, parsed) from None
        return _show_batch(accepted) if parsed.batch else _encode(_show(accepted[0]))


_STOPPING = ProblemDocument(
    HTTPStatus.SERVICE_UNAVAILABLE, "stopping", "the service is stopping: try again", headers={"retry-after": "5"}
)


def form_or_refuse(head: Mapping[bytes, bytes]) -> Form:
    """How the events of this request are written; raises Refusal for a type that events do not come in."""
    try:
        return form_of(head)
    except UnknownForm as error:
        raise Refusal(
            ProblemDocument(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", str(error))
        ) from None


def _name_event(error: EventError, parsed: Parsed) -> Refusal:
    """The same error, saying which event is at fault where there are many."""
    index, error.index = error.index or 0, None
    if not parsed.batch:
        return Refusal(describe_error(error))
    line = parsed.lines[index] if parsed.lines else None
    where = f"the event at index {index}" if line is None else f"line {line}"
    document = describe_error(error)
    more = {**document.more, "index": index} if line is None else {**document.more, "index": index, "line": line}
    return Refusal(replace(document, detail=f"{where}: {document.detail}", more=more))


def _show_batch(accepted: Sequence[Accepted]) -> bytes:
    return _encode({"events": [_show(one) for one in accepted]})


def _show(one: Accepted) -> _Shown:
    return _Shown(one.id, one.deliveries, one.duplicate)
