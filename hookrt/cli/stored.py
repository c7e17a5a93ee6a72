"""The service's own API on the file of a store, in this process: for reading while no service runs.

What it answers is what the service would answer, since it is the same code; only the hooks come from hooks.yaml as it
is now. The runtime behind it is never started: it delivers nothing and takes nothing in.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from hookrt.cli.client import Address, Client, NobodyAnswers
from hookrt.cli.project import DEFAULT_PATH, Project, open_project
from hookrt.cli.render import Screen
from hookrt.config.load import Configuration
from hookrt.errors import ConfigError, HookrtError
from hookrt.observability.log import get_log
from hookrt.runtime import Runtime
from hookrt.store.open import default_store_url, file_of
from hookrt.web.api.app import build_api
from hookrt.web.faults import Faults
from hookrt.web.options import WebOptions


@contextmanager
def reading(store: str | None, silence: NobodyAnswers | None, *, hooks: bool = False) -> Iterator[Client]:
    """A client that is answered from a store's file as long as the block lasts.

    The store is the one that `hookrt run` would use here, unless `store` is its URL. With `hooks` it is hooks.yaml that
    is asked for, and must be usable. `silence` says why no service is asked, which is told on stderr. Raises
    HookrtError in one sentence where there is no store, ConfigError where hooks.yaml is needed and cannot be used.
    """
    if hooks and silence is not None and not DEFAULT_PATH.exists():
        way_out = "start it with `hookrt run`, set HOOKRT_URL to where it runs, or go to the folder of its hooks.yaml"
        raise HookrtError(f"{silence.what}, and there is no {DEFAULT_PATH} here to read with a store: {way_out}")
    named = _store_url(store)
    if named is not None:  # first, since a wrong one makes hooks.yaml unusable too
        _check_there(named, silence)
    project = _project(store, needed=hooks)
    configuration = _configuration(project, needed=hooks or named is None)
    url = named or _own_store(configuration)
    _check_there(url, silence)
    if silence is not None:
        Screen(sys.stderr).line((f"read from {url}, since {silence.what}", "dim"))
    runtime = Runtime(
        store=url,
        configuration=configuration,
        registry=project.registry if project else None,
        env=project.env if project else os.environ,
    )
    with _served_here(runtime) as client:
        yield client


def _project(store: str | None, *, needed: bool) -> Project | None:
    if not needed and not DEFAULT_PATH.exists():
        return None
    return replace(open_project(None), settings={"store": store})


def _configuration(project: Project | None, *, needed: bool) -> Configuration | None:
    """What hooks.yaml says, None where it says nothing that can be used."""
    if project is None:
        return None
    loaded = project.load("warn")
    if loaded.configuration is None:
        if needed:
            raise ConfigError(loaded.problems)
        note = f"{project.path} cannot be used, so that the steps to come of open deliveries are not shown"
        Screen(sys.stderr).line((note, "yellow"))
    return loaded.configuration


def _store_url(store: str | None) -> str | None:
    """The URL of the store where it is named outside of hooks.yaml."""
    return store or os.environ.get("HOOKRT_STORE") or None


def _own_store(configuration: Configuration | None) -> str:
    """The store that hooks.yaml names, or the one beside it."""
    if configuration is None:
        return default_store_url(Path())
    return configuration.service.store or default_store_url(configuration.base_dir)


def _check_there(url: str, silence: NobodyAnswers | None) -> None:
    path = file_of(url)
    if path is not None and path.exists():
        return
    missing = f"the store {url} is no file" if path is None else f"there is no store at {path}"
    if silence is None:
        raise HookrtError(f"{missing}: name another one with --store")
    way_out = "start it with `hookrt run`, set HOOKRT_URL to where it runs, or name its store with --store"
    raise HookrtError(f"{silence.what}, and {missing}: {way_out}")


@contextmanager
def _served_here(runtime: Runtime) -> Iterator[Client]:
    log = get_log("web", runtime.mask)
    api = build_api(runtime, WebOptions(log=log), Faults(log, runtime.mask))
    with asyncio.Runner() as runner:
        runner.run(runtime.store.open())
        try:
            idle = runner.run(runtime.store.leader()) is None
            with Client(Address(), _InProcess(runner, httpx.ASGITransport(api)), idle=idle) as client:
                yield client
        finally:
            runner.run(runtime.store.close())


class _InProcess(httpx.BaseTransport):
    """Hands requests to an application in this process, and waits for its answers."""

    def __init__(self, runner: asyncio.Runner, application: httpx.ASGITransport) -> None:
        self._runner = runner
        self._application = application

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The application's answer, read whole."""
        return self._runner.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._application.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())
