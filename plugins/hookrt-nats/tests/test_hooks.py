"""The plugin in a runtime: what the README shows, servers that are away, and messages that can never be events."""

import asyncio
import re
import socket
import time
from pathlib import Path

import nats
import pytest
from hookrt_nats import NatsSource, PublishToNats

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
NOWHERE = "nats://me:hidden@127.0.0.1:1"
SOURCE = "sources: {orders: {nats: {url: '${{ secrets.NATS_URL }}', stream: STREAM, MORE}}}\n"
HOOKS = SOURCE + "hooks: {h: {on: '**', steps: [{log: got it}]}}"


@pytest.fixture
def run(hookrt_runtime):
    """Runs hooks on a server."""

    def start(hooks, url):
        plugins = {"actions": [PublishToNats], "sources": [NatsSource]}
        return hookrt_runtime(hooks, **plugins, secrets={"NATS_URL": url})

    return start


def hooks_for(stream, more="start: all"):
    return HOOKS.replace("STREAM", stream).replace("MORE", more)


def ask(server, question):
    """The answer of the server to something that is done with a JetStream context."""

    async def go():
        client = await nats.connect(server.url)
        try:
            return await question(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(go())


def publish(server, *messages):
    async def go(context):
        for subject, payload, headers in messages:
            await context.publish(subject, payload, headers=headers)

    ask(server, go)


def consumer(server, stream):
    return ask(server, lambda context: context.consumer_info(stream, "hookrt-orders"))


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


@pytest.mark.parametrize("text", BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_of_the_readme_is_accepted_and_starts_though_the_server_is_away(text, run):
    runtime = run(text, NOWHERE)
    why = until(lambda: account(runtime) and account(runtime).away)
    assert "127.0.0.1:1" in why or "tls" in text
    assert "hidden" not in why
    assert runtime.runtime.ready


def test_the_example_of_the_readme_does_what_it_says(server, new_stream, run):
    new_stream("mail")
    ask(server, lambda context: context.add_stream(name="ORDERS", subjects=["orders.>"]))
    runtime = run(BLOCKS[0], server.url)
    publish(server, ("orders.7.paid", b'{"total": 1}', None))
    [event] = runtime.wait_for_events(1)
    assert (event.type, event.source, event.content) == ("Order.Paid", "orders", b'{"total": 1}')
    sent = until(lambda: runtime.deliveries()[0].status == "succeeded") and ask(
        server, lambda js: js.get_msg("mail", 1)
    )
    assert (sent.subject, sent.headers["ce-type"]) == ("mail.confirmations", "Order.Paid")


@pytest.mark.parametrize(
    "where", ["service: {actions: {nats: {url: URL}}}", "sources: {orders: {nats: {url: URL, stream: S}}}"]
)
def test_no_event_has_a_say_in_which_server_it_is(where, run):
    hooks = where.replace("URL", "'nats://${{ event.data.host }}:4222'") + "\nhooks: {h: {on: A, steps: [{nats: b}]}}"
    with pytest.raises(Exception, match="`event` is not known here"):
        run(hooks, NOWHERE)


def test_two_processes_with_one_durable_share_the_messages(server, stream, run):
    runtimes = [run(hooks_for(stream, "batch: 2"), server.url) for _ in range(2)]
    publish(server, *((f"{stream}.a", b"%d" % number, None) for number in range(20)))
    until(lambda: sum(len(one.deliveries()) for one in runtimes) == 20)
    info = until(lambda: (found := consumer(server, stream)).num_ack_pending == 0 and found)
    assert (info.num_redelivered, info.delivered.consumer_seq) == (0, 20)


def test_what_can_never_be_an_event_is_counted_by_its_reason_and_the_rest_goes_on(server, stream, run, monkeypatch):
    monkeypatch.setattr("hookrt_nats.intake.MAX_BYTES", 1000)
    runtime = run(hooks_for(stream), server.url)
    said_json = {"Content-Type": "application/json"}
    publish(
        server,
        (f"{stream}.a", b"{no json", said_json),
        (f"{stream}.a", b"x" * 1001, None),
        (f"{stream}.a", b"1", {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s"}),
        (f"{stream}.fine", b"{no json", None),
    )
    [event] = runtime.wait_for_events(1)
    assert event.type == f"{stream}.fine"
    until(lambda: refused(runtime) == {"malformed": 2, "too-large": 1})
    assert until(lambda: (found := consumer(server, stream)).ack_floor.stream_seq == 4 and found).num_redelivered == 0


def test_headers_that_are_no_text_harm_nobody(server, stream, run):
    runtime = run(hooks_for(stream), server.url)
    for name in (b"Nats-Msg-Id", b"Content-Type", b"ce-specversion", b"X-\xff"):
        head = b"NATS/1.0\r\n" + name + b": \xff\xfe\xed\xa0\x80\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), 5) as raw:
            raw.recv(4096)
            sizes = f"{len(head)} {len(head) + 1}".encode()
            connect = b'CONNECT {"verbose":false,"headers":true}\r\n'
            raw.sendall(connect + b"HPUB %s.a %s\r\n%s1\r\nPING\r\n" % (stream.encode(), sizes, head))
            assert b"PONG" in raw.recv(4096)
    publish(server, (f"{stream}.fine", b"1", None))
    until(lambda: consumer(server, stream).ack_floor.stream_seq == 5)
    events = runtime.wait_for_events(2)
    assert f"{stream}.fine" in {event.type for event in events}
    assert sum(refused(runtime).values()) + len(runtime.deliveries()) == 5


def test_a_dead_letter_keeps_the_headers_and_comes_round_only_once(server, stream, run):
    runtime = run(hooks_for(stream, f"dead_letter: {stream}.dead"), server.url)
    headers = {"Content-Type": "application/json", "X-Of-Sender": "a"}
    publish(server, (f"{stream}.a", b"{", headers))
    until(lambda: refused(runtime) == {"malformed": 2})
    kept = ask(server, lambda context: context.get_msg(stream, 2))
    assert (kept.data, kept.headers["X-Of-Sender"], kept.headers["Hookrt-Subject"]) == (b"{", "a", f"{stream}.a")
    assert until(lambda: (found := consumer(server, stream)).ack_floor.stream_seq == 2 and found).num_pending == 0


def test_a_dead_letter_that_no_stream_takes_waits_and_holds_up_nobody(server, stream, run):
    runtime = run(hooks_for(stream, "dead_letter: nobody.takes.it"), server.url)
    publish(server, (f"{stream}.a", b"{", {"Content-Type": "application/json"}), (f"{stream}.fine", b"1", None))
    [event] = runtime.wait_for_events(1)
    assert event.type == f"{stream}.fine"
    until(lambda: (found := consumer(server, stream)).num_ack_pending == 1 and found.delivered.stream_seq == 2)
    assert refused(runtime) == {}
