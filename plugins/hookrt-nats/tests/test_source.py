"""The source `nats` against a real server: what arrives, when it is acknowledged, what becomes of bad messages."""

import asyncio
import contextlib
import json
from datetime import timedelta

import nats
from hookrt_nats import NatsSource, NatsSourceSettings
from nats.js.errors import NotFoundError

from hookrt.plugin import EventError, Overloaded, SourceRun
from hookrt.testing import MemoryState, RecordedLog, SystemClock, read_settings


class Taken:
    """What a source emits, in place of the runtime: the events by id, and what to raise."""

    def __init__(self, enough):
        self.events, self.calls, self.raising = {}, [], []
        self.enough, self.reached = enough, asyncio.Event()

    async def __call__(self, type, data=None, **named):
        self.calls.append(type)
        if self.raising and (error := self.raising.pop(0)) is not None:
            raise error
        if "forbidden" in type:
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
    return read_settings(NatsSourceSettings, {"url": server.url, "stream": stream, **more})


@contextlib.asynccontextmanager
async def running(chosen, taken, log=None, report=None):
    state, report = MemoryState(), report or Report()
    run = SourceRun("orders", chosen, taken, log or RecordedLog(), SystemClock(), None, state, report)
    task = asyncio.create_task(NatsSource().run(run))
    try:
        yield run
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def publish(server, *messages):
    client = await nats.connect(server.url)
    for subject, payload, headers in messages:
        await client.jetstream().publish(subject, payload, headers=headers)
    await client.close()


async def consumer_of(server, stream, wanted):
    """The consumer's figures, once they are as wanted."""
    client = await nats.connect(server.url)
    found = []

    async def asked():
        with contextlib.suppress(NotFoundError):
            found.append(await client.jetstream().consumer_info(stream, "hookrt-orders"))
        return bool(found) and wanted(found[-1])

    await until(asked)
    await client.close()
    return found[-1]


async def until(asked):
    """Ask until the answer is yes."""
    async with asyncio.timeout(20):
        while not await asked():  # noqa: ASYNC110 - it is a server that is asked
            await asyncio.sleep(0.02)


async def line_of(log, name):
    """The fields of the first line with this name, once there is one."""

    async def asked():
        return any(name == one for _, one, _ in log.lines)

    await until(asked)
    return next(fields for _, one, fields in log.lines if one == name)


def settled(info):
    return info.num_ack_pending == 0 and info.num_pending == 0


def receive(server, stream, *messages, enough=None, **more):
    """Publish, let the source run until so many events are there and all is acknowledged, and give what was taken."""

    async def go():
        await publish(server, *messages)
        taken = Taken(len(messages) if enough is None else enough)
        async with running(settings(server, stream, **more), taken):
            async with asyncio.timeout(20):
                await taken.reached.wait()
            await consumer_of(server, stream, settled)
        return list(taken.events.items())

    return asyncio.run(go())


def test_the_subject_is_the_type_and_the_payload_the_data(server, stream):
    [(identity, (kind, data, named))] = receive(server, stream, (f"{stream}.created", b'{"total": 1.10}', None))
    assert kind == named["subject"] == f"{stream}.created"
    assert data == b'{"total": 1.10}'
    assert named["time"].tzinfo is not None
    assert identity.startswith(f"{stream}@")
    assert identity.endswith(":1")


def test_types_are_chosen_by_patterns_of_subjects_the_first_that_matches(server, stream):
    types = {f"{stream}.*.paid": "Order.Paid", f"{stream}.>": "Order.Other"}
    messages = [(f"{stream}.{name}", b"1", None) for name in ("7.paid", "7.8.paid", "7")]
    found = receive(server, stream, *messages, types=types)
    assert [kind for _, (kind, _, _) in found] == ["Order.Paid", "Order.Other", "Order.Other"]


def test_the_id_is_nats_msg_id_where_there_is_one(server, stream):
    [(identity, _)] = receive(server, stream, (f"{stream}.a", b"1", {"Nats-Msg-Id": "order-7"}))
    assert identity == "order-7"


def test_text_and_bytes_and_nothing_are_data_too(server, stream):
    messages = [(f"{stream}.a", payload, None) for payload in (b"hello", b"\xff\xfe", b"")]
    found = receive(server, stream, *messages)
    assert [(data, named["binary"]) for _, (_, data, named) in found] == [
        ("hello", False),
        (b"\xff\xfe", True),
        (None, False),
    ]


def test_cloudevents_are_recognised_in_both_modes(server, stream):
    core = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "Order.Paid", "subject": "o7", "region": "eu"}
    structured = json.dumps({**core, "data": {"n": 1}}).encode()
    headers = {f"ce-{name}": value for name, value in {**core, "id": "2", "subject": "o%C3%A4"}.items()}
    found = receive(
        server,
        stream,
        (f"{stream}.a", structured, None),
        (f"{stream}.a", b'{"n":2}', {**headers, "Content-Type": "application/json"}),
    )
    assert [(kind, json.loads(data), named["subject"]) for _, (kind, data, named) in found] == [
        ("Order.Paid", {"n": 1}, "o7"),
        ("Order.Paid", {"n": 2}, "oä"),
    ]
    assert all(named["attributes"] == {"region": "eu", "cesource": "/shop"} for _, (_, _, named) in found)


def test_only_subjects_of_the_filter_come_in(server, stream):
    messages = [(f"{stream}.a", b"1", None), (f"{stream}.b", b"2", None)]
    found = receive(server, stream, *messages, enough=1, subject=f"{stream}.b")
    assert [data for _, (_, data, _) in found] == [b"2"]


def test_a_message_is_acknowledged_only_after_emit_returned(server, stream):
    async def go():
        await publish(server, (f"{stream}.a", b"1", None))
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow(*_, **__):
            begun.set()
            await go_on.wait()
            return True

        async with running(settings(server, stream), slow):
            await begun.wait()
            during = await consumer_of(server, stream, lambda info: info.delivered.consumer_seq == 1)
            go_on.set()
            after = await consumer_of(server, stream, settled)
        return during.num_ack_pending, after.ack_floor.stream_seq

    assert asyncio.run(go()) == (1, 1)


def test_what_nobody_acknowledged_comes_again_and_is_the_same_event(server, stream):
    async def go():
        await publish(server, (f"{stream}.a", b"1", None))
        taken = Taken(1)
        hung = asyncio.Event()

        async def dies(*_, **__):
            hung.set()
            await asyncio.Event().wait()

        chosen = settings(server, stream, ack_wait="1s")
        async with running(chosen, dies):
            await hung.wait()
        async with running(chosen, taken), asyncio.timeout(20):
            await taken.reached.wait()
            info = await consumer_of(server, stream, settled)
        return len(taken.events), info.delivered.consumer_seq

    assert asyncio.run(go()) == (1, 2)


def test_overload_puts_a_message_off_and_loses_nothing(server, stream):
    async def go():
        await publish(server, (f"{stream}.a", b"1", None), (f"{stream}.b", b"2", None))
        taken, log = Taken(2), RecordedLog()
        taken.raising = [Overloaded("too much", timedelta(seconds=1))]
        async with running(settings(server, stream), taken, log):
            async with asyncio.timeout(20):
                await taken.reached.wait()
            await consumer_of(server, stream, settled)
        return taken, log

    taken, log = asyncio.run(go())
    assert taken.calls == [f"{stream}.a", f"{stream}.b", f"{stream}.a"]
    assert [fields["again_in_s"] for _, name, fields in log.lines if name == "nats-message-put-off"] == [1.0]


def test_a_poison_message_is_named_counted_kept_and_never_comes_again(server, stream):
    bad = json.dumps({"specversion": "0.9", "id": "1", "source": "s"}).encode()

    async def go():
        taken, log, report = Taken(1), RecordedLog(), Report()
        client = await nats.connect(server.url)
        context = client.jetstream()
        await context.add_stream(name=f"{stream}D", subjects=["graves.>"])
        chosen = settings(server, stream, dead_letter="graves.orders")
        await publish(
            server, (f"{stream}.forbidden", b"1", None), (f"{stream}.x", bad, None), (f"{stream}.ok", b"3", None)
        )
        async with running(chosen, taken, log, report):
            async with asyncio.timeout(20):
                await taken.reached.wait()
            info = await consumer_of(server, stream, settled)
        kept = [(await context.get_msg(f"{stream}D", number)).data for number in (1, 2)]
        await client.close()
        return log, report.reasons, info, sorted(kept)

    log, reasons, info, kept = asyncio.run(go())
    named = {fields["subject"]: fields for level, name, fields in log.lines if name == "nats-message-refused"}
    assert set(named) == {f"{stream}.forbidden", f"{stream}.x"}
    assert {fields["sequence"] for fields in named.values()} == {1, 2}
    assert reasons == ["malformed", "malformed"]
    assert info.num_redelivered == 0
    assert kept == sorted([b"1", bad])


def test_a_message_that_always_fails_is_refused_after_some_attempts(server, stream, monkeypatch):
    monkeypatch.setattr("hookrt_nats.intake.MOST_FAILURES", 2)
    monkeypatch.setattr("hookrt_nats.intake._FIRST_DELAY_S", 0.05)

    async def go():
        await publish(server, (f"{stream}.a", b"1", None), (f"{stream}.b", b"2", None))
        taken, log = Taken(1), RecordedLog()

        async def emit(type, data=None, **named):
            if type.endswith(".a"):
                raise RuntimeError("nobody foresaw this")
            return await taken(type, data, **named)

        async with running(settings(server, stream), emit, log):
            await consumer_of(server, stream, settled)
        return log

    lines = asyncio.run(go()).lines
    [why] = [fields["why"] for _, name, fields in lines if name == "nats-message-refused"]
    assert "nobody foresaw this" in why


def test_a_missing_stream_is_said_with_the_way_out_and_waited_for(server):
    async def go():
        log, taken = RecordedLog(), Taken(1)
        async with running(settings(server, "MISSING"), taken, log):
            fields = await line_of(log, "nats-away")
            async with asyncio.timeout(20):
                client = await nats.connect(server.url)
                await client.jetstream().add_stream(name="MISSING", subjects=["missing.>"])
                await client.jetstream().publish("missing.a", b"1")
                await client.close()
                await taken.reached.wait()
        return fields

    fields = asyncio.run(go())
    assert "nats stream add MISSING" in fields["error"]


def test_a_stream_made_anew_has_other_ids_so_that_nothing_passes_for_a_duplicate(server, stream):
    async def go():
        taken = Taken(2)
        await publish(server, (f"{stream}.a", b"1", None))
        async with running(settings(server, stream), taken), asyncio.timeout(20):
            await consumer_of(server, stream, settled)
            client = await nats.connect(server.url)
            await client.jetstream().delete_stream(stream)
            await client.jetstream().add_stream(name=stream, subjects=[f"{stream}.>"])
            await client.jetstream().publish(f"{stream}.a", b"2")
            await client.close()
            await taken.reached.wait()
        return list(taken.events)

    first, second = asyncio.run(go())
    assert first.endswith(":1")
    assert second.endswith(":1")
    assert first != second


def test_a_killed_server_loses_nothing_and_is_found_again(new_server, monkeypatch):
    monkeypatch.setattr("hookrt_nats.source.PAUSES_S", PAUSES_S)
    server = new_server()

    async def go():
        client = await nats.connect(server.url)
        await client.jetstream().add_stream(name="S", subjects=["S.>"])
        await client.close()
        taken, log, report = Taken(40), RecordedLog(), Report()
        async with running(settings(server, "S", batch=5, ack_wait="1s"), taken, log, report):
            await publish(server, *((f"S.{number}", b"1", None) for number in range(20)))
            server.kill()
            await line_of(log, "nats-away")
            server.start()
            await publish(server, *((f"S.{number}", b"1", None) for number in range(20, 40)))
            async with asyncio.timeout(30):
                await taken.reached.wait()
            await consumer_of(server, "S", settled)
        return sorted(int(kind[2:]) for kind, _, _ in taken.events.values()), log, report.states

    numbers, log, states = asyncio.run(go())
    pauses = [fields["again_in_s"] for _, name, fields in log.lines if name == "nats-away"]
    assert numbers == list(range(40))
    assert pauses == list(PAUSES_S[: len(pauses)])
    assert (states[0], states[-1], len(states)) == ("connected", "connected", len(pauses) + 2)


def test_a_source_that_is_told_to_end_ends_whenever_that_comes(server, stream):
    async def go():
        left = 0
        for number in range(0, 60, 3):
            run = SourceRun(
                "orders", settings(server, stream), Taken(1), RecordedLog(), SystemClock(), None, MemoryState()
            )
            task = asyncio.create_task(NatsSource().run(run))
            for _ in range(number):  # so many turns of the loop, each with its own moment
                await asyncio.sleep(0)
            task.cancel()
            _, still = await asyncio.wait({task}, timeout=10)
            left += len(still)
        return left

    assert asyncio.run(go()) == 0


def test_no_error_and_no_settings_show_the_password(server, stream):
    async def go():
        log = RecordedLog()
        chosen = read_settings(NatsSourceSettings, {"url": "nats://me:hidden@127.0.0.1:1", "stream": stream})
        async with running(chosen, Taken(1), log):
            await line_of(log, "nats-away")
        return repr(chosen), log

    shown, log = asyncio.run(go())
    assert "hidden" not in shown + repr(log.lines)
    assert "127.0.0.1:1" in repr(log.lines)
