"""`/healthz`, `/readyz`, `/metrics`, and a word at `/`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from hookrt.web.api.query import Runtime, not_found
from hookrt.web.api.shapes import Greeting, Health


def build_router() -> APIRouter:
    """The routes of this file."""
    router = APIRouter(tags=["service"])
    router.add_api_route("/", greet, methods=["GET"], summary="What answers here")
    router.add_api_route("/healthz", healthz, methods=["GET"], summary="Whether the process answers")
    router.add_api_route("/readyz", readyz, methods=["GET"], summary="Whether events are taken", response_model=None)
    router.add_api_route("/metrics", metrics, methods=["GET"], summary="Figures for Prometheus", response_model=None)
    router.add_api_route("/healthz", healthz, methods=["HEAD"], include_in_schema=False)
    router.add_api_route("/readyz", readyz, methods=["HEAD"], include_in_schema=False, response_model=None)
    return router


async def greet() -> Greeting:
    """The service's name and where to read on."""
    return Greeting()


async def healthz() -> Health:
    """200 as long as the process answers at all."""
    return Health()


async def readyz(runtime: Runtime) -> JSONResponse:
    """200 when events are taken, 503 when not.

    `delivering` says whether it is this process that delivers them. `configuration` is `rejected` while the files have
    errors, so that an earlier state of them is in use: `GET /v1/config` shows the problems. Else it is `current`.
    `actions` are facts that actions report of themselves, such as how far snippets are isolated, and their `warnings`,
    with which events are taken all the same. `sources_away` are those from which nothing comes now, and why.
    """
    ready, last = runtime.ready, runtime.last_reload
    configuration = "current" if last is None or last.accepted else "rejected"
    shown = {"ready": ready, "delivering": runtime.leading, "configuration": configuration}
    return JSONResponse({**shown, **_actions(runtime), **_sources(runtime)}, status_code=200 if ready else 503)


def _actions(runtime: Runtime) -> dict[str, Any]:
    reports = {
        name: {**report.facts, **({"warnings": list(report.warnings)} if report.warnings else {})}
        for name, report in runtime.action_reports.items()
    }
    return {"actions": reports} if reports else {}


def _sources(runtime: Runtime) -> dict[str, Any]:
    away = {name: account.away for name, account in runtime.inbound.accounts().items() if account.away}
    return {"sources_away": away} if away else {}


async def metrics(request: Request) -> Response:
    """All figures in Prometheus' text format."""
    render = request.app.state.metrics
    if render is None:
        raise not_found("this service keeps no metrics")
    content, content_type = render(request.headers.get("accept", ""))
    return Response(content, media_type=content_type)
