"""Webhooks that come in, at the runtime itself: a reload swaps sources whole, every process takes them, and a program
that embeds the runtime mounts them where it likes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookrt import Runtime
from hookrt.errors import Overloaded, StoreError, UsageError
from hookrt.plugin import Inbound, InboundSettings, InboundSource, Received, Reply
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import Registry
from hookrt.testing import inbound

ONE = "sources:\n  gate: {token: first-token}\nhooks: {h: {on: Gate.Opened, from: gate, steps: [{log: x}]}}\n"


class MadeSettings(InboundSettings):
    mark: int = 0


class Made(InboundSource[MadeSettings]):
    """Counts how often it is made."""

    name = "made"
    short = "secret"
    count = 0

    def __init__(self) -> None:
        Made.count += 1
        self.number = Made.count

    def receive(self, request: Inbound, settings: MadeSettings) -> Received:
        return Received("made.event", {"instance": self.number}, id=request.headers.get("x-id"))


@pytest.fixture
def registry() -> Registry:
    registry = load_plugins()
    registry.add_source(Made)
    return registry


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "hooks.yaml"
        path.write_text(text)
        return path

    return write


def request(token: str = "first-token", body: Any = None, **headers: str) -> Inbound:
    shown = {"authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return inbound(body if body is not None else {"type": "Gate.Opened"}, shown)


def detail(reply: Reply) -> str:
    return str(json.loads(reply.body)["detail"])


def test_a_program_mounts_a_source_with_one_call(write: Any, registry: Registry) -> None:
    async def scenario() -> None:
        async with Runtime.from_file(write(ONE), store="memory:", registry=registry, env={}) as runtime:
            reply = await runtime.receive("gate", request())
            assert (reply.status, reply.headers) == (200, {"content-type": "application/json"})
            stored = await runtime.store.event("gate", json.loads(reply.body)["id"])
            assert stored is not None
            assert len(stored.deliveries) == 1
            refused = await runtime.receive("gate", request("wrong"))
            assert (refused.status, refused.headers["content-type"]) == (401, "application/problem+json")
            assert refused.headers["www-authenticate"].startswith("Bearer")
            assert (await runtime.receive("nobody", request())).status == 404
            assert (await runtime.receive("gate", inbound(b"x" * 2_000_000))).status == 413
            assert (await runtime.receive("gate", inbound(method="GET"))).status == 405

    asyncio.run(scenario())


def test_a_runtime_that_does_not_run_says_so(write: Any, registry: Registry) -> None:
    runtime = Runtime.from_file(write(ONE), store="memory:", registry=registry, env={})
    with pytest.raises(UsageError, match="does not run"):
        asyncio.run(runtime.receive("gate", request()))


def test_a_runtime_without_a_file_has_no_sources() -> None:
    async def scenario() -> None:
        async with Runtime(store="memory:") as runtime:
            assert (await runtime.receive("gate", request())).status == 404

    asyncio.run(scenario())


def test_a_reload_swaps_the_sources_whole(write: Any, registry: Registry) -> None:
    async def scenario() -> None:
        path = write(ONE)
        async with Runtime.from_file(path, store="memory:", registry=registry, env={}) as runtime:
            assert (await runtime.receive("gate", request())).status == 200
            write(ONE.replace("first-token", "second-token").replace("sources:", "sources:\n  made: {made: s}"))
            report = await runtime.reload()
            assert (report.sources.added, report.sources.changed) == (("made",), ("gate",))
            assert (await runtime.receive("gate", request("second-token"))).status == 200
            assert (await runtime.receive("gate", request())).status == 401
            assert (await runtime.receive("made", request())).status == 200
            write("hooks: {h: {on: Gate.Opened, steps: [{log: x}]}}\n")
            await runtime.reload()
            assert (await runtime.receive("gate", request("second-token"))).status == 404
            write(ONE.replace("token: first-token", "token: {}"))
            assert not (await runtime.reload()).accepted
            assert (await runtime.receive("gate", request())).status == 404

    asyncio.run(scenario())


def test_an_entry_that_is_what_it_was_keeps_its_instance(write: Any, registry: Registry) -> None:
    text = "sources:\n  made: {made: {secret: s, mark: 1, type: '\"a.b\"'}}\nhooks: {h: {on: a.b, steps: [{log: x}]}}\n"

    async def scenario() -> None:
        async with Runtime.from_file(write(text), store="memory:", registry=registry, env={}) as runtime:

            async def instance(identity: str) -> int:
                await runtime.receive("made", request(x_id=identity))
                stored = await runtime.store.event("made", identity)
                assert stored is not None
                return int(stored.event.data["instance"])

            first = await instance("1")
            assert await instance("2") == first
            write("# a comment\n" + text)
            report = await runtime.reload()
            assert not report.sources.changed
            assert await instance("3") == first
            write(text.replace("mark: 1", "mark: 2"))
            await runtime.reload()
            assert await instance("4") != first

    asyncio.run(scenario())


def test_a_process_that_does_not_deliver_takes_webhooks_too(write: Any, registry: Registry, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"

    async def scenario() -> None:
        path = write(ONE)
        async with (
            Runtime.from_file(path, store=url, registry=registry, env={}) as leading,
            Runtime.from_file(path, store=url, registry=registry, env={}, deliver=False) as other,
        ):
            assert not other.leading
            replies = [await one.receive("gate", request()) for one in (other, leading, other)]
            assert {(reply.status, reply.body) for reply in replies} == {(200, replies[0].body)}
            stored = await leading.store.event("gate", json.loads(replies[0].body)["id"])
            assert stored is not None
            assert len(stored.deliveries) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("error", "after"), [(Overloaded("the store's writer is behind"), "1"), (StoreError("the disk is gone"), "5")]
)
def test_what_cannot_be_stored_now_is_to_come_again(
    write: Any, registry: Registry, monkeypatch: pytest.MonkeyPatch, error: Exception, after: str
) -> None:
    async def scenario() -> Reply:
        async with Runtime.from_file(write(ONE), store="memory:", registry=registry, env={}) as runtime:

            async def fail(_: object) -> None:
                raise error

            monkeypatch.setattr(runtime.store, "save", fail)
            reply = await runtime.receive("gate", request())
            monkeypatch.undo()
            assert (await runtime.receive("gate", request())).status == 200
            return reply

    reply = asyncio.run(scenario())
    assert (reply.status, reply.headers["retry-after"]) == (503, after)
    assert detail(reply) == str(error)


def test_a_large_body_is_read_beside_the_event_loop(write: Any, registry: Registry) -> None:
    text = ONE.replace("token: first-token", "token: {secret: first-token, max_body: 4MiB, type: body.type}")

    async def scenario() -> None:
        async with Runtime.from_file(write(text), store="memory:", registry=registry, env={}) as runtime:
            body = json.dumps({"type": "Gate.Opened", "pad": ["x" * 100] * 20_000}).encode()
            replies = await asyncio.gather(*(runtime.receive("gate", request(body=body)) for _ in range(4)))
            assert {reply.status for reply in replies} == {200}
            bad = await runtime.receive("gate", request(body=body[:-1]))
            assert bad.status == 400

    asyncio.run(scenario())


def test_an_empty_body_says_nothing_so_each_is_an_event(write: Any, registry: Registry) -> None:
    async def scenario() -> None:
        async with Runtime.from_file(write(ONE), store="memory:", registry=registry, env={}) as runtime:
            replies = [await runtime.receive("gate", request(body=b"")) for _ in range(2)]
            assert len({json.loads(reply.body)["id"] for reply in replies}) == 2

    asyncio.run(scenario())


def test_an_id_too_long_for_an_event_becomes_its_hash(write: Any, registry: Registry) -> None:
    async def scenario() -> None:
        async with Runtime.from_file(
            write("sources: {made: {made: s}}\nhooks: {h: {on: a, steps: [{log: x}]}}"),
            store="memory:",
            registry=registry,
            env={},
        ) as runtime:
            first, again, other = [
                json.loads((await runtime.receive("made", request(x_id=identity * 300))).body)["id"]
                for identity in "aab"
            ]
            assert first == again != other
            assert first.startswith("sha256:")

    asyncio.run(scenario())


def test_an_id_that_is_new_for_each_request_keeps_repetitions(write: Any, registry: Registry) -> None:
    text = ONE.replace("token: first-token", "token: {secret: first-token, id: event.time}")

    async def scenario() -> None:
        async with Runtime.from_file(write(text), store="memory:", registry=registry, env={}) as runtime:
            reply = await runtime.receive("gate", request())
            assert json.loads(reply.body)["id"] == "2025-01-01T12:00:00Z"

    asyncio.run(scenario())
