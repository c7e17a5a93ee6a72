"""The service's API inside another program's application: below any path, and open to whom the program says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from hookrt import Runtime
from hookrt.errors import UsageError
from hookrt.observability.metrics import Metrics
from hookrt.web import runtime_app, with_runtime

JSON = {"content-type": "application/json"}
EVENT = b'{"type": "A.B", "data": {"n": 1}}'
Ask = Callable[..., Awaitable[httpx.Response]]


def serve(application: Any, work: Callable[[Ask], Awaitable[None]], runtime: Runtime, **client: Any) -> None:
    """Ask an application while its runtime runs."""

    async def run() -> None:
        transport = httpx.ASGITransport(application, client=("127.0.0.1", 1234), **client)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(runtime)
            asking = await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")
            )
            await work(asking.request)

    asyncio.run(run())


def mounted(app: Any, path: str = "/hooks") -> Starlette:
    async def own(_: Any) -> PlainTextResponse:
        return PlainTextResponse("the host's")

    return Starlette(routes=[Mount(path, app), Route("/", own)])


@pytest.mark.parametrize("path", ["/hooks", "/v1", "/internal/hooks"])
def test_the_whole_api_is_served_below_any_path(path: str) -> None:
    runtime = Runtime(store="memory:")
    runtime.on("A.B", name="note")(lambda event: None)

    async def work(ask: Ask) -> None:
        posted = await ask("POST", f"{path}/v1/events", content=EVENT, headers=JSON)
        assert posted.status_code == 202
        [delivery] = posted.json()["deliveries"]
        assert (await ask("GET", f"{path}/v1/deliveries/{delivery}")).json()["hook"] == "note"
        assert (await ask("GET", f"{path}/readyz")).json()["ready"] is True
        assert (await ask("GET", f"{path}/in/nobody")).status_code == 404
        assert (await ask("GET", "/")).text == "the host's"

    serve(mounted(runtime_app(runtime, allow="local"), path), work, runtime)


def test_answers_name_the_paths_as_the_host_has_them() -> None:
    runtime = Runtime(store="memory:")

    async def work(ask: Ask) -> None:
        document = (await ask("GET", "/hooks/openapi.json")).json()
        assert document["servers"] == [{"url": "/hooks"}]
        missing = (await ask("GET", "/hooks/v1/nonsense")).json()["detail"]
        assert missing == "nothing is at /hooks/v1/nonsense; /hooks/openapi.json lists what is"
        refused = await ask("PUT", "/hooks/v1/events", content=b"{}", headers=JSON)
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")

    serve(mounted(runtime_app(runtime, allow="local")), work, runtime)


def test_as_long_as_nobody_says_who_may_use_it_nobody_may() -> None:
    """What a proxy on this machine passes on looks as if it came from this machine."""
    runtime = Runtime(store="memory:")

    async def work(ask: Ask) -> None:
        refused = await ask("GET", "/hooks/v1/events")
        assert (refused.status_code, refused.json()["title"]) == (403, "Forbidden")
        assert "tokens={...}" in refused.json()["detail"]
        assert (await ask("POST", "/hooks/v1/events", content=EVENT, headers=JSON)).status_code == 403
        assert (await ask("GET", "/hooks/metrics")).status_code == 403
        assert (await ask("GET", "/hooks/readyz")).status_code == 200

    serve(mounted(runtime_app(runtime)), work, runtime)


def test_where_it_is_said_this_machine_is_let_in_and_nothing_that_a_proxy_passed_on() -> None:
    runtime = Runtime(store="memory:")

    async def work(ask: Ask) -> None:
        assert (await ask("GET", "/hooks/v1/events")).status_code == 200
        for headers in ({"x-forwarded-for": "203.0.113.9"}, {"host": "example.com"}, {"origin": "https://example.com"}):
            assert (await ask("GET", "/hooks/v1/events", headers=headers)).status_code == 403
        assert (await ask("POST", "/hooks/v1/events", content=EVENT)).status_code == 415

    serve(mounted(runtime_app(runtime, allow="local")), work, runtime)
    app = runtime_app(runtime, allow="local")

    async def ask_as_nginx(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "http_version": "1.0"}, receive, send)

    async def refused(ask: Ask) -> None:
        assert (await ask("GET", "/hooks/v1/events")).status_code == 403

    serve(mounted(ask_as_nginx), refused, runtime)


def test_tokens_open_it_by_their_scopes() -> None:
    runtime = Runtime(store="memory:")
    app = runtime_app(runtime, tokens={"reader": ["read"], "emitter": ["emit"]})

    async def work(ask: Ask) -> None:
        def bearer(token: str) -> dict[str, str]:
            return {**JSON, "authorization": f"Bearer {token}", "host": "hooks.example.com"}

        assert (await ask("GET", "/hooks/v1/events")).status_code == 401
        assert (await ask("GET", "/hooks/v1/events", headers=bearer("reader"))).status_code == 200
        assert (await ask("POST", "/hooks/v1/events", content=EVENT, headers=bearer("reader"))).status_code == 403
        assert (await ask("POST", "/hooks/v1/events", content=EVENT, headers=bearer("emitter"))).status_code == 202

    serve(mounted(app), work, runtime)


def test_the_tokens_of_the_file_are_the_default(tmp_path: Path) -> None:
    file = tmp_path / "hooks.yaml"
    file.write_text('service: {tokens: [{token: "${{ secrets.T }}", scopes: [read]}]}\nhooks: {}\n')
    runtime = Runtime.from_file(file, store="memory:", env={"HOOKRT_SECRET_T": "from-the-file-1234"})

    async def work(ask: Ask) -> None:
        assert (await ask("GET", "/hooks/v1/events")).status_code == 401
        headers = {"authorization": "Bearer from-the-file-1234"}
        assert (await ask("GET", "/hooks/v1/events", headers=headers)).status_code == 200

    serve(mounted(runtime_app(runtime)), work, runtime)


def test_the_host_can_decide_itself_and_pages_of_others_get_nothing() -> None:
    runtime = Runtime(store="memory:")
    asked: list[str] = []

    def allow(scope: Any, needed: str) -> bool:
        asked.append(needed)
        return (b"cookie", b"staff=1") in scope["headers"]

    async def work(ask: Ask) -> None:
        staff = {"cookie": "staff=1", "host": "shop.example.com"}
        assert (await ask("GET", "/hooks/v1/events")).status_code == 403
        assert (await ask("GET", "/hooks/v1/events", headers=staff)).status_code == 200
        posted = await ask("POST", "/hooks/v1/events", content=EVENT, headers={**staff, **JSON})
        assert posted.status_code == 202
        assert asked == ["read", "read", "emit"]
        form = {**staff, "content-type": "text/plain"}
        assert (await ask("POST", "/hooks/v1/events", content=EVENT, headers=form)).status_code == 415
        foreign = {**staff, **JSON, "origin": "https://evil.example"}
        assert (await ask("POST", "/hooks/v1/events", content=EVENT, headers=foreign)).status_code == 403
        own = {**staff, **JSON, "origin": "https://shop.example.com"}
        assert (await ask("POST", "/hooks/v1/events", content=EVENT, headers=own)).status_code == 202

    serve(mounted(runtime_app(runtime, allow=allow)), work, runtime)


def test_only_true_opens_it() -> None:
    runtime = Runtime(store="memory:")

    async def work(ask: Ask) -> None:
        assert (await ask("GET", "/hooks/v1/events")).status_code == 403

    serve(mounted(runtime_app(runtime, allow=lambda scope, needed: "yes")), work, runtime)  # type: ignore[return-value]


@pytest.mark.parametrize(
    "options",
    [{"tokens": {}}, {"tokens": {"has space": ["read"]}}, {"tokens": {"t": ["nonsense"]}}],
)
def test_tokens_that_cannot_be_are_refused(options: Any) -> None:
    with pytest.raises(UsageError, match="tokens"):
        runtime_app(Runtime(store="memory:"), **options)


def test_a_word_that_lets_nobody_in_is_refused() -> None:
    with pytest.raises(UsageError, match="'local'"):
        runtime_app(Runtime(store="memory:"), allow="lokal")  # type: ignore[arg-type]


def test_an_async_function_that_nobody_would_await_is_refused() -> None:
    async def allow(scope: Any, needed: str) -> bool:
        return True

    with pytest.raises(UsageError, match="plain function"):
        runtime_app(Runtime(store="memory:"), allow=allow)  # type: ignore[arg-type]


def test_tokens_and_allow_are_not_given_both() -> None:
    with pytest.raises(UsageError, match="not both"):
        runtime_app(Runtime(store="memory:"), tokens={"t": ["read"]}, allow=lambda scope, needed: True)


def test_metrics_are_shown_where_the_host_wants_them() -> None:
    metrics = Metrics()
    runtime = Runtime(store="memory:", observers=[metrics])

    async def work(ask: Ask) -> None:
        await ask("POST", "/hooks/v1/events", content=EVENT, headers=JSON)
        assert "hookrt_events_total" in (await ask("GET", "/hooks/metrics")).text

    serve(mounted(runtime_app(runtime, allow="local", metrics=metrics)), work, runtime)


def test_before_the_runtime_runs_and_after_it_the_answer_is_503() -> None:
    runtime = Runtime(store="memory:")
    app = mounted(runtime_app(runtime, allow="local"))

    async def run() -> None:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as asking:
            for _ in range(2):
                posted = await asking.post("/hooks/v1/events", content=EVENT, headers=JSON)
                assert (posted.status_code, posted.headers["retry-after"]) == (503, "5")
                assert (await asking.get("/hooks/readyz")).status_code == 503
                async with runtime:
                    assert (await asking.get("/hooks/readyz")).status_code == 200

    asyncio.run(run())


async def live(application: Any, during: Callable[[], Awaitable[None]]) -> list[dict[str, Any]]:
    """The lifespan as a server plays it; what the application said."""
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    serving = asyncio.ensure_future(application({"type": "lifespan"}, told.get, said.put))
    await told.put({"type": "lifespan.startup"})
    heard = [await said.get()]
    if heard[0]["type"] == "lifespan.startup.complete":
        await during()
        await told.put({"type": "lifespan.shutdown"})
        heard.append(await said.get())
    await serving
    return heard


def test_an_application_without_a_lifespan_gets_the_runtime_s() -> None:
    runtime = Runtime(store="memory:")

    async def host(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await PlainTextResponse("the host's")(scope, receive, send)

    application = with_runtime(host, runtime, mounts={"/hooks/": runtime_app(runtime)})

    async def during() -> None:
        assert runtime.ready
        transport = httpx.ASGITransport(application, client=("127.0.0.1", 1234))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as asking:
            assert (await asking.get("/hooks/readyz")).json()["ready"] is True
            assert (await asking.get("/hooksandmore")).text == "the host's"

    heard = asyncio.run(live(application, during))
    assert [one["type"] for one in heard] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert not runtime.ready


def test_a_runtime_that_cannot_start_is_said_to_the_server_in_a_sentence(tmp_path: Path) -> None:
    runtime = Runtime(store=f"sqlite:///{tmp_path / 'missing' / 'app.db'}")

    async def during() -> None:
        raise AssertionError

    [heard] = asyncio.run(live(runtime_app(runtime), during))
    assert heard["type"] == "lifespan.startup.failed"
    assert "missing" in heard["message"]
    assert "\n" not in heard["message"]
