"""`/v1/plugins`: what is installed."""

from __future__ import annotations

from fastapi import APIRouter

from hookrt.plugin.registry import PluginInfo
from hookrt.web.api.query import Runtime
from hookrt.web.api.shapes import Listed, PluginShown


def build_router() -> APIRouter:
    """The routes of this file."""
    router = APIRouter(tags=["plugins"])
    router.add_api_route("/plugins", list_plugins, methods=["GET"], summary="List plugins and their load errors")
    return router


async def list_plugins(runtime: Runtime) -> Listed[PluginShown]:
    """Every plugin that was found: what it brought, or why it did not load."""
    return Listed(items=[_show(plugin) for plugin in runtime.registry.plugins])


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
