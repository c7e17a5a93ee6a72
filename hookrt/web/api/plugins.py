"""`/v1/plugins`, `/v1/sources`: what is installed, and what is declared."""

from __future__ import annotations

from fastapi import APIRouter

from hookrt.plugin.registry import PluginInfo
from hookrt.web.api.query import Runtime
from hookrt.web.api.shapes import Listed, PluginShown, SourceShown


def build_router() -> APIRouter:
    """The routes of this file."""
    router = APIRouter(tags=["plugins"])
    router.add_api_route("/plugins", list_plugins, methods=["GET"], summary="List plugins and their load errors")
    router.add_api_route("/sources", list_sources, methods=["GET"], summary="List the declared sources")
    return router


async def list_plugins(runtime: Runtime) -> Listed[PluginShown]:
    """Every plugin that was found: what it brought, or why it did not load."""
    return Listed(items=[_show(plugin) for plugin in runtime.registry.plugins])


async def list_sources(runtime: Runtime) -> Listed[SourceShown]:
    """The sources that hooks.yaml declares."""
    declared = runtime.configuration.sources if runtime.configuration else ()
    items = [
        SourceShown(
            name=source.name,
            plugin=source.plugin.name,
            types=None if source.types is None else list(source.types),
            place=None if source.place is None else str(source.place),
        )
        for source in declared
    ]
    return Listed(items=items)


def _show(plugin: PluginInfo) -> PluginShown:
    return PluginShown(
        entry_point=plugin.entry_point,
        distribution=plugin.distribution,
        version=plugin.version,
        module=plugin.module,
        actions=list(plugin.actions),
        sources=list(plugin.sources),
        errors=list(plugin.errors),
    )
