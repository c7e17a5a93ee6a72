"""`POST /v1/events` over the wire: durable when answered, all or nothing, and never more than a problem document."""

import asyncio
import gzip
import json

import pytest

from hookrt.runtime import Runtime
from hookrt.web.connection import Patience
from hookrt.web.parse_events import Limits

NDJSON = {"content-type": "application/x-ndjson"}
JSON = {"content-type": "application/json"}


def with_hook(store_url) -> Runtime:
    runtime = Runtime(store=store_url)

    @runtime.on("User.*", name="welcome")
    async def welcome(event):
        return {"seen": event.id}

    return runtime


def test_202_comes_after_the_commit_with_the_ids(store_url, serving):
    async def run():
        async with serving(with_hook(store_url)) as (client, _, runtime):
            answer = await client.post("/v1/events", json={"type": "User.Created", "data": {"n": 1}})
            assert answer.status_code == 202
            accepted = answer.json()
            assert set(accepted) == {"id", "deliveries", "duplicate"}
            assert accepted["duplicate"] is False
            stored = await runtime.store.event("http", accepted["id"])
            assert [delivery.id for delivery in stored.deliveries] == accepted["deliveries"]
            assert len(accepted["deliveries"]) == 1

    asyncio.run(run())


def test_data_goes_out_byte_for_byte_as_it_came_in(serving):
    data = '{ "b" :1.10, "n":12345678901234567890123, "s":"é" }'.encode()

    async def run():
        async with serving() as (client, _, runtime):
            body = b'{"type":"A","id":"1","data":' + data + b"}"
            assert (await client.post("/v1/events", content=body, headers=JSON)).status_code == 202
            assert (await runtime.store.event("http", "1")).event.content == data

    asyncio.run(run())


def test_a_second_post_of_the_same_event_is_a_duplicate_with_the_firsts_deliveries(store_url, serving):
    async def run():
        async with serving(with_hook(store_url)) as (client, _, _):
            body = {"type": "User.Created", "id": "1", "data": {"n": 1}}
            first = (await client.post("/v1/events", json=body)).json()
            second = await client.post("/v1/events", json=body)
            assert second.status_code == 202
            assert second.json() == {**first, "duplicate": True}

    asyncio.run(run())


def test_the_same_id_with_other_content_is_a_conflict(serving):
    async def run():
        async with serving() as (client, _, _):
            await client.post("/v1/events", json={"type": "A", "id": "1", "data": 1})
            answer = await client.post("/v1/events", json={"type": "A", "id": "1", "data": 2})
            assert answer.status_code == 409
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"] == "urn:hookrt:problem:event-conflict"

    asyncio.run(run())


def test_a_batch_is_answered_in_its_order(store_url, serving):
    async def run():
        async with serving(with_hook(store_url)) as (client, _, _):
            answer = await client.post("/v1/events", json=[{"type": "User.A", "id": "1"}, {"type": "B", "id": "2"}])
            assert answer.status_code == 202
            events = answer.json()["events"]
            assert [(event["id"], len(event["deliveries"])) for event in events] == [("1", 1), ("2", 0)]
            lines = b'{"type":"User.A","id":"3"}\n{"type":"B","id":"4"}\n'
            answer = await client.post("/v1/events", content=lines, headers=NDJSON)
            assert [event["id"] for event in answer.json()["events"]] == ["3", "4"]
            one = await client.post("/v1/events", json=[{"type": "B", "id": "5"}])
            assert [event["id"] for event in one.json()["events"]] == ["5"]

    asyncio.run(run())


def test_an_empty_array_is_answered_with_an_empty_list(serving):
    async def run():
        async with serving() as (client, _, _):
            answer = await client.post("/v1/events", json=[])
            assert (answer.status_code, answer.json()) == (202, {"events": []})

    asyncio.run(run())


@pytest.mark.parametrize(
    "bad",
    [
        {"type": "hookrt.started"},
        {"type": "a b"},
        {"type": "B", "id": "\u0000"},
        {"type": ""},
        {"type": "B", "tpye": 1},
    ],
)
def test_a_batch_is_all_or_nothing_and_names_the_offending_line(bad, serving):
    async def run():
        async with serving() as (client, _, runtime):
            batch = [{"type": "A", "id": "1"}, bad, {"type": "C", "id": "3"}]
            answer = await client.post("/v1/events", json=batch)
            assert answer.status_code == 400
            assert answer.json()["index"] == 1
            assert "index 1" in answer.json()["detail"]
            lines = "\n\n".join(json.dumps(event) for event in batch).encode()
            answer = await client.post("/v1/events", content=lines, headers=NDJSON)
            assert answer.status_code == 400
            assert (answer.json()["line"], answer.json()["index"]) == (3, 1)
            assert "line 3" in answer.json()["detail"]
            assert await runtime.store.event("http", "1") is None

    asyncio.run(run())


def test_a_conflict_in_a_batch_names_it_and_stores_nothing(serving):
    async def run():
        async with serving() as (client, _, runtime):
            await client.post("/v1/events", json={"type": "A", "id": "1", "data": 1})
            answer = await client.post(
                "/v1/events", json=[{"type": "B", "id": "9"}, {"type": "A", "id": "1", "data": 2}]
            )
            assert (answer.status_code, answer.json()["index"]) == (409, 1)
            assert await runtime.store.event("http", "9") is None

    asyncio.run(run())


def test_types_of_hookrt_itself_are_refused(serving):
    async def run():
        async with serving() as (client, _, _):
            answer = await client.post("/v1/events", json={"type": "hookrt.hook.disabled"})
            assert answer.status_code == 400
            assert "index" not in answer.json()

    asyncio.run(run())


def test_malformed_json_is_400_with_reason_and_position(serving):
    async def run():
        async with serving() as (client, _, _):
            answer = await client.post("/v1/events", content=b'{"type":"A",\n"data":tru}', headers=JSON)
            assert answer.status_code == 400
            assert answer.headers["content-type"] == "application/problem+json"
            shown = answer.json()
            assert (shown["position"], shown["line"], shown["column"]) == (20, 2, 8)
            assert "malformed" in shown["detail"]

    asyncio.run(run())


def test_cloudevents_come_in_structured_binary_and_as_a_batch(serving):
    event = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "A", "tenant": "t1", "data": {"n": 1}}

    async def run():
        async with serving() as (client, _, runtime):
            structured = {"content-type": "application/cloudevents+json; charset=utf-8"}
            answer = await client.post("/v1/events", content=json.dumps(event), headers=structured)
            assert (answer.status_code, answer.json()["id"]) == (202, "1")
            batch = {"content-type": "application/cloudevents-batch+json"}
            answer = await client.post("/v1/events", content=json.dumps([{**event, "id": "2"}]), headers=batch)
            assert [one["id"] for one in answer.json()["events"]] == ["2"]
            binary = {"ce-specversion": "1.0", "ce-id": "3", "ce-source": "/shop", "ce-type": "A", "ce-tenant": "t1"}
            answer = await client.post("/v1/events", content=b'{"n":1}', headers={**binary, **JSON})
            assert (answer.status_code, answer.json()["id"]) == (202, "3")
            for number in "123":
                stored = (await runtime.store.event("/shop", number)).event
                assert (stored.attributes, stored.data) == ({"tenant": "t1"}, {"n": 1})

    asyncio.run(run())


def test_an_event_above_1_mib_and_a_batch_above_5_mib_are_413(serving):
    async def run():
        async with serving() as (client, _, _):
            fits = b'{"type":"A","data":"' + b"x" * (1024 * 1024 - 22) + b'"}'
            assert len(fits) == 1024 * 1024
            assert (await client.post("/v1/events", content=fits, headers=JSON)).status_code == 202
            over = fits[:-2] + b'x"}'
            answer = await client.post("/v1/events", content=over, headers=JSON)
            assert (answer.status_code, answer.json()["type"]) == (413, "urn:hookrt:problem:event-too-large")
            batch = b"[" + b",".join([fits] * 5) + b"]"
            assert (await client.post("/v1/events", content=batch, headers=JSON)).status_code == 413

    asyncio.run(run())


def test_a_body_without_a_length_is_counted_while_it_comes_and_the_connection_lives_on(serving):
    async def run():
        async with serving(limits=Limits(event=1000, batch=1000)) as (client, _, _):

            async def pieces():
                for _ in range(200):
                    yield b"x" * 1000

            assert (await client.post("/v1/events", content=pieces(), headers=JSON)).status_code == 413
            assert (await client.post("/v1/events", json={"type": "A"})).status_code == 202

    asyncio.run(run())


def test_a_declared_length_above_the_limit_is_answered_at_once(serving, exchange):
    head = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"

    async def run():
        async with serving() as (_, server, _):
            answer = await exchange(server, head + b"Content-Length: 99999999\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 413 ")

    asyncio.run(run())


def test_a_compressed_body_is_415_with_a_sentence(serving):
    async def run():
        async with serving() as (client, _, _):
            body = gzip.compress(b'{"type":"A"}')
            answer = await client.post("/v1/events", content=body, headers={**JSON, "content-encoding": "gzip"})
            assert answer.status_code == 415
            assert "compressed" in answer.json()["detail"]

    asyncio.run(run())


def test_a_body_that_drips_ends_with_408(serving, exchange):
    head = (
        b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
    )

    async def run():
        async with serving(patience=Patience(body_s=0.05)) as (_, server, _):
            answer = await exchange(server, head, b'{"type"')
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] == "urn:hookrt:problem:request-timeout"

    asyncio.run(run())


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(serving, log):
    head = (
        b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
    )

    async def run():
        async with serving() as (client, server, _):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(head + b'{"type"')
            await writer.drain()
            writer.transport.abort()
            assert (await client.post("/v1/events", json={"type": "A"})).status_code == 202
            listed = (await client.get("/v1/events")).json()
            assert [event["type"] for event in listed["items"]] == ["A"]

    asyncio.run(run())
    assert not log.lines


def test_a_runtime_that_has_stopped_answers_503_with_retry_after(serving):
    async def run():
        async with serving() as (client, _, runtime):
            await runtime.stop()
            answer = await client.post("/v1/events", json={"type": "A"})
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            assert (await client.get("/readyz")).status_code == 503
            assert (await client.get("/healthz")).status_code == 200

    asyncio.run(run())
