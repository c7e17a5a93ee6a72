"""The API as a FastAPI application, every error of it a problem document."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from hookrt.errors import HookrtError
from hookrt.web.api import config, decisions, deliveries, events, health, hooks, jobs, plugins, sources, trials
from hookrt.web.api.invalid import describe_fault
from hookrt.web.api.openapi import PROBLEM_RESPONSE, describe
from hookrt.web.faults import Faults
from hookrt.web.options import WebOptions
from hookrt.web.problem import CONTENT_TYPE, ProblemDocument, Refusal
from hookrt.web.service import Service

INGEST_PATH = "/v1/events"
"""Where events are posted; the posts themselves never come here."""

_ABOUT = "Events come in, hooks match them, and each match is a delivery. Errors are problem documents (RFC 9457)."
_Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]


def build_api(service: Service, options: WebOptions, faults: Faults) -> FastAPI:
    """The application of everything but `POST /v1/events`. It trusts its caller: a guard must stand before it."""
    app = FastAPI(
        title="hookrt",
        version=version("hookrt"),
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=_build_handlers(faults),
    )
    app.state.service = service
    app.state.limits = options.limits
    app.state.metrics = options.metrics
    app.include_router(_build_v1())
    app.include_router(health.build_router())
    app.openapi = functools.cache(functools.partial(describe, app))  # type: ignore[method-assign]
    return app


def _build_v1() -> APIRouter:
    router = APIRouter(prefix="/v1", responses=PROBLEM_RESPONSE)
    for module in (jobs, events, decisions, deliveries, hooks, trials, plugins, sources, config):
        router.include_router(module.build_router())
    return router


def _build_handlers(faults: Faults) -> dict[int | type[Exception], _Handler]:
    async def answer_fault(_: Request, error: Exception) -> Response:
        return _respond(faults.describe(error))

    return {
        HTTPException: _answer_http,
        RequestValidationError: _answer_invalid,
        Refusal: answer_fault,
        HookrtError: answer_fault,
        Exception: answer_fault,
    }


async def _answer_http(request: Request, error: HTTPException) -> Response:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    kind, detail, root = "http", str(error.detail), request.scope.get("root_path", "")
    if error.status_code == HTTPStatus.NOT_FOUND:
        kind, detail = "not-found", f"nothing is at {request.url.path}; {root}{request.app.openapi_url} lists what is"
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        if request.url.path == f"{root}{INGEST_PATH}":
            headers["allow"] = "GET, POST"
        kind = "method-not-allowed"
        detail = f"{request.method} cannot be used at {request.url.path}, only {headers.get('allow', '')}"
    return _respond(ProblemDocument(error.status_code, kind, detail, headers=headers))


async def _answer_invalid(request: Request, error: RequestValidationError) -> Response:
    faults = [describe_fault(found, error.body, request.scope.get("route")) for found in error.errors()]
    detail = "; ".join(f"{fault['name']}: {fault['detail']}" for fault in faults[:5])
    return _respond(ProblemDocument(HTTPStatus.BAD_REQUEST, "request-invalid", detail, {"errors": faults}))


def _respond(problem: ProblemDocument) -> Response:
    headers = {"cache-control": "no-store", **problem.headers}
    return Response(problem.encode(), problem.status, headers, media_type=CONTENT_TYPE)
