"""The source `outbox` on real databases: order, bad rows, several readers, databases that are away."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hookrt import Runtime, outbox
from hookrt.clock import SystemClock
from hookrt.errors import EventTooLarge, Overloaded, StoreError
from hookrt.outbox.reading import MOST_ROWS, TRIES
from hookrt.outbox.settings import OutboxSettings
from hookrt.outbox.source import Outbox
from hookrt.plugin import SourceRun
from hookrt.store.contract import EventQuery
from hookrt.testing import MemoryState, RecordedLog


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "sqlite:///app.db" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


class App:
    """An application's connection."""

    def __init__(self, url: str, folder: Path, *, table: bool = True) -> None:
        self.url, self.folder = url, folder
        self.sqlite = url.startswith("sqlite")
        self.connection: Any = sqlite3.connect(folder / "app.db") if self.sqlite else psycopg.connect(url)
        if table:
            self.create()

    def create(self) -> None:
        outbox.create_table_sync(self.connection)
        self.connection.commit()

    def emit(self, *names: str) -> None:
        for name in names:
            outbox.emit_sync(self.connection, "Order.Paid", {"n": name}, id=name)
        self.connection.commit()

    def execute(self, sql: str) -> list[Any]:
        cursor = self.connection.execute(sql)
        found = cursor.fetchall() if cursor.description else []
        self.connection.commit()
        return list(found)

    def waiting(self) -> int:
        return int(self.execute("SELECT count(*) FROM hookrt_outbox WHERE refused IS NULL")[0][0])

    @asynccontextmanager
    async def reader(self, emit: Any, poll: str = "20ms", report: Any = None) -> Any:
        """The source at work, handing its events to `emit`; gives its log. With a `report` its pauses are short."""
        log, clock = RecordedLog(), Hurried() if report else SystemClock()
        settings = OutboxSettings.model_validate_json(json.dumps({"url": self.url, "poll": poll}))
        source = SourceRun("orders", settings, emit, log, clock, self.folder, MemoryState(clock), report or Report())
        task = asyncio.create_task(Outbox().run(source))
        try:
            yield log
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def close(self) -> None:
        self.connection.close()


class Hurried(SystemClock):
    """Pauses take no time."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.001))


class Report:
    """What a source says of itself."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.state = "new"

    def refused(self, reason: str) -> None:
        self.told.append(reason)

    def away(self, why: str) -> None:
        self.state = why

    def connected(self) -> None:
        self.state = "connected"


class Taken:
    """What a reader emitted."""

    def __init__(self, fails: Callable[[str, int], Exception | None] = lambda *_: None) -> None:
        self.ids: list[str] = []
        self.tried: list[str] = []
        self.data: list[Any] = []
        self._fails = fails

    async def __call__(self, type: str, data: Any = None, *, id: str, **_: Any) -> bool:
        self.tried.append(id)
        error = self._fails(id, self.tried.count(id))
        if error is not None:
            raise error
        self.ids.append(id)
        self.data.append(bytes(data))
        return True


async def until(condition: Callable[[], bool], what: Any = "it never came") -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.005)


def run(url: str, folder: Path, scenario: Callable[[App], Awaitable[None]], *, table: bool = True) -> None:
    app = App(url, folder, table=table)
    try:
        asyncio.run(scenario(app))  # type: ignore[arg-type]
    finally:
        app.close()


def test_rows_become_events_in_their_order_and_byte_for_byte_and_are_deleted(url: str, tmp_path: Path) -> None:
    names = [f"order-{number}" for number in range(MOST_ROWS + 20)]

    async def scenario(app: App) -> None:
        app.emit(*names[:-1])
        taken = Taken()
        async with app.reader(taken):
            await until(lambda: not app.waiting())
            app.execute(f"INSERT INTO hookrt_outbox (id, type, data) VALUES ('{names[-1]}', 'A.B', ' {{\"n\": 1.10}}')")
            await until(lambda: not app.waiting())
        assert taken.ids == names
        assert taken.data[-1] == b' {"n": 1.10}'

    run(url, tmp_path, scenario)


def test_the_events_of_a_runtime_carry_the_name_of_the_source_and_the_row_s_fields(url: str, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(f"sources: {{orders: {{outbox: {{url: '{url}', poll: 20ms}}}}}}\n")

    async def scenario(app: App) -> None:
        name = outbox.emit_sync(app.connection, "Order.Paid", {"n": 1}, subject="orders/1")
        app.connection.commit()
        async with Runtime.from_file(tmp_path / "hooks.yaml") as runtime:
            await until(lambda: not app.waiting())
            [stored] = (await runtime.store.events(EventQuery(limit=10))).items
        event = stored.event
        assert (event.id, event.type, event.source) == (name, "Order.Paid", "orders")
        assert (event.subject, event.content) == ("orders/1", b'{"n":1}')

    run(url, tmp_path, scenario)


BAD_ROWS = {
    "no-json": "'{', 'A.B', NULL",
    "nan": "'NaN', 'A.B', NULL",
    "range": "'1e400', 'A.B', NULL",
    "empty": "'', 'A.B', NULL",
    "type": "'1', 'A B', NULL",
    "reserved": "'1', 'hookrt.delivery.dead', NULL",
    "deep": f"'{'[' * 70}{']' * 70}', 'A.B', NULL",
    "time": "'1', 'A.B', 'yesterday'",
    "zone": "'1', 'A.B', '2026-11-23T12:00:00'",
    "large": f"'\"{'x' * (16 * 1024**2)}\"', 'A.B', NULL",
}


def test_a_row_that_is_not_acceptable_is_marked_and_logged_and_holds_nobody_up(url: str, tmp_path: Path) -> None:
    async def scenario(app: App) -> None:
        app.emit("first")
        for name, values in BAD_ROWS.items():
            app.execute(f"INSERT INTO hookrt_outbox (id, data, type, time) VALUES ('{name}', {values})")
        if app.sqlite:
            app.execute("INSERT INTO hookrt_outbox (id, type, data) VALUES (x'ff', 'A.B', '1')")
            app.execute(
                "INSERT INTO hookrt_outbox (id, type, data) VALUES ('no-utf-8', 'A.B', CAST(x'22ff22' AS TEXT))"
            )
        app.emit("too large for the service", "last")
        taken = Taken(lambda id, _: EventTooLarge("the limit is 1 MiB") if id.startswith("too") else None)
        async with app.reader(taken) as log:
            await until(lambda: not app.waiting())
        assert taken.ids == ["first", "last"]
        kept = dict(app.execute("SELECT id, refused FROM hookrt_outbox"))
        assert set(BAD_ROWS) < set(kept)
        assert kept["too large for the service"] == "the limit is 1 MiB"
        assert "'data' is not JSON" in kept["no-json"]
        assert "'time'" in kept["zone"]
        told = [fields for level, event, fields in log.lines if (level, event) == ("error", "outbox-row-refused")]
        assert [one["reason"] for one in told] == list(kept.values())
        app.execute("UPDATE hookrt_outbox SET data = '2', refused = NULL WHERE id = 'no-json'")
        async with app.reader(taken):
            await until(lambda: "no-json" in taken.ids)

    run(url, tmp_path, scenario)


def test_while_the_service_is_overloaded_nothing_is_overtaken(url: str, tmp_path: Path) -> None:
    busy = Overloaded("too much", timedelta(milliseconds=10))

    async def scenario(app: App) -> None:
        app.emit("a", "b")
        taken = Taken(lambda id, tries: busy if id == "a" and tries < 4 else None)
        async with app.reader(taken):
            await until(lambda: not app.waiting())
        assert taken.tried == ["a", "a", "a", "a", "b"]

    run(url, tmp_path, scenario)


def test_a_row_that_hookrt_fails_on_lets_those_behind_it_pass_after_a_while(url: str, tmp_path: Path) -> None:
    def fails(id: str, tries: int) -> Exception | None:
        return ZeroDivisionError("hush") if id.startswith("bad") else None

    async def scenario(app: App) -> None:
        app.emit("a", "bad-1", "bad-2", "b", "c")
        taken, report = Taken(fails), Report()
        async with app.reader(taken, report=report) as log:
            await until(lambda: not app.waiting())
            await until(lambda: report.state == "connected")
        assert taken.ids == ["a", "b", "c"]
        assert taken.tried.count("bad-1") > TRIES
        refused = app.execute("SELECT id, refused FROM hookrt_outbox ORDER BY position")
        why = "hookrt failed on it (ZeroDivisionError): see its log"
        assert [tuple(row) for row in refused] == [("bad-1", why), ("bad-2", why)]
        assert report.told == ["failed", "failed"]
        assert {event for level, event, _ in log.lines if level == "error"} == {
            "outbox-held-up",
            "outbox-row-failed",
            "outbox-row-refused",
        }

    run(url, tmp_path, scenario)


def test_while_hookrt_fails_on_every_row_none_is_refused_and_their_order_is_kept(url: str, tmp_path: Path) -> None:
    broken = True

    def fails(id: str, tries: int) -> Exception | None:
        return StoreError("the disk is broken") if broken else None

    async def scenario(app: App) -> None:
        nonlocal broken
        app.emit("a", "b", "c")
        taken, report = Taken(fails), Report()
        async with app.reader(taken, report=report) as log:
            await until(lambda: taken.tried.count("c") > 1)  # they were tried, too
            await until(lambda: "the disk is broken" in report.state)
            await until(lambda: taken.tried[-1] == "c")
            broken = False
            await until(lambda: not app.waiting())
        assert taken.ids == ["a", "b", "c"]
        assert report.told == []
        assert app.execute("SELECT * FROM hookrt_outbox") == []
        told = [fields["tries"] for _, event, fields in log.lines if event == "outbox-held-up"]
        assert told[:3] == [1, 2, 4]

    run(url, tmp_path, scenario)


def test_a_row_whose_trouble_passes_is_not_refused(url: str, tmp_path: Path) -> None:
    async def scenario(app: App) -> None:
        app.emit("a", "b")
        taken = Taken(lambda id, tries: StoreError("locked") if id == "a" and tries <= TRIES + 1 else None)
        async with app.reader(taken, report=Report()):
            await until(lambda: not app.waiting())
        assert sorted(taken.ids) == ["a", "b"]
        assert app.execute("SELECT * FROM hookrt_outbox") == []

    run(url, tmp_path, scenario)


def test_of_several_readers_one_reads_and_another_takes_over(url: str, tmp_path: Path) -> None:
    async def scenario(app: App) -> None:
        one, other = Taken(), Taken()
        app.emit("a")
        async with app.reader(other) as log:
            async with app.reader(one):
                await until(lambda: not app.waiting())
                await until(lambda: bool(one.ids) != bool(other.ids))
                first = one if one.ids else other
                app.emit("b")
                await until(lambda: not app.waiting())
                assert first.ids == ["a", "b"]
            app.emit("c")
            await until(lambda: not app.waiting())
            assert sorted([*one.ids, *other.ids]) == ["a", "b", "c"]
            assert other.ids[-1] == "c"
            assert log.lines == [] or log.lines[0][1] == "outbox-standby"

    run(url, tmp_path, scenario)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # newer Pythons warn: there are threads
def test_a_child_of_the_application_does_not_keep_the_lock(tmp_path: Path) -> None:
    async def scenario(app: App) -> None:
        one, other = Taken(), Taken()
        app.emit("a")
        async with app.reader(one):
            await until(lambda: one.ids == ["a"])
            child = os.fork()
            if child == 0:
                signal.pause()
                os._exit(0)
        try:
            app.emit("b")
            async with app.reader(other):
                await until(lambda: other.ids == ["b"])
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    run("sqlite:///app.db", tmp_path, scenario)


def test_postgresql_tells_of_a_row_without_waiting_for_the_poll(postgres_url: str, tmp_path: Path) -> None:
    async def scenario(app: App) -> None:
        taken = Taken()
        app.emit("a")
        async with app.reader(taken, poll="1h"):
            await until(lambda: taken.ids == ["a"])
            app.emit("b")
            await until(lambda: taken.ids == ["a", "b"])

    run(postgres_url, tmp_path, scenario)


def test_a_lost_connection_is_made_anew(postgres_url: str, tmp_path: Path) -> None:
    async def scenario(app: App) -> None:
        taken = Taken()
        app.emit("a")
        async with app.reader(taken) as log:
            await until(lambda: taken.ids == ["a"])
            app.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hookrt outbox' "
                "AND datname = current_database()"
            )
            app.emit("b")
            await until(lambda: "b" in taken.ids)
            await until(lambda: "outbox-reached" in [event for _, event, _ in log.lines])
        assert "outbox-unreachable" in [event for _, event, _ in log.lines]

    run(postgres_url, tmp_path, scenario)


def test_a_table_that_is_not_there_yet_is_waited_for_and_told_once(url: str, tmp_path: Path) -> None:
    async def scenario(app: App) -> None:
        taken = Taken()
        async with app.reader(taken) as log:
            await until(lambda: bool(log.lines))
            app.create()
            app.emit("a")
            await until(lambda: taken.ids == ["a"])
        warnings = [fields["error"] for level, _, fields in log.lines if level == "warning"]
        assert len(warnings) == 1
        assert "hookrt outbox schema" in warnings[0]

    run(url, tmp_path, scenario, table=False)


def test_no_password_is_told_of_a_database_that_cannot_be_reached(tmp_path: Path) -> None:
    (tmp_path / "app.db").touch()

    async def scenario(app: App) -> None:
        for url in (
            "postgresql://me:pass%20word@127.0.0.1:1/shop",
            "postgresql://me:pass%20word@127.0.0.1:1/shop?nonsense=pass%20word",
            "postgresql://me:pass%20word@[127.0.0.1/shop",
        ):
            app.url = url
            async with app.reader(Taken()) as log:
                await until(lambda: bool(log.lines))
            assert "pass" not in repr(log.lines).replace("nonsense=pass", "")
            assert "word" not in repr(log.lines)

    run("sqlite:///app.db", tmp_path, scenario)
