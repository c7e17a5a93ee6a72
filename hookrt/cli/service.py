"""A runtime and its HTTP door in one process, started and stopped in the right order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from hookrt.cli.event_loop import spare_the_collector
from hookrt.config.service import ServiceSettings
from hookrt.errors import HookrtError, StoreLocked
from hookrt.observability.log import get_log
from hookrt.observability.metrics import Metrics
from hookrt.runtime import Runtime
from hookrt.web.app import build_app
from hookrt.web.load import load_of
from hookrt.web.options import WebOptions, limits_of, tokens_of
from hookrt.web.server import WebServer

_LAST_REQUESTS = timedelta(seconds=1)
"""How long requests under way may take after the service was asked to stop; the deliveries' own time follows."""


@dataclass(slots=True)
class Service:
    """What runs; `finished` says after the end whether every attempt under way could finish."""

    runtime: Runtime
    server: WebServer
    finished: bool = True


@asynccontextmanager
async def serving(runtime: Runtime, settings: ServiceSettings, metrics: Metrics) -> AsyncIterator[Service]:
    """Serve a runtime as long as the block lasts; then take no more requests, and drain.

    The address is taken before anything is started. Raises HookrtError in one sentence when something cannot be
    had, StoreLocked when another process delivers from the store.
    """
    metrics.load = lambda: load_of(runtime)
    metrics.plugin_failed(sum(len(plugin.errors) for plugin in runtime.registry.plugins))
    service = Service(runtime, WebServer(_app(runtime, settings, metrics), settings.host, settings.port))
    service.server.bind()
    try:
        await runtime.start()
        await _refuse_second(runtime)
        await service.server.start()
        spare_the_collector()
        yield service
    finally:
        if runtime.ready:
            runtime.control.feed.close()  # so that nobody who follows it holds up the end
        await service.server.stop(_LAST_REQUESTS)
        service.finished = await runtime.stop(settings.drain)


async def _refuse_second(runtime: Runtime) -> None:
    if runtime.leading:
        return
    holder = await runtime.store.leader() or "another process"
    raise StoreLocked(
        f"{holder} delivers from {runtime.store.url} already: stop it first, or use another store with --store"
    )


def _app(runtime: Runtime, settings: ServiceSettings, metrics: Metrics) -> object:
    try:
        tokens = tokens_of(settings)
    except ValueError as error:
        raise HookrtError(f"service.tokens: {error}") from None
    options = WebOptions(
        log=get_log("web", runtime.mask),
        tokens=tokens,
        limits=limits_of(settings),
        metrics=metrics.render,
        mask=runtime.mask,
    )
    return build_app(runtime, options)
