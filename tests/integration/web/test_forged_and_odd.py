"""What claims to come from hookrt itself, methods that no route has, and places that nobody gave."""

import asyncio

import pytest

from hookrt import Runtime
from hookrt.errors import EventError


def test_an_event_from_outside_cannot_claim_to_come_from_hookrt(serving):
    async def run():
        seen = []
        runtime = Runtime(store="memory:")

        @runtime.on("**", name="own", source="hookrt")
        async def own(event):
            seen.append(event.type)

        async with serving(runtime) as (client, _, _):
            one = await client.post("/v1/events", json={"type": "A.B", "source": "hookrt"})
            assert (one.status_code, "'source' is 'hookrt'" in one.json()["detail"]) == (400, True)
            many = await client.post("/v1/events", json=[{"type": "A"}, {"type": "B", "source": "hookrt"}])
            assert (many.status_code, many.json()["index"]) == (400, 1)
            with pytest.raises(EventError, match="hookrt itself"):
                await runtime.emit("A.B", source="hookrt")
            assert (await client.get("/v1/events")).json()["items"] == []
        assert seen == []

    asyncio.run(run())


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_a_method_that_no_route_has_is_405_behind_the_guard(serving, method):
    async def run():
        async with serving(Runtime(store="memory:")) as (client, _, _):
            answer = await client.request(method, "/v1/events")
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
            for head in ({"host": "evil.example"}, {"origin": "https://evil.example"}):
                assert (await client.request(method, "/v1/events", headers=head)).status_code == 403

    asyncio.run(run())


def test_no_route_has_a_method_that_the_guard_lets_pass_without_json(serving):
    async def run():
        async with serving(Runtime(store="memory:")) as (client, _, _):
            paths = (await client.get("/openapi.json")).json()["paths"]
            assert {method for path in paths.values() for method in path} == {"get", "post"}

    asyncio.run(run())


@pytest.mark.parametrize("place", ["-1", "-0", "1", "", "a-", "a--1x"])
def test_what_is_no_place_of_the_live_view_is_refused(serving, place):
    async def run():
        async with serving(Runtime(store="memory:")) as (client, _, _):
            answer = await client.get("/v1/deliveries/tail", params={"after": place, "wait": 0})
            assert (answer.status_code, "no place" in answer.json()["detail"]) == (409, True)

    asyncio.run(run())
