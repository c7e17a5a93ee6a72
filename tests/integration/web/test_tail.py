"""Following deliveries live over HTTP."""

import asyncio

from hookrt import Runtime
from hookrt.model.policy import NO_RETRY
from hookrt.plugin import Outcome


def make_runtime(url: str = "memory:") -> Runtime:
    runtime = Runtime(store=url)

    @runtime.on("Good.*", name="good")
    async def good(event):
        return None

    @runtime.on("Bad.*", name="bad", retry=NO_RETRY)
    async def bad(event, call):
        return Outcome.reject("nope", "it is bad")

    return runtime


async def begin(client, **filters) -> str:
    answer = await client.get("/v1/deliveries/tail", params=filters)
    assert (answer.status_code, answer.json()["items"]) == (200, [])
    return answer.json()["next"]


def test_what_happens_is_told_as_it_happens(serving):
    async def run():
        runtime = make_runtime()
        async with serving(runtime) as (client, _, _):
            place = await begin(client)
            waiting = asyncio.create_task(client.get("/v1/deliveries/tail", params={"after": place, "wait": 20}))
            await asyncio.sleep(0)
            receipt = await runtime.emit("Bad.One")
            news = (await waiting).json()
            [item] = news["items"]
            assert item["delivery"] == receipt.deliveries[0]
            assert (item["hook"], item["status"], item["step"], item["attempt"]) == ("bad", "dead", "function", 1)
            assert (item["outcome"], item["reason"], item["message"]) == ("reject", "nope", "it is bad")
            assert item["duration_ms"] >= 0
            again = await client.get("/v1/deliveries/tail", params={"after": news["next"], "wait": 0})
            assert again.json() == {"items": [], "next": news["next"], "missed": 0}

    asyncio.run(run())


def test_filters_leave_out_what_is_not_wanted(serving):
    async def run():
        runtime = make_runtime()
        async with serving(runtime) as (client, _, _):
            place = await begin(client)
            for event_type in ("Good.One", "Bad.One", "Good.Two"):
                await (await runtime.emit(event_type)).wait(20)

            async def ask(**filters) -> list[str]:
                answer = await client.get("/v1/deliveries/tail", params={"after": place, "wait": 0, **filters})
                return [item["hook"] for item in answer.json()["items"]]

            assert await ask() == ["good", "bad", "good"]
            assert await ask(failed=True) == ["bad"]
            assert await ask(hook="good") == ["good", "good"]
            assert await ask(hook="good", failed=True) == []

    asyncio.run(run())


def test_a_follower_that_reconnects_misses_nothing(serving):
    async def run():
        runtime = make_runtime()
        async with serving(runtime) as (client, _, _):
            place = await begin(client)
            for _ in range(3):
                await (await runtime.emit("Good.One")).wait(20)
            first = (await client.get("/v1/deliveries/tail", params={"after": place, "wait": 0})).json()
            await (await runtime.emit("Bad.One")).wait(20)
            second = (await client.get("/v1/deliveries/tail", params={"after": first["next"], "wait": 0})).json()
            assert [len(first["items"]), len(second["items"])] == [3, 1]

    asyncio.run(run())


def test_after_a_restart_of_the_service_the_old_place_means_its_beginning(serving, store_url):
    async def run():
        async with serving(make_runtime(store_url)) as (client, _, _):
            place = await begin(client)
        runtime = make_runtime(store_url)
        async with serving(runtime) as (client, _, _):
            await client.get("/v1/deliveries/tail", params={"after": place, "wait": 0})
            await (await runtime.emit("Good.One")).wait(20)
            news = (await client.get("/v1/deliveries/tail", params={"after": place, "wait": 5})).json()
            assert ([item["hook"] for item in news["items"]], news["missed"]) == (["good"], 0)

    asyncio.run(run())


def test_a_place_that_is_none_is_refused(serving):
    async def run():
        async with serving(make_runtime()) as (client, _, _):
            answer = await client.get("/v1/deliveries/tail", params={"after": "nowhere", "wait": 0})
            assert (answer.status_code, "no place" in answer.json()["detail"]) == (409, True)

    asyncio.run(run())


def test_nothing_is_watched_while_nobody_follows(serving):
    async def run():
        runtime = make_runtime()
        async with serving(runtime) as (client, _, _):
            before = len(runtime.registry.observers)
            await (await runtime.emit("Good.One")).wait(20)
            assert len(runtime.registry.observers) == before
            await begin(client)
            assert len(runtime.registry.observers) == before + 1

    asyncio.run(run())


def test_a_process_that_does_not_deliver_cannot_tell(serving):
    async def run():
        async with serving(Runtime(store="memory:", deliver=False)) as (client, _, _):
            answer = await client.get("/v1/deliveries/tail")
            assert (answer.status_code, "does not deliver" in answer.json()["detail"]) == (409, True)

    asyncio.run(run())
