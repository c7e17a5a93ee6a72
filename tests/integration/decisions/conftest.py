"""A runtime whose deciding hooks do what a test tells them, and an endpoint that answers as badly as one can."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from hookrt import Runtime
from hookrt.model.attempt import Attempt
from hookrt.model.decision import Decision
from hookrt.model.delivery import Delivery
from hookrt.plugin import Action, ActionCall, Outcome, Settings
from hookrt.plugin.manager import load_plugins
from hookrt.store.contract import DeliveryQuery

Behaviour = Callable[[ActionCall[Any]], Awaitable[Any]]


class DoSettings(Settings):
    """Which of the test's functions it is."""

    what: str


class Do(Action[DoSettings]):
    """Does what the test says."""

    name = "do"
    short = "what"
    behaviours: dict[str, Behaviour]

    async def run(self, call: ActionCall[DoSettings]) -> Outcome:
        found = await self.behaviours[call.settings.what](call)
        return found if isinstance(found, Outcome) else Outcome.done(found)


class House:
    """Makes runtimes from texts; `behaviours` are what the action `do` can do, `ran` what it did."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ran: list[str] = []
        self.behaviours: dict[str, Behaviour] = {}
        self.says("allow", {"decision": "allow"})
        self.says("deny", {"decision": "deny", "reason": "because"})

    def says(self, name: str, output: Any) -> None:
        async def answer(call: ActionCall[Any]) -> Any:
            self.ran.append(call.hook)
            return output(call) if callable(output) else output

        self.behaviours[name] = answer

    def runtime(self, hooks: str, *, store: str = "memory:", more: str = "", **options: Any) -> Runtime:
        registry = options.pop("registry", None) or load_plugins()
        registry.actions["do"] = type("DoHere", (Do,), {"behaviours": self.behaviours})
        file = self.folder / "hooks.yaml"
        file.write_text(f"{more}\nhooks:\n{indent(hooks, '  ')}\n")
        return Runtime.from_file(file, store=store, registry=registry, **{"env": {}, **options})


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture(params=["memory:", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store: whoever takes this runs once on each kind."""
    return f"sqlite:///{tmp_path}/app.db" if request.param == "sqlite" else str(request.param)


@pytest.fixture
def records() -> Callable[[Runtime], Awaitable[list[Delivery]]]:
    """What is recorded, oldest first, once nothing runs any more."""

    async def read(runtime: Runtime) -> list[Delivery]:
        async with asyncio.timeout(10):
            while True:
                found = list((await runtime.store.deliveries(DeliveryQuery())).items)
                if all(one.status.final for one in found):
                    return found[::-1]
                await asyncio.sleep(0.01)

    return read


PATIENCE_S = 20.0


@pytest.fixture
def ask(records: Any) -> Callable[..., Awaitable[tuple[Decision, Sequence[Attempt]]]]:
    """Asks, with ever longer timeouts, until the first hook was really under way when the time was over: beside other
    programs that can take long. Each of the deadlines has to hold. Gives the decision, and the hook's attempts.
    """

    async def asking(runtime: Runtime, reached: Callable[[], Any], data: Any = None) -> Any:
        for timeout in (0.25, 1.0, 5.0, 30.0):
            async with asyncio.timeout(timeout + PATIENCE_S):
                decision = await runtime.decide("A.B", data, timeout=timeout)
            await records(runtime)
            attempts = await runtime.store.attempts(decision.hooks[0].delivery or "")
            if attempts and reached():
                return decision, attempts
        raise AssertionError("the hook was never asked")

    return asking


class Endpoint:
    """Speaks HTTP on a free port; the path of a request says how it is answered."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.let_go = asyncio.Event()
        self.serving: set[asyncio.Task[None]] = set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ")[1]
            self.asked.append(path)
            await getattr(self, path.strip("/"))(writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def allow(self, writer: asyncio.StreamWriter) -> None:
        self._answer(writer, 200, {"decision": "allow", "patch": {"seen": True}})

    async def broken(self, writer: asyncio.StreamWriter) -> None:
        self._answer(writer, 500, {"decision": "allow"})

    async def gone(self, writer: asyncio.StreamWriter) -> None:
        self._answer(writer, 410, {})

    async def html(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\n\r\nallow")

    async def hang(self, writer: asyncio.StreamWriter) -> None:
        await self.let_go.wait()

    async def trickle(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
        while not self.let_go.is_set():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def huge(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        while not self.let_go.is_set():
            writer.write(b" " * 65536)
            await writer.drain()

    def _answer(self, writer: asyncio.StreamWriter, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content)


@pytest.fixture
def endpoint() -> Any:
    """Opens an endpoint, to be used in the test's own event loop."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Endpoint]:
        found = Endpoint()
        server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
        found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield found
        finally:
            found.let_go.set()
            server.close()
            await asyncio.gather(*found.serving)

    return opened
