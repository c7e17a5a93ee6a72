"""RULES "Processes": several runtimes on one SQLite file; one delivers, all may emit."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest

from hookrt import Event, Runtime
from hookrt.errors import EventConflict, EventError
from hookrt.model.delivery import Status
from hookrt.model.event import EventDraft


def runtime_on(folder: Path, seen: list[str], name: str) -> Runtime:
    runtime = Runtime(store=f"sqlite:///{folder / 'app.db'}")

    @runtime.on("A.B", name="note")
    async def note(event: Event) -> None:
        seen.append(name)

    return runtime


def test_exactly_one_delivers_and_emits_of_the_others_go_to_it(tmp_path: Path) -> None:
    async def run() -> None:
        seen: list[str] = []
        async with runtime_on(tmp_path, seen, "first") as first, runtime_on(tmp_path, seen, "second") as second:
            assert (first.leading, second.leading) == (True, False)
            for _ in range(5):
                receipt = await second.emit("A.B")
                [delivery] = await receipt.wait(timeout=10)
                assert delivery.status is Status.SUCCEEDED
        assert seen == ["first"] * 5

    asyncio.run(run())


def test_another_takes_over_when_the_delivering_one_is_gone(tmp_path: Path) -> None:
    async def run() -> None:
        seen: list[str] = []
        second = runtime_on(tmp_path, seen, "second")
        async with runtime_on(tmp_path, seen, "first"):
            await second.start()
            await (await second.emit("A.B")).wait(timeout=10)
        # The first is gone: what is emitted now goes straight to the file until the second has taken over.
        receipt = await second.emit("A.B")
        [delivery] = await receipt.wait(timeout=10)
        assert delivery.status is Status.SUCCEEDED
        assert second.leading
        await second.stop()
        assert seen == ["first", "second"]

    asyncio.run(run())


def test_an_event_emitted_twice_over_a_broken_connection_is_one_event(tmp_path: Path) -> None:
    async def run() -> None:
        seen: list[str] = []
        async with runtime_on(tmp_path, seen, "first"), runtime_on(tmp_path, seen, "second") as second:
            receipt = await second.emit("A.B", {"n": 1}, id="one")
            assert (await second.emit("A.B", {"n": 1}, id="one")).duplicate
            with pytest.raises(EventConflict):
                await second.emit("A.B", {"n": 2}, id="one")
            drafts = [EventDraft("A.B", id="two"), EventDraft("A B", id="three")]
            with pytest.raises(EventError) as caught:
                await second.accept(drafts)
            assert caught.value.index == 1
            await receipt.wait(timeout=10)
        assert seen == ["first"]

    asyncio.run(run())


def test_the_meeting_point_is_for_this_user_only_and_takes_no_rubbish(tmp_path: Path) -> None:
    async def run() -> None:
        seen: list[str] = []
        async with runtime_on(tmp_path, seen, "first") as first:
            meeting_point = first.store.meeting_point
            assert meeting_point is not None
            assert stat.S_IMODE(meeting_point.stat().st_mode) == 0o600
            for rubbish in (
                b"GET / HTTP/1.1\r\n\r\n",
                b"\xff\xff\xff\xff",
                b"\x00\x00\x00\x02{}",
                b"\x00\x00\x00\x05abc",
            ):
                reader, writer = await asyncio.open_unix_connection(str(meeting_point))
                writer.write(rubbish)
                writer.write_eof()
                assert await reader.read() == b""
                writer.close()
            request = {"drafts": [], "default_source": "x", "batch": False}
            reader, writer = await asyncio.open_unix_connection(str(meeting_point))
            frame = json.dumps(request).encode()
            writer.write(len(frame).to_bytes(4, "big") + frame)
            writer.write_eof()
            await reader.read()
            writer.close()
            [delivery] = await (await first.emit("A.B")).wait(timeout=10)
            assert delivery.status is Status.SUCCEEDED

    asyncio.run(run())


def test_a_process_that_only_emits_never_delivers(tmp_path: Path) -> None:
    async def run() -> None:
        emitter = Runtime(store=f"sqlite:///{tmp_path / 'app.db'}", deliver=False)
        emitter.on("A.B", name="note")(lambda event: None)
        async with emitter:
            receipt = await emitter.emit("A.B")
            [delivery] = await receipt.wait(timeout=0.2)
            assert delivery.status is Status.PENDING
            assert not emitter.leading

    asyncio.run(run())
