"""RULES "Processes": emits of the others go to the delivering process by a local socket, and never wait for ever."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hookrt.clock import SystemClock
from hookrt.delivery.intake import Accepted
from hookrt.delivery.relay import MAX_FRAME, Gone, RelayClient, RelayServer
from hookrt.errors import EventConflict, EventError, Overloaded, StoreError, UsageError
from hookrt.model.event import EventDraft

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class KeptLog:
    def __init__(self) -> None:
        self.events: list[str] = []

    def debug(self, event: str, **fields: Any) -> None:
        self.events.append(event)

    info = warning = error = debug


def a_client(path: Path, patience_s: float = 30) -> RelayClient:
    return RelayClient(path, SystemClock(), patience_s)


@asynccontextmanager
async def served_by(path: Path, accept: Any) -> Any:
    server = RelayServer(path, accept, KeptLog())
    await server.start()
    client = a_client(path)
    try:
        yield client
    finally:
        await client.close()
        await server.stop()


@asynccontextmanager
async def strange_server(path: Path, serve: Serve) -> Any:
    """Something else that listens at the meeting point."""
    ends: list[asyncio.StreamWriter] = []

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(writer)
        await serve(reader, writer)

    server = await asyncio.start_unix_server(served, str(path))
    try:
        yield
    finally:
        server.close()
        for end in ends:
            end.close()
        await server.wait_closed()


def test_an_event_arrives_with_all_that_it_has(tmp_path: Path) -> None:
    drafts = [
        EventDraft(
            "A.B",
            b"\x00\xff\xfe",
            id="one",
            source="s",
            subject="sub",
            time=datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC),
            content_type="application/octet-stream",
            binary=True,
            attributes={"text": "x", "number": 7, "flag": True},
        ),
        EventDraft("A.C", b'{"exactly":  "as written", "n": 1.10}', id="two"),
    ]
    got: list[Any] = []

    async def accept(drafts: Sequence[EventDraft], default_source: str, batch: bool) -> list[Accepted]:
        got.append((list(drafts), default_source, batch))
        return [Accepted(draft.id or "", "s", ("dlv_1", "dlv_2"), duplicate=True) for draft in drafts]

    async def run() -> None:
        async with served_by(tmp_path / "sock", accept) as client:
            [first, second] = await client.send(drafts, "app", batch=True)
            assert first == Accepted("one", "s", ("dlv_1", "dlv_2"), duplicate=True)
            assert second.id == "two"

    asyncio.run(run())
    assert got == [(drafts, "app", True)]
    assert got[0][0][0].attributes["flag"] is True


def conflict_at_3() -> EventConflict:
    error = EventConflict("stored already")
    error.index = 3
    return error


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (conflict_at_3(), EventConflict),
        (EventError("bad"), EventError),
        (Overloaded("full", timedelta(seconds=7)), Overloaded),
        (StoreError("broken"), StoreError),
        (UsageError("closed"), StoreError),
    ],
)
def test_what_is_raised_there_is_raised_here(tmp_path: Path, raised: Exception, kind: type[Exception]) -> None:
    async def accept(drafts: Sequence[EventDraft], default_source: str, batch: bool) -> list[Accepted]:
        raise raised

    async def run() -> None:
        async with served_by(tmp_path / "sock", accept) as client:
            with pytest.raises(kind, match=str(raised)) as caught:
                await client.send([EventDraft("A.B", id="one")], "app", batch=False)
            assert getattr(caught.value, "index", None) == getattr(raised, "index", None)
            assert getattr(caught.value, "retry_after", None) == getattr(raised, "retry_after", None)

    asyncio.run(run())


def test_a_delivering_process_that_hangs_is_given_up_by_all_at_once_and_left_alone_for_a_while(tmp_path: Path) -> None:
    async def run() -> None:
        never, asked = asyncio.Event(), []

        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(writer)
            await reader.read()

        async with strange_server(tmp_path / "sock", hang):
            client = a_client(tmp_path / "sock", patience_s=0.05)
            emits = [client.send([EventDraft("A.B", id=str(n))], "app", batch=False) for n in range(50)]
            results = await asyncio.gather(*emits, return_exceptions=True)
            assert {type(result) for result in results} == {Gone}
            assert len(asked) <= 2, "those that waited for their turn have not waited once more"
            await client.close()
            never.set()

    asyncio.run(run())


@pytest.mark.parametrize("answer", [b"\x00\x00\x00\x05abcde", b"\x00\x00\x00\x09partial", b"\xff\xff\xff\xff", b"HTTP"])
def test_rubbish_for_an_answer_means_that_nobody_is_there(tmp_path: Path, answer: bytes) -> None:
    async def run() -> None:
        async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            await writer.drain()
            writer.close()

        async with strange_server(tmp_path / "sock", say):
            client = a_client(tmp_path / "sock")
            for _ in range(2):
                with pytest.raises(Gone):
                    await client.send([EventDraft("A.B", id="one")], "app", batch=False)

    asyncio.run(run())


def test_what_is_too_large_for_the_socket_is_for_the_file(tmp_path: Path) -> None:
    async def run() -> None:
        client = a_client(tmp_path / "nobody")
        with pytest.raises(Gone, match="large"):
            await client.send([EventDraft("A.B", b"x" * MAX_FRAME, id="one")], "app", batch=False)

    asyncio.run(run())


@pytest.mark.parametrize("obstacle", ["folder", "long path", "no folder"])
def test_without_a_socket_the_others_write_to_the_file(tmp_path: Path, obstacle: str) -> None:
    async def run() -> None:
        path = tmp_path / "sock"
        if obstacle == "folder":
            path.mkdir()
        else:
            path = tmp_path / ("x" * 120) / "sock" if obstacle == "long path" else tmp_path / "none" / "sock"
        log = KeptLog()
        server = RelayServer(path, None, log)  # type: ignore[arg-type]
        await server.start()
        assert log.events == ["no-relay"]
        await server.stop()
        with pytest.raises(Gone):
            await a_client(path).send([EventDraft("A.B", id="one")], "app", batch=False)

    asyncio.run(run())


def test_a_request_that_was_cancelled_does_not_get_its_answer_mixed_up_with_the_next(tmp_path: Path) -> None:
    async def run() -> None:
        begun, gate = asyncio.Event(), asyncio.Event()

        async def accept(drafts: Sequence[EventDraft], default_source: str, batch: bool) -> list[Accepted]:
            begun.set()
            if drafts[0].id == "slow":
                await gate.wait()
            return [Accepted(drafts[0].id or "", "s", ())]

        async with served_by(tmp_path / "sock", accept) as client:
            slow = asyncio.create_task(client.send([EventDraft("A.B", id="slow")], "app", batch=False))
            await begun.wait()
            slow.cancel()
            await asyncio.gather(slow, return_exceptions=True)
            [accepted] = await client.send([EventDraft("A.B", id="next")], "app", batch=False)
            assert accepted.id == "next"
            gate.set()

    asyncio.run(run())


def test_a_server_that_goes_away_leaves_no_traceback_behind(tmp_path: Path) -> None:
    async def scenario() -> None:
        said: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: said.append(str(context)))

        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with strange_server(tmp_path / "s", hang_up):
            client = a_client(tmp_path / "s")
            for _ in range(20):
                with pytest.raises(Gone):
                    await client.send([EventDraft("A.B", b"x" * 300_000)], "app", batch=False)
        await client.close()
        gc.collect()
        await asyncio.sleep(0)
        assert said == []

    asyncio.run(scenario())
