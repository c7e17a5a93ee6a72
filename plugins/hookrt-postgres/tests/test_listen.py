"""The source `postgres_listen` against a real server."""

import asyncio
import contextlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from hookrt_postgres import ListenSettings, PostgresListen
from hookrt_postgres.listen import data_of
from pydantic import ValidationError

from hookrt.plugin import EventError, Overloaded, SourceRun
from hookrt.testing import FakeClock, MemoryState, RecordedLog

PATIENCE_S = 20


class Told(RecordedLog):
    """A log that lets somebody wait for a line."""

    def __init__(self):
        super().__init__()
        self.listening = asyncio.Queue()

    def info(self, event, **fields):
        super().info(event, **fields)
        if event == "postgres-listening":
            self.listening.put_nowait(fields)

    def names(self):
        return [name for _, name, _ in self.lines]


class Report:
    """What the source says of itself: why things were refused, and how it stood, one after the other."""

    def __init__(self):
        self.reasons, self.states = [], []

    def refused(self, reason):
        self.reasons.append(reason)

    def away(self, why):
        self.states.append(why)

    def connected(self):
        self.states.append("connected")


class Taken:
    """What the source emits, in place of the runtime; `raising` is raised first."""

    def __init__(self, *raising):
        self.raising, self.events = list(raising), asyncio.Queue()

    async def __call__(self, type, data=None, **named):
        if self.raising:
            raise self.raising.pop(0)
        self.events.put_nowait((type, data))
        return True

    async def next(self):
        async with asyncio.timeout(PATIENCE_S):
            return await self.events.get()


def settings(url, **more):
    return ListenSettings.model_validate_json(json.dumps({"url": url, "channels": ["orders", 'Änd "x'], **more}))


@contextlib.asynccontextmanager
async def listening(chosen, taken, clock=None, report=None):
    """The source at work, from the moment at which it listens."""
    log = Told()
    run = SourceRun("shop", chosen, taken, log, clock or FakeClock(), Path(), MemoryState(), report or Report())
    task = asyncio.create_task(PostgresListen().run(run))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await log.listening.get()
        yield log
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_notifications_of_all_channels_become_events_in_order(url, execute):
    async def go():
        taken = Taken()
        async with listening(settings(url, types={"orders": "Order.Paid"}), taken):
            await asyncio.to_thread(execute, """NOTIFY orders, '{"total": 1.10}'""")
            await asyncio.to_thread(execute, "SELECT pg_notify('Änd \"x', 'hello')")
            await asyncio.to_thread(execute, "NOTIFY orders")
            return [await taken.next() for _ in range(3)]

    assert asyncio.run(go()) == [("Order.Paid", b'{"total": 1.10}'), ('Änd "x', "hello"), ("Order.Paid", None)]


def test_a_broken_connection_is_made_again(url, execute):
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"

    async def go():
        taken, clock, report = Taken(), FakeClock(), Report()
        async with listening(settings(url), taken, clock, report) as log:
            await asyncio.to_thread(execute, kill)
            await clock.until_sleeping()
            clock.advance(1)
            async with asyncio.timeout(PATIENCE_S):
                await log.listening.get()
            await asyncio.to_thread(execute, "NOTIFY orders, '2'")
            return await taken.next(), log.lines, report.states

    event, lines, states = asyncio.run(go())
    assert event == ("orders", b"2")
    [away] = [fields for _, name, fields in lines if name == "postgres-away"]
    assert away["again_in_s"] == 1.0
    assert states == ["connected", away["error"], "connected"]
    assert "sesame" not in f"{lines}"


def test_a_server_that_is_not_there_is_asked_less_and_less(url):
    async def go():
        log, clock, report = Told(), FakeClock(), Report()
        chosen = settings("postgresql://u:pw-of-mine@127.0.0.1:1/d")
        run = SourceRun("shop", chosen, Taken(), log, clock, Path(), MemoryState(), report)
        task = asyncio.create_task(PostgresListen().run(run))
        for pause in (1, 2, 5):
            await clock.until_sleeping()
            clock.advance(pause)
        await clock.until_sleeping()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return log, report.states

    log, states = asyncio.run(go())
    assert [fields["again_in_s"] for _, _, fields in log.lines] == [1.0, 2.0, 5.0, 10.0]
    assert len(states) == 4
    assert "pw-of-mine" not in f"{log.lines} {states}"


def test_overload_loses_nothing_and_what_is_not_acceptable_is_passed_over(url, execute):
    async def go():
        taken, clock = Taken(Overloaded("too much", timedelta(seconds=3)), EventError("no type")), FakeClock()
        report = Report()
        async with listening(settings(url), taken, clock, report) as log:
            for number in (1, 2):
                await asyncio.to_thread(execute, f"NOTIFY orders, '{number}'")
            await clock.until_sleeping()
            clock.advance(3)
            return await taken.next(), log.names(), report.reasons

    event, names, reasons = asyncio.run(go())
    assert reasons == ["malformed"]
    assert event == ("orders", b"2")
    assert names == ["postgres-listening", "postgres-notification-put-off", "postgres-notification-refused"]


@pytest.mark.parametrize("payload", ["NaN", "[" * 7000, "{", "a b"])
def test_what_is_no_json_is_text(payload):
    assert data_of(payload) == payload


@pytest.mark.parametrize("channels", [[], [""], ["a" * 64], ["ä" * 32], ["a\nb"], "orders"])
def test_a_channel_needs_a_name_that_postgresql_takes(channels, url):
    with pytest.raises(ValidationError):
        settings(url, channels=channels)


def test_the_types_are_known_beforehand(url):
    assert PostgresListen().types(settings(url, types={"orders": "Order.Paid"})) == ["Order.Paid", 'Änd "x']
