"""One runtime, several lives: started again after a stop, in another event loop, and misused across loops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from hookrt import Runtime
from hookrt.errors import EventError, UsageError
from hookrt.runtime import BlockingRuntime
from hookrt.testing import Receiver


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'app.db'}" if request.param == "sqlite" else "memory:"


def test_after_a_stop_it_can_be_started_again_in_another_event_loop(store: str) -> None:
    """As an application's tests do, whose runtime is made once, and whose lifespan is entered by each test."""
    with Receiver() as receiver:
        hooks = {"sent": {"on": "A.B", "steps": [{"webhook": receiver.url}]}}
        runtime = Runtime.from_dict({"hooks": hooks}, store=store)
        runtime.on("A.B", name="called")(lambda event: None)

        async def live() -> list[str]:
            async with runtime:
                found = await (await runtime.emit("A.B")).wait(timeout=20)
                return [one.status.value for one in found]

        assert [asyncio.run(live()) for _ in range(3)] == [["succeeded"] * 2] * 3
        with runtime.blocking() as blocking:
            blocking.wait(blocking.emit("A.B"), timeout=20)
        assert len(receiver.requests) == 4


def test_each_test_of_an_application_can_enter_its_lifespan(store: str) -> None:
    runtime = Runtime(store=store)
    runtime.on("A.B", name="h")(lambda event: None)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with runtime:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/orders")
    async def order() -> Any:
        found = await (await runtime.emit("A.B")).wait(timeout=20)
        return [one.status.value for one in found]

    async def test() -> None:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop")
        async with app.router.lifespan_context(app), client:
            assert (await client.post("/orders")).json() == ["succeeded"]

    asyncio.run(test())
    asyncio.run(test())


def test_a_call_from_another_event_loop_says_so_and_harms_nothing(store: str) -> None:
    runtime = Runtime(store=store)
    runtime.on("A.B", name="h")(lambda event: None)
    runtime.on("Pre", name="d", mode="decide")(lambda event: {"decision": "allow"})
    said: list[str] = []

    def call_wrongly() -> None:
        for method in (lambda: runtime.emit("A.B"), runtime.start, runtime.stop, lambda: runtime.decide("Pre")):
            with pytest.raises(UsageError) as raised:
                asyncio.run(method())
            said.append(str(raised.value))

    async def work() -> None:
        async with runtime:
            thread = threading.Thread(target=call_wrongly)
            thread.start()
            await asyncio.to_thread(thread.join)
            for _ in range(3):
                [delivery] = await (await runtime.emit("A.B")).wait(timeout=20)
                assert delivery.status == "succeeded"

    asyncio.run(work())
    assert len(said) == 4
    assert all(one.startswith("this runtime runs in another event loop") for one in said)


def test_a_runtime_whose_event_loop_was_closed_under_it_says_so() -> None:
    runtime = Runtime(store="memory:")
    asyncio.run(runtime.start())
    for method in (lambda: runtime.emit("A.B"), runtime.start, runtime.stop):
        with pytest.raises(UsageError, match="closed before it was stopped"):
            asyncio.run(method())


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"event": None}, "'type' must be text, this is NoneType"),
        ({"event": "A.B", "id": 5}, "'id' must be text, this is int"),
        ({"event": "A.B", "time": "now"}, "'time' must be a datetime, this is str"),
        ({"event": "A.B", "data": {"a": object()}}, "'data' is not JSON: Encoding objects of type object"),
        ({"event": "A.B", "data": float("nan")}, "'data' is not JSON: it holds NaN or an infinity"),
    ],
)
def test_an_event_that_cannot_be_is_said_in_a_sentence(event: dict[str, Any], said: str) -> None:
    holds_itself: list[Any] = []
    holds_itself.append(holds_itself)

    async def work() -> None:
        async with Runtime(store="memory:") as runtime:
            with pytest.raises(EventError) as raised:
                await runtime.emit(**event)
            assert said in str(raised.value)
            with pytest.raises(EventError, match="holds itself"):
                await runtime.emit("A.B", holds_itself)

    asyncio.run(work())


def test_nobody_waits_for_ever_for_a_blocking_runtime_that_is_stopped() -> None:
    for _ in range(20):
        runtime = Runtime(store="memory:")
        hooks = runtime.blocking()
        hooks.start()
        said: list[str] = []

        def emit_until_it_ends(hooks: BlockingRuntime = hooks, said: list[str] = said) -> None:
            try:
                while True:
                    hooks.emit("A.B")
            except UsageError as error:
                said.append(str(error))

        threads = [threading.Thread(target=emit_until_it_ends, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        hooks.stop()
        for thread in threads:
            thread.join(20)
        assert len(said) == 3, "one of them still waits"


def test_who_waits_for_a_delivery_is_told_when_the_blocking_runtime_is_stopped() -> None:
    runtime = Runtime(store="memory:")
    runtime.on("A.B", name="h", retry=["1h"])(lambda event: 1 / 0)
    hooks = runtime.blocking()
    hooks.start()
    receipt = hooks.emit("A.B")
    thread = threading.Thread(target=hooks.stop)
    thread.start()
    with pytest.raises(UsageError):
        hooks.wait(receipt, timeout=60)
    thread.join(20)
    assert not thread.is_alive()
