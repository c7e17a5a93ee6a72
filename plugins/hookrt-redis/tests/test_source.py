"""The source `redis_stream` against a real server: what arrives, when it is acknowledged, and bad entries."""

import asyncio
import contextlib
from datetime import timedelta

import pytest
from hookrt_redis import StreamSettings, StreamSource
from pydantic import ValidationError
from redis.asyncio import Redis

from hookrt.plugin import EventError, Overloaded, SourceRun
from hookrt.testing import FakeClock, MemoryState, RecordedLog, SystemClock, read_settings


class Taken:
    """What a source emits, in place of the runtime: the events by id, and what to raise."""

    def __init__(self, enough):
        self.events, self.calls, self.raising = {}, [], []
        self.enough, self.reached = enough, asyncio.Event()

    async def __call__(self, type, data=None, **named):
        self.calls.append(type)
        if self.raising and (error := self.raising.pop(0)) is not None:
            raise error
        if type == "forbidden":
            raise EventError("'type' is not acceptable")
        new = named["id"] not in self.events
        self.events.setdefault(named["id"], (type, data, named))
        if len(self.events) >= self.enough:
            self.reached.set()
        return new


class Report:
    """What a source says of itself: why things were refused, and how it stood, one after the other."""

    def __init__(self):
        self.reasons, self.states = [], []

    def refused(self, reason):
        self.reasons.append(reason)

    def away(self, why):
        self.states.append(why)

    def connected(self):
        self.states.append("connected")


PAUSES_S = (0.1, 0.2, 0.4, 0.8, 1.6)


def settings(server, stream, **more):
    return read_settings(StreamSettings, {"url": server.url, "stream": stream, **more})


@contextlib.asynccontextmanager
async def running(chosen, taken, log=None, report=None):
    state, report = MemoryState(), report or Report()
    run = SourceRun("orders", chosen, taken, log or RecordedLog(), SystemClock(), None, state, report)
    task = asyncio.create_task(StreamSource().run(run))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(asked):
    """Ask until the answer is yes."""
    async with asyncio.timeout(20):
        while not await asked():  # noqa: ASYNC110 - it is a server that is asked
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def client_of(server):
    client = Redis.from_url(server.url)
    try:
        yield client
    finally:
        await client.aclose()


async def pending(client, stream):
    return (await client.xpending(stream, "hookrt-orders"))["pending"]


async def settled(client, stream):
    """Wait until everything is delivered and acknowledged."""

    async def asked():
        [group] = await client.xinfo_groups(stream)
        return group["pending"] == 0 and not group["lag"]  # None after a restart: unknown

    await until(asked)


def receive(server, stream, *entries, enough=None, **more):
    async def go():
        taken = Taken(len(entries) if enough is None else enough)
        async with client_of(server) as client:
            for fields in entries:
                await client.xadd(stream, fields)
            async with running(settings(server, stream, **more), taken):
                async with asyncio.timeout(20):
                    await taken.reached.wait()
                await settled(client, stream)
        return list(taken.events.items())

    return asyncio.run(go())


def test_the_fields_name_type_data_and_id(server, stream):
    found = receive(
        server, stream, {"type": "Order.Paid", "data": '{"total": 1.10}', "id": "o7"}, {"type": "T", "data": "hello"}
    )
    (first, (kind, data, named)), (second, (_, text, _)) = found
    assert (first, kind, data, text) == ("o7", "Order.Paid", b'{"total": 1.10}', "hello")
    assert named["time"].tzinfo is not None
    assert second.startswith(f"{stream}:")


def test_an_entry_without_a_data_field_is_the_data_and_the_source_can_name_the_type(server, stream):
    [(_, (kind, data, _))] = receive(server, stream, {"temperature": "21", "room": "ü"}, type="Sensor.Read")
    assert (kind, data) == ("Sensor.Read", {"temperature": "21", "room": "ü"})


def test_bytes_that_are_no_text_are_binary_data(server, stream):
    [(_, (_, data, named))] = receive(server, stream, {"type": "T", "data": b"\xff\xfe"})
    assert (data, named["binary"]) == (b"\xff\xfe", True)


def test_a_new_group_can_begin_with_what_comes(server, stream):
    async def go():
        taken = Taken(1)
        async with client_of(server) as client:
            await client.xadd(stream, {"type": "Old"})
            async with running(settings(server, stream, start="new"), taken):

                async def reads():
                    return bool(await client.xinfo_groups(stream))

                await until(reads)
                await client.xadd(stream, {"type": "New"})
                async with asyncio.timeout(20):
                    await taken.reached.wait()
        return taken.calls

    assert asyncio.run(go()) == ["New"]


def test_an_entry_is_acknowledged_only_after_emit_returned(server, stream):
    async def go():
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow(*_, **__):
            begun.set()
            await go_on.wait()
            return True

        async with client_of(server) as client:
            await client.xadd(stream, {"type": "T"})
            async with running(settings(server, stream), slow):
                await begun.wait()
                during = await pending(client, stream)
                go_on.set()
                await settled(client, stream)
        return during

    assert asyncio.run(go()) == 1


def test_what_this_consumer_left_unfinished_comes_first_after_a_restart(server, stream):
    async def go():
        hung = asyncio.Event()

        async def dies(*_, **__):
            hung.set()
            await asyncio.Event().wait()

        taken = Taken(2)
        async with client_of(server) as client:
            await client.xadd(stream, {"type": "First"})
            async with running(settings(server, stream), dies):
                await hung.wait()
            await client.xadd(stream, {"type": "Second"})
            async with running(settings(server, stream), taken):
                async with asyncio.timeout(20):
                    await taken.reached.wait()
                await settled(client, stream)
        return taken.calls

    assert asyncio.run(go()) == ["First", "Second"]


def test_what_a_dead_consumer_left_is_claimed(server, stream, monkeypatch):
    monkeypatch.setattr("hookrt_redis.group.BLOCK_MS", 100)

    async def go():
        hung = asyncio.Event()

        async def dies(*_, **__):
            hung.set()
            await asyncio.Event().wait()

        taken = Taken(1)
        async with client_of(server) as client:
            await client.xadd(stream, {"type": "T"})
            async with running(settings(server, stream, consumer="dead"), dies):
                await hung.wait()
            async with running(settings(server, stream, consumer="alive", claim_after="1s"), taken):
                async with asyncio.timeout(20):
                    await taken.reached.wait()
                await settled(client, stream)
        return taken.calls

    assert asyncio.run(go()) == ["T"]


def test_overload_makes_it_wait_and_loses_nothing(server, stream):
    async def go():
        taken = Taken(2)
        taken.raising = [Overloaded("too much", timedelta(milliseconds=100))]
        async with client_of(server) as client:
            await client.xadd(stream, {"type": "A"})
            await client.xadd(stream, {"type": "B"})
            async with running(settings(server, stream), taken):
                async with asyncio.timeout(20):
                    await taken.reached.wait()
                await settled(client, stream)
        return taken.calls

    assert asyncio.run(go()) == ["A", "B", "A"]


def test_a_poison_entry_is_named_counted_kept_and_never_comes_again(server, stream):
    async def go():
        taken, log, report = Taken(1), RecordedLog(), Report()
        async with client_of(server) as client:
            bad = [await client.xadd(stream, fields) for fields in ({"type": "forbidden", "data": "1"}, {"x": "y"})]
            await client.xadd(stream, {"type": "Fine"})
            async with running(settings(server, stream, dead_letter=f"{stream}-dead"), taken, log, report):
                async with asyncio.timeout(20):
                    await taken.reached.wait()
                await settled(client, stream)
            kept = await client.xrange(f"{stream}-dead")
        return log, report.reasons, [one.decode() for one in bad], [fields for _, fields in kept]

    log, reasons, bad, kept = asyncio.run(go())
    named = [fields["entry"] for level, name, fields in log.lines if (level, name) == ("error", "redis-entry-refused")]
    assert sorted(named) == bad
    assert reasons == ["malformed", "malformed"]
    assert sorted(fields[b"hookrt_entry"].decode() for fields in kept) == bad
    assert {b"x": b"y"}.items() <= next(fields for fields in kept if b"x" in fields).items()


def test_an_entry_that_always_fails_is_refused_after_some_attempts(server, stream, monkeypatch):
    monkeypatch.setattr("hookrt_redis.intake.MOST_FAILURES", 2)

    async def go():
        log = RecordedLog()

        async def emit(*_, **__):
            raise RuntimeError("nobody foresaw this")

        async with client_of(server) as client:
            await client.xadd(stream, {"type": "T"})
            async with running(settings(server, stream), emit, log):

                async def refused():
                    return any(name == "redis-entry-refused" for _, name, _ in log.lines)

                await until(refused)
                await settled(client, stream)
        return repr(log.lines)

    assert "nobody foresaw this" in asyncio.run(go())


def test_a_killed_server_loses_nothing_and_is_found_again(new_server, stream, monkeypatch):
    monkeypatch.setattr("hookrt_redis.source.PAUSES_S", PAUSES_S)
    server = new_server()

    async def go():
        taken, log, report = Taken(40), RecordedLog(), Report()
        client = Redis.from_url(server.url)
        async with running(settings(server, stream, batch=5), taken, log, report):
            for number in range(20):
                await client.xadd(stream, {"type": "T", "data": str(number)})
            await client.aclose()
            server.kill()

            async def noticed():
                return any(name == "redis-away" for _, name, _ in log.lines)

            await until(noticed)
            server.start()
            async with client_of(server) as again:
                for number in range(20, 40):
                    await again.xadd(stream, {"type": "T", "data": str(number)})
                async with asyncio.timeout(30):
                    await taken.reached.wait()
                await settled(again, stream)
        return sorted(int(data) for _, data, _ in taken.events.values()), log, report.states

    numbers, log, states = asyncio.run(go())
    pauses = [fields["again_in_s"] for _, name, fields in log.lines if name == "redis-away"]
    assert numbers == list(range(40))
    assert pauses == list(PAUSES_S[: len(pauses)])
    assert (states[0], states[-1], len(states)) == ("connected", "connected", len(pauses) + 2)


def test_a_server_that_is_not_there_is_asked_less_and_less():
    async def go():
        log, clock = RecordedLog(), FakeClock()
        chosen = read_settings(StreamSettings, {"url": "redis://me:hid%40den@127.0.0.1:1", "stream": "s"})
        run = SourceRun("orders", chosen, Taken(1), log, clock, None, MemoryState(), Report())
        task = asyncio.create_task(StreamSource().run(run))
        for pause in (1, 2, 5):
            await clock.until_sleeping()
            clock.advance(pause)
        await clock.until_sleeping()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return log.lines, run.report.states

    lines, states = asyncio.run(go())
    assert [fields["again_in_s"] for _, _, fields in lines] == [1.0, 2.0, 5.0, 10.0]
    assert "hid" not in f"{lines} {states}"


def test_a_source_that_is_told_to_end_ends_whenever_that_comes(server, stream):
    async def go():
        left = 0
        for number in range(0, 60, 3):
            run = SourceRun(
                "orders", settings(server, stream), Taken(1), RecordedLog(), SystemClock(), None, MemoryState()
            )
            task = asyncio.create_task(StreamSource().run(run))
            for _ in range(number):  # so many turns of the loop, each with its own moment
                await asyncio.sleep(0)
            task.cancel()
            _, still = await asyncio.wait({task}, timeout=10)
            left += len(still)
        return left

    assert asyncio.run(go()) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://localhost"},
        {"url": "redis://u:hidden@"},
        {"url": "redis://localhost/x"},
        {"url": "redis://localhost?a=hidden"},
        {"stream": ""},
        {"batch": 0},
        {"claim_after": "10ms"},
        {"dead_letter": "s"},
        {"tls": {"ca": "ca.pem"}},
        {"url": "REDISS://u:hidden@localhost"},
    ],
)
def test_bad_settings_are_refused_and_show_no_password(wrong):
    with pytest.raises(ValidationError) as caught:
        read_settings(StreamSettings, {"url": "redis://localhost", "stream": "s", **wrong})
    assert "hidden" not in str(caught.value)


def test_a_wrong_password_is_said_with_the_way_out_and_is_not_shown(new_server, stream):
    server = new_server("--requirepass", "right-one")

    async def go():
        log = RecordedLog()
        url = server.url.replace("redis://", "redis://:hidden@")
        chosen = read_settings(StreamSettings, {"url": url, "stream": stream})
        async with running(chosen, Taken(1), log):

            async def said():
                return bool(log.lines)

            await until(said)
        return log.lines[0], repr(chosen)

    (_, name, fields), shown = asyncio.run(go())
    assert name == "redis-away"
    assert "look at user and password" in fields["error"]
    assert "hidden" not in repr(fields) + shown
