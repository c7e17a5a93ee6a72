"""`/v1/sources`: where events come from, and what came in."""

from __future__ import annotations

from fastapi import APIRouter

from hookrt.clock import from_us
from hookrt.config.sources import SourceEntry
from hookrt.runtime.source_facts import source_details, source_facts, upcoming_times
from hookrt.web.api.query import Runtime, not_found
from hookrt.web.api.shapes import Listed, SourceDetail, SourceShown
from hookrt.web.service import Service


def build_router() -> APIRouter:
    """The routes of this file."""
    router = APIRouter(tags=["sources"])
    router.add_api_route("/sources", list_sources, methods=["GET"], summary="List the declared sources")
    router.add_api_route("/sources/{name}", get_source, methods=["GET"], summary="One source")
    return router


async def list_sources(runtime: Runtime) -> Listed[SourceShown]:
    """The sources that hooks.yaml declares, with what came in for each since this process started."""
    accounts = runtime.inbound.accounts()
    return Listed(items=[SourceShown(**source_facts(entry, accounts.get(entry.name))) for entry in _entries(runtime)])


async def get_source(name: str, runtime: Runtime) -> SourceDetail:
    """One source with its settings, secrets masked."""
    entry = next((one for one in _entries(runtime) if one.name == name), None)
    if entry is None:
        raise not_found(f"there is no source {name[:64]!r}")
    inbound = runtime.inbound
    details = source_details(entry, runtime.mask, inbound.accounts().get(name))
    return SourceDetail(**details, upcoming=upcoming_times(entry, from_us(inbound.now_us())))


def _entries(runtime: Service) -> tuple[SourceEntry, ...]:
    return runtime.configuration.sources if runtime.configuration else ()
