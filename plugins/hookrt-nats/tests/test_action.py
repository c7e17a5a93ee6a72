"""The action `nats` against a real server."""

import asyncio

import nats
import pytest
from hookrt_nats import PublishToNats

from hookrt.plugin import OutcomeKind
from hookrt.testing import ActionContract, attempt, call_for, event, open_action, run_action


class TestContract(ActionContract):
    action = PublishToNats
    valid_settings = (
        {"subject": "CONTRACT.a"},
        {"subject": "CONTRACT.b", "data": {"n": 1}, "headers": {"X-A": "b"}, "stream": "CONTRACT"},
    )
    invalid_settings = (
        {},
        {"subject": "a b"},
        {"subject": "a.*"},
        {"subject": "a.>"},
        {"subject": "$JS.API.STREAM.DELETE.X"},
        {"subject": "a", "headers": {"Nats-Msg-Id": "x"}},
        {"subject": "a", "headers": {"A": "x\r\nB: y"}},
    )

    @pytest.fixture(autouse=True)
    def _server(self, server, new_stream):
        self.url = server.url
        new_stream("CONTRACT")

    def make_service_settings(self, tmp_path):
        return {"url": self.url}


def publish(server, settings, happened=None):
    return run_action(PublishToNats, settings, event=happened or event(), service_settings={"url": server.url})


def message(server, stream, number=1):
    async def get():
        client = await nats.connect(server.url)
        found = await client.jetstream().get_msg(stream, number)
        await client.close()
        return found

    return asyncio.run(get())


def test_the_event_goes_out_as_a_cloudevent_by_default(server, stream):
    happened = event("Order.Paid", {"n": 1}, id="e1", subject="ö 7")
    outcome = publish(server, {"subject": f"{stream}.a"}, happened)
    assert outcome.output == {"stream": stream, "sequence": 1, "duplicate": False}
    sent = message(server, stream)
    assert sent.data == b'{"n":1}'
    assert {"ce-type": "Order.Paid", "ce-id": "e1", "ce-subject": "%C3%B6%207"}.items() <= sent.headers.items()


@pytest.mark.parametrize(
    ("data", "payload"), [("text ü", "text ü".encode()), ({"a": [1]}, b'{"a":[1]}'), (None, b"null")]
)
def test_data_is_text_or_json(server, data, payload, new_stream):
    stream = new_stream()
    publish(server, {"subject": f"{stream}.a", "data": data})
    assert message(server, stream).data == payload


def test_a_repetition_of_the_same_message_is_done_and_no_second_message(server, stream):
    first, second = (publish(server, {"subject": f"{stream}.a"}) for _ in range(2))
    assert (first.output["duplicate"], second.output["duplicate"]) == (False, True)
    assert second.kind is OutcomeKind.DONE
    assert first.output["sequence"] == second.output["sequence"]
    assert message(server, stream).headers["Nats-Msg-Id"].startswith("msg_")


@pytest.mark.parametrize("subject", ["$JS.API.STREAM.DELETE.X", "_INBOX.a", "a b", "a.*", "", "a\r\nPUB b"])
def test_a_subject_made_up_by_an_event_that_is_none_is_rejected(server, subject):
    outcome = publish(server, {"subject": subject})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "bad-subject")


def test_without_a_stream_it_says_so_and_tries_again(server):
    outcome = publish(server, {"subject": "nobody.takes.this"})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "no-stream")


def test_another_stream_than_the_one_that_is_wanted_refuses(server, stream):
    outcome = publish(server, {"subject": f"{stream}.a", "stream": "OTHER"})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "refused")


def test_a_message_above_the_limit_of_the_server_is_rejected(server, stream):
    outcome = publish(server, {"subject": f"{stream}.a", "data": "x" * 1_100_000})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "too-large")


def test_a_dead_server_is_worth_another_try_and_the_password_is_not_shown():
    away = {"url": "nats://u:hidden@127.0.0.1:1"}
    outcome = run_action(PublishToNats, {"subject": "a"}, service_settings=away)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "connect")
    assert "127.0.0.1:1" in outcome.message
    assert "hidden" not in outcome.message


def test_a_wrong_password_is_worth_another_try_and_says_what_to_look_at(new_server):
    server = new_server("--user", "u", "--pass", "right")
    away = {"url": server.url.replace("nats://", "nats://u:hidden@")}
    outcome = run_action(PublishToNats, {"subject": "a"}, service_settings=away)
    assert outcome.reason == "connect"
    assert "uthorization" in outcome.message
    assert "hidden" not in outcome.message


def test_the_action_goes_on_after_the_server_was_killed(new_server):
    server = new_server()

    async def make_stream():
        client = await nats.connect(server.url)
        await client.jetstream().add_stream(name="S", subjects=["S.>"])
        await client.close()

    async def go():
        await make_stream()
        async with open_action(PublishToNats, service_settings={"url": server.url}) as opened:

            async def send():
                return await attempt(opened, call_for(opened, {"subject": "S.a"}))

            first = await send()
            server.kill()
            during = await send()
            server.start()
            return first, during, await send()

    first, during, after = asyncio.run(go())
    assert during.reason == "connect"
    assert (first.output["duplicate"], after.output["duplicate"]) == (False, True)
