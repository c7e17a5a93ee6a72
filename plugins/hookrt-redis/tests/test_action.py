"""The action `redis_stream` against a real server."""

import asyncio

import pytest
from hookrt_redis import AppendToStream
from redis import Redis

from hookrt.plugin import OutcomeKind
from hookrt.testing import ActionContract, attempt, call_for, event, open_action, run_action


class TestContract(ActionContract):
    action = AppendToStream
    valid_settings = (
        {"stream": "s"},
        {"stream": "s", "fields": {"a": "b", "n": {"x": [1]}}, "maxlen": 10, "dedupe_for": "1h"},
    )
    invalid_settings = ({}, {"stream": ""}, {"stream": "s", "fields": {}}, {"stream": "s", "maxlen": 0})

    @pytest.fixture(autouse=True)
    def _server(self, server):
        self.url = server.url

    def make_service_settings(self, tmp_path):
        return {"url": self.url}


def append(server, settings, happened=None):
    return run_action(AppendToStream, settings, event=happened or event(), service_settings={"url": server.url})


def entries(server, stream):
    client = Redis.from_url(server.url, decode_responses=True)
    try:
        return [fields for _, fields in client.xrange(stream)]
    finally:
        client.close()


def test_the_event_is_the_default_entry(server, stream):
    outcome = append(server, stream and {"stream": stream}, event("Order.Paid", {"n": 1}, id="e1", subject="o7"))
    assert outcome.kind is OutcomeKind.DONE
    [fields] = entries(server, stream)
    assert {"type": "Order.Paid", "id": "e1", "subject": "o7", "data": '{"n":1}'}.items() <= fields.items()
    assert outcome.output["duplicate"] is False


def test_a_repetition_of_the_same_message_adds_no_second_entry(server, stream):
    first, second = (append(server, {"stream": stream, "fields": {"n": 1}}) for _ in range(2))
    assert (first.output["duplicate"], second.output["duplicate"]) == (False, True)
    assert first.output["entry"] == second.output["entry"]
    assert entries(server, stream) == [{"n": "1"}]


def test_attempts_at_once_add_one_entry(server, stream):
    async def go():
        async with open_action(AppendToStream, service_settings={"url": server.url}) as opened:
            calls = [call_for(opened, {"stream": stream}) for _ in range(10)]
            return await asyncio.gather(*(attempt(opened, call) for call in calls))

    assert sorted(outcome.output["duplicate"] for outcome in asyncio.run(go())) == [False] + [True] * 9
    assert len(entries(server, stream)) == 1


def test_maxlen_keeps_the_newest(server, stream):
    async def go():
        async with open_action(AppendToStream, service_settings={"url": server.url}) as opened:
            for number in range(300):
                call = call_for(opened, {"stream": stream, "maxlen": 100}, event=event(id=f"e{number}"))
                await attempt(opened, call)

    asyncio.run(go())
    kept = entries(server, stream)
    assert 100 <= len(kept) < 300
    assert kept[-1]["id"] == "e299"


def test_a_key_of_another_kind_is_rejected(server, stream):
    client = Redis.from_url(server.url)
    client.set(stream, "x")
    client.close()
    outcome = append(server, {"stream": stream})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "wrong-type")


def test_a_dead_server_is_worth_another_try_and_the_password_is_not_shown(stream):
    away = {"url": "redis://u:hidden@127.0.0.1:1"}
    outcome = run_action(AppendToStream, {"stream": stream}, service_settings=away)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "connect")
    assert "127.0.0.1:1" in outcome.message
    assert "hidden" not in outcome.message


def test_after_a_restart_of_the_server_one_attempt_at_most_meets_an_old_connection(new_server, stream):
    server = new_server()

    async def go():
        async with open_action(AppendToStream, service_settings={"url": server.url}) as opened:

            def add(number):
                return attempt(opened, call_for(opened, {"stream": stream}, event=event(id=f"e{number}")))

            await asyncio.gather(*(add(number) for number in range(5)))
            server.kill()
            server.start()
            return [await add(number) for number in range(5, 10)]

    kinds = [outcome.kind for outcome in asyncio.run(go())]
    assert kinds[1:] == [OutcomeKind.DONE] * 4


def test_the_action_goes_on_after_the_server_was_killed(new_server, stream):
    server = new_server()

    async def go():
        async with open_action(AppendToStream, service_settings={"url": server.url}) as opened:

            async def add():
                return await attempt(opened, call_for(opened, {"stream": stream}))

            first = await add()
            server.kill()
            during = await add()
            server.start()
            return first, during, await add()

    first, during, after = asyncio.run(go())
    assert during.reason == "connect"
    assert (first.output["duplicate"], after.output["duplicate"]) == (False, True)
    assert len(entries(server, stream)) == 1
