"""The service's API as an ASGI application that a host mounts where it likes."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Literal

from hookrt.errors import UsageError
from hookrt.observability.log import get_log
from hookrt.web.answer import Send
from hookrt.web.app import WebApp, build_app
from hookrt.web.auth import Guard, Token
from hookrt.web.body import Receive
from hookrt.web.host_guard import Allow, ClosedGuard, HostGuard
from hookrt.web.lifespan import live_with
from hookrt.web.load import load_of
from hookrt.web.options import WebOptions, limits_of, tokens_of
from hookrt.web.parse_events import Limits

if TYPE_CHECKING:
    from hookrt.observability.metrics import Metrics
    from hookrt.runtime import Runtime


def runtime_app(
    runtime: Runtime,
    *,
    tokens: Mapping[str, Iterable[str]] | None = None,
    allow: Allow | Literal["local"] | None = None,
    metrics: Metrics | None = None,
) -> RuntimeApp:
    """Everything that `hookrt run` serves, for this runtime: `app.mount("/hooks", runtime_app(runtime))`.

    Who may use it: whoever has one of `tokens` (`{"the token": ["emit", "read"]}`, by default those of
    `service.tokens`); or whom the host lets in by `allow`, in their place. With neither nobody may, since a proxy on
    this machine makes everybody look local; `allow="local"` is for where there is none: it lets in what asks from this
    machine, as `hookrt run` does. Raises UsageError for tokens that cannot be. `metrics`, one of the runtime's
    observers, is what `/metrics` shows.
    """
    held = _tokens(runtime, tokens, allow)
    return RuntimeApp(runtime, build_app(runtime, _options(runtime, held, _guard(held, allow), metrics)))


class RuntimeApp:
    """The API below whatever path it is mounted at.

    It does not start the runtime where it is mounted: the host does. Served by itself (`uvicorn module:app`) it does.
    """

    def __init__(self, runtime: Runtime, served: WebApp) -> None:
        self._runtime = runtime
        self._served = served

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection of any kind that ASGI knows."""
        if scope["type"] == "lifespan":
            await live_with(self._runtime, receive, send)
        elif scope["type"] == "http" and (mount := scope.get("root_path", "").rstrip("/")):
            await self._served({**scope, "path": _path_below(mount, scope["path"]), "root_path": mount}, receive, send)
        else:
            await self._served(scope, receive, send)


def _path_below(mount: str, path: str) -> str:
    """The path as the API knows it; servers differ in whether theirs holds the place of the mount."""
    if path == mount or path.startswith(f"{mount}/"):
        return path.removeprefix(mount) or "/"
    return path


def _guard(tokens: tuple[Token, ...], allow: Allow | str | None) -> Guard:
    if inspect.iscoroutinefunction(allow):
        raise UsageError("`allow` must be a plain function: nobody awaits it, so that an async one would let nobody in")
    if callable(allow):
        return HostGuard(allow)
    if allow not in ("local", None):
        raise UsageError(f"`allow` is a function or 'local', not {allow!r}")
    return Guard(tokens) if tokens or allow == "local" else ClosedGuard()


def _options(runtime: Runtime, tokens: tuple[Token, ...], guard: Guard, metrics: Metrics | None) -> WebOptions:
    if metrics is not None:
        metrics.load = lambda: load_of(runtime)
    service = runtime.configuration.service if runtime.configuration else None
    return WebOptions(
        log=get_log("web", runtime.mask),
        tokens=tokens,
        limits=limits_of(service) if service else Limits(),
        metrics=metrics.render if metrics else None,
        mask=runtime.mask,
        guard=guard,
    )


def _tokens(runtime: Runtime, given: Mapping[str, Iterable[str]] | None, allow: object) -> tuple[Token, ...]:
    if given is not None and allow is not None:
        raise UsageError("give `tokens` or `allow`, not both: one of them decides who may use the API")
    if given is not None and not given:
        raise UsageError("`tokens` is empty, which would close nothing: leave it out, or name one")
    try:
        if given is not None:
            return tuple(Token.make(text, scopes) for text, scopes in given.items())
        return tokens_of(runtime.configuration.service) if runtime.configuration and allow is None else ()
    except ValueError as error:
        raise UsageError(f"tokens: {error}") from None
