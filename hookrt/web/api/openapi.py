"""The OpenAPI document: FastAPI's own, with the ingest route, problem documents and tokens added."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from hookrt.web.api.shapes import AcceptedBatch, AcceptedEvent, EventPosted, Problem
from hookrt.web.idempotency import describe_header
from hookrt.web.parse_events import MAX_BATCH
from hookrt.web.problem import CONTENT_TYPE

_REF = "#/components/schemas/"
_ADDED: tuple[type[BaseModel], ...] = (AcceptedBatch, AcceptedEvent, EventPosted, Problem)
_ERRORS = {
    "400": "Not an event: the reason, with position, line and column where they are known; in a batch, the index",
    "401": "No token, or an unknown one",
    "403": "The token does not allow it, or the service has none and is asked from elsewhere",
    "404": "No hook has the name given as `only`",
    "408": "The body did not come in time",
    "409": "An event with the same source and id, but other content, is stored already",
    "413": "Above the size limit of an event or a batch",
    "415": "A Content-Type that events do not come in, or a compressed body",
    "503": "Nothing more can be taken now; Retry-After says when to try again",
}
_TEXT = f"""Stores one event or a batch and answers when it is on disk.

A batch (a JSON array, NDJSON, or a CloudEvents batch) is all or nothing, holds at most {MAX_BATCH} events, and is
answered in its order; an empty array is answered with an empty list. `data` goes out byte for byte as it came in."""

PROBLEM_RESPONSE: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "An error, as a problem document",
        "content": {CONTENT_TYPE: {"schema": {"$ref": _REF + "Problem"}}},
    }
}
"""How every route of the API answers errors."""


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the whole service."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    _, added = models_json_schema([(model, "validation") for model in _ADDED], ref_template=_REF + "{model}")
    schemas.update(added["$defs"])
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}, {}]
    document["paths"].setdefault("/v1/events", {})["post"] = _describe_ingest()
    return document


_ONLY: dict[str, Any] = {
    "name": "only",
    "in": "query",
    "required": False,
    "description": "The name of the one hook that may have these events; all others are as if they were not there.",
    "schema": {"type": "string"},
}


def _describe_ingest() -> dict[str, Any]:
    problem = {CONTENT_TYPE: {"schema": {"$ref": _REF + "Problem"}}}
    errors = {status: {"description": text, "content": problem} for status, text in _ERRORS.items()}
    accepted = {"anyOf": [{"$ref": _REF + "AcceptedEvent"}, {"$ref": _REF + "AcceptedBatch"}]}
    stored = {"description": "Stored", "content": {"application/json": {"schema": accepted}}}
    return {
        "tags": ["events"],
        "summary": "Send events",
        "description": _TEXT,
        "operationId": "post_events",
        "parameters": [describe_header(), _ONLY],
        "requestBody": {"required": True, "content": _describe_forms()},
        "responses": {"202": stored, **errors},
    }


def _describe_forms() -> dict[str, Any]:
    posted = {"$ref": _REF + "EventPosted"}
    cloud = {"type": "object", "required": ["specversion", "id", "source", "type"], "description": "A CloudEvent 1.0"}
    return {
        "application/json": {"schema": {"anyOf": [posted, {"type": "array", "items": posted}]}},
        "application/x-ndjson": {"schema": {"type": "string", "description": "One event a line"}},
        "application/cloudevents+json": {"schema": cloud},
        "application/cloudevents-batch+json": {"schema": {"type": "array", "items": cloud}},
        "*/*": {"schema": {"description": "A CloudEvent in binary mode: its attributes as ce- headers, its data here"}},
    }
