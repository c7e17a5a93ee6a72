"""The plugin in a runtime: what the README shows, servers that are away, and what other consumers left."""

import asyncio
import re
import time
from pathlib import Path

import pytest
from hookrt_redis import AppendToStream, StreamSettings, StreamSource
from hookrt_redis.group import Group
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from hookrt.testing import read_settings

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
NOWHERE = "redis://me:hidden@127.0.0.1:1"
SOURCE = "sources: {orders: {redis_stream: {url: '${{ secrets.REDIS_URL }}', stream: STREAM, MORE}}}\n"
HOOKS = SOURCE + "hooks: {h: {on: '**', steps: [{log: got it}]}}"


@pytest.fixture
def run(hookrt_runtime):
    """Runs hooks on a server."""

    def start(hooks, url):
        plugins = {"actions": [AppendToStream], "sources": [StreamSource]}
        return hookrt_runtime(hooks, **plugins, secrets={"REDIS_URL": url})

    return start


@pytest.fixture
def client(server):
    with Redis.from_url(server.url, decode_responses=True) as made:
        yield made


def hooks_for(stream, more="start: all"):
    return HOOKS.replace("STREAM", stream).replace("MORE", more)


def until(asked):
    """Ask until the answer is true, and give it."""
    deadline = time.monotonic() + 20
    while not (found := asked()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def account(runtime):
    return runtime.runtime.inbound.accounts().get("orders")


def refused(runtime):
    return account(runtime).outcomes if account(runtime) else {}


def pending(client, stream):
    return client.xpending(stream, "hookrt-orders")["pending"]


@pytest.mark.parametrize("text", BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_of_the_readme_is_accepted_and_starts_though_the_server_is_away(text, run):
    runtime = run(text, NOWHERE)
    why = until(lambda: account(runtime) and account(runtime).away)
    assert "127.0.0.1:1" in why or "tls" in text
    assert "hidden" not in why
    assert runtime.runtime.ready


def test_the_example_of_the_readme_does_what_it_says(server, client, run):
    runtime = run(BLOCKS[0], server.url)
    client.xadd("orders", {"type": "Order.Paid", "data": '{"total": 1}', "id": "o7"})
    [event] = runtime.wait_for_events(1)
    assert (event.type, event.source, event.id, event.content) == ("Order.Paid", "orders", "o7", b'{"total": 1}')
    [(_, fields)] = until(lambda: client.xrange("confirmations"))
    assert (fields["type"], fields["id"]) == ("Order.Paid", "o7")


@pytest.mark.parametrize(
    "where",
    ["service: {actions: {redis_stream: {url: URL}}}", "sources: {orders: {redis_stream: {url: URL, stream: s}}}"],
)
def test_no_event_has_a_say_in_which_server_it_is(where, run):
    hooks = (
        where.replace("URL", "'redis://${{ event.data.host }}'") + "\nhooks: {h: {on: A, steps: [{redis_stream: b}]}}"
    )
    with pytest.raises(Exception, match="`event` is not known here"):
        run(hooks, NOWHERE)


def test_consumers_of_one_group_share_the_entries(server, client, stream, run):
    runtimes = [run(hooks_for(stream, f"batch: 2, consumer: {name}"), server.url) for name in ("a", "b")]
    for number in range(20):
        client.xadd(stream, {"type": "T", "data": str(number)})
    until(lambda: sum(len(one.deliveries()) for one in runtimes) == 20)
    until(lambda: pending(client, stream) == 0)
    assert sum(len(one.deliveries()) for one in runtimes) == 20


def test_what_a_dead_consumer_left_long_ago_is_taken_over_in_portions(server, client, stream):
    client.xgroup_create(stream, "hookrt-orders", "0", mkstream=True)
    left = [client.xadd(stream, {"type": "T"}) for _ in range(5)]
    client.xreadgroup("hookrt-orders", "dead", {stream: ">"})
    client.xclaim(stream, "hookrt-orders", "dead", 0, left[:4], idle=120_000)
    client.xtrim(stream, minid=left[1], approximate=False)  # what is gone from the stream can only be finished

    async def take():
        settings = read_settings(StreamSettings, {"url": server.url, "stream": stream, "batch": 2, "consumer": "alive"})
        async with AsyncRedis.from_url(server.url) as connection:
            group = await Group.open(connection, settings, "orders")
            portions = [await group.next(), await group.next()]
            for entry in (one for portion in portions for one in portion):
                await group.finish(entry)
        return [[one.id for one in portion] for portion in portions]

    portions = asyncio.run(take())
    assert max(map(len, portions)) <= 2
    assert [one for portion in portions for one in portion] == left[1:4]
    assert [one["message_id"] for one in client.xpending_range(stream, "hookrt-orders", "-", "+", 9)] == [left[4]]


def test_what_can_never_be_an_event_is_counted_by_its_reason_and_the_rest_goes_on(
    server, client, stream, run, monkeypatch
):
    monkeypatch.setattr("hookrt_redis.intake.MAX_BYTES", 1000)
    runtime = run(hooks_for(stream), server.url)
    bad = [{"x": "no type"}, {"type": "T", "data": "x" * 1001}, {"type": b"\xff"}, {"type": "hookrt.forged"}]
    for fields in [*bad, {"type": "Fine", "data": "{no json"}]:
        client.xadd(stream, fields)
    [event] = runtime.wait_for_events(1)
    assert (event.type, event.content) == ("Fine", b'"{no json"')
    until(lambda: refused(runtime) == {"malformed": 3, "too-large": 1})
    until(lambda: pending(client, stream) == 0)


def test_a_dead_letter_that_is_no_stream_is_waited_for_and_nothing_is_lost(server, client, stream, run, monkeypatch):
    monkeypatch.setattr("hookrt_redis.intake.LONGEST_PAUSE_S", 0.05)
    client.set(f"{stream}-dead", "a text")
    for fields in ({"x": "no type"}, {"type": "Fine"}):
        client.xadd(stream, fields)
    runtime = run(hooks_for(stream, f"dead_letter: {stream}-dead"), server.url)
    assert [event.type for event in runtime.wait_for_events(1)] == ["Fine"]
    until(lambda: pending(client, stream) == 1)
    assert refused(runtime) == {}
    client.delete(f"{stream}-dead")
    until(lambda: pending(client, stream) == 0)
    assert (refused(runtime), client.xlen(f"{stream}-dead")) == ({"malformed": 1}, 1)
