"""A runtime that lives as long as an ASGI server does, for applications that have no lifespan of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from hookrt.errors import HookrtError

if TYPE_CHECKING:
    from hookrt.runtime import Runtime

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]
"""Any ASGI application."""


def with_runtime(application: AsgiApp, runtime: Runtime, *, mounts: Mapping[str, AsgiApp] | None = None) -> AsgiApp:
    """The same application, with the runtime started before its first request and stopped after its last.

    For Django, which knows no lifespan: `application = with_runtime(get_asgi_application(), runtime)`. Where there is
    one (FastAPI, Starlette), use that. `mounts` are other applications by their path: `{"/hooks":
    runtime_app(runtime)}`. The server must serve the lifespan, as uvicorn, hypercorn and granian do.
    """
    places = {path.rstrip("/"): mounted for path, mounted in (mounts or {}).items()}

    async def serve(scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] == "lifespan":
            await live_with(runtime, receive, send)
            return
        root = scope.get("root_path", "")
        below = scope["path"].removeprefix(root) if root else scope["path"]
        for place, mounted in places.items():
            if below == place or below.startswith(f"{place}/"):
                await mounted({**scope, "root_path": root + place}, receive, send)
                return
        await application(scope, receive, send)

    return serve


async def live_with(runtime: Runtime, receive: _Receive, send: _Send) -> None:
    """Answer the server's lifespan: start the runtime, and stop it at the end.

    One that cannot start is said to the server in a sentence, which then ends.
    """
    await receive()
    try:
        await runtime.start()
    except (HookrtError, OSError) as error:
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await runtime.stop()
    await send({"type": "lifespan.shutdown.complete"})
