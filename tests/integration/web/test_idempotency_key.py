"""A request with the header Idempotency-Key is safe to repeat."""

import asyncio

from hookrt.runtime import Runtime

EVENT = {"type": "User.Created", "data": {"n": 1}}


def with_hook(store_url) -> Runtime:
    runtime = Runtime(store=store_url)

    @runtime.on("User.*", name="welcome")
    async def welcome(event):
        return {"seen": event.id}

    return runtime


def run_with(store_url, serving, scenario) -> None:
    async def run():
        async with serving(with_hook(store_url)) as (client, _, runtime):

            async def post(body, key, **headers):
                return await client.post("/v1/events", json=body, headers={"Idempotency-Key": key, **headers})

            await scenario(post, client, runtime)

    asyncio.run(run())


def test_the_same_key_and_content_is_a_duplicate_with_the_firsts_deliveries(store_url, serving):
    async def scenario(post, client, runtime):
        first, second = await post(EVENT, "order-17"), await post(EVENT, '"order-17"')
        assert (first.status_code, second.status_code) == (202, 202)
        assert first.json()["id"] == "order-17"
        assert second.json() == {**first.json(), "duplicate": True}
        assert len(first.json()["deliveries"]) == 1

    run_with(store_url, serving, scenario)


def test_requests_at_the_same_time_make_one_event(store_url, serving):
    async def scenario(post, client, runtime):
        answers = [answer.json() for answer in await asyncio.gather(*(post(EVENT, "k") for _ in range(20)))]
        assert sum(not answer["duplicate"] for answer in answers) == 1
        assert len({tuple(answer["deliveries"]) for answer in answers}) == 1

    run_with(store_url, serving, scenario)


def test_the_same_key_with_other_content_is_a_conflict(store_url, serving):
    async def scenario(post, client, runtime):
        await post(EVENT, "k")
        answer = await post({**EVENT, "data": {"n": 2}}, "k")
        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"

    run_with(store_url, serving, scenario)


def test_an_id_in_the_body_wins_over_the_key(store_url, serving):
    async def scenario(post, client, runtime):
        first = await post({**EVENT, "id": "own"}, "k")
        second = await post({**EVENT, "id": "other"}, "k")
        assert [answer.json()["id"] for answer in (first, second)] == ["own", "other"]
        cloud = {"specversion": "1.0", "id": "ce1", "source": "/x", "type": "User.Created"}
        answer = await post(cloud, "k", **{"content-type": "application/cloudevents+json"})
        assert answer.json()["id"] == "ce1"

    run_with(store_url, serving, scenario)


def test_a_repeated_batch_is_answered_as_duplicates(store_url, serving):
    async def scenario(post, client, runtime):
        batch = [EVENT, {**EVENT, "data": 2}]
        first, second = (await post(batch, "k")).json()["events"], (await post(batch, "k")).json()["events"]
        assert [one["duplicate"] for one in (*first, *second)] == [False, False, True, True]
        assert [(one["id"], one["deliveries"]) for one in first] == [(one["id"], one["deliveries"]) for one in second]
        changed = await post([EVENT, {**EVENT, "data": 3}], "k")
        assert (changed.status_code, changed.json()["index"]) == (409, 1)

    run_with(store_url, serving, scenario)


def test_a_bad_key_is_refused_and_nothing_is_stored(store_url, serving):
    async def scenario(post, client, runtime):
        for key in ("", "x" * 256, '"open'):
            answer = await post(EVENT, key)
            assert answer.status_code == 400
            assert answer.json()["type"] == "urn:hookrt:problem:idempotency-key-invalid"
        assert (await client.get("/v1/events")).json()["items"] == []

    run_with(store_url, serving, scenario)


def test_the_header_stands_in_the_api_document(store_url, serving):
    async def scenario(post, client, runtime):
        document = (await client.get("/openapi.json")).json()
        [header, only] = document["paths"]["/v1/events"]["post"]["parameters"]
        assert (only["name"], only["in"], only["required"]) == ("only", "query", False)
        assert (header["name"], header["in"], header["required"]) == ("Idempotency-Key", "header", False)

    run_with(store_url, serving, scenario)
