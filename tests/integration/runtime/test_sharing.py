"""RULES "Processes": several runtimes on one SQLite file; one delivers, all may emit."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
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


EMITTER = """
import asyncio, json, sys
from hookrt import Runtime

async def main():
    runtime = Runtime(store=sys.argv[1], deliver=False)
    runtime.on("A.B", name="note")(lambda event: None)
    async with runtime:
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(int(sys.argv[2])):
            receipt = await runtime.emit("A.B", {"n": number}, id=f"e{number}")
            print(json.dumps([receipt.duplicate, receipt.deliveries]), flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("deliver", [True, False])
def test_a_second_event_of_another_process_is_a_duplicate_with_the_firsts_deliveries(
    tmp_path: Path, deliver: bool
) -> None:
    """By way of the one that delivers, and of the file where none does; both emit the same at the same time."""
    count, url = 60, f"sqlite:///{tmp_path / 'app.db'}"

    async def run(other: subprocess.Popen[str]) -> None:
        runtime = Runtime(store=url, deliver=deliver)
        runtime.on("A.B", name="note")(lambda event: None)
        async with runtime:
            assert await asyncio.to_thread(other.stdout.readline) == "ready\n"
            answered = asyncio.create_task(asyncio.to_thread(other.communicate, "\n"))
            mine = [await runtime.emit("A.B", {"n": number}, id=f"e{number}") for number in range(count)]
            theirs = [json.loads(line) for line in (await answered)[0].splitlines()]
        assert [list(one.deliveries) for one in mine] == [deliveries for _, deliveries in theirs]
        assert [one.duplicate for one in mine] == [not duplicate for duplicate, _ in theirs]
        assert all(len(one.deliveries) == 1 for one in mine)

    command = [sys.executable, "-c", EMITTER, url, str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        try:
            asyncio.run(run(other))
        finally:
            other.kill()


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
