"""What the API answers, from a real runtime with functions as hooks."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from hookrt.model.outcome import Outcome
from hookrt.model.policy import NO_RETRY
from hookrt.runtime import Runtime


@pytest.fixture
def runtime(store_url):
    made = Runtime(store=store_url)

    @made.on("User.*", name="welcome", when="event.data.n > 1")
    async def welcome(event):
        return {"seen": event.id}

    @made.on("Order.Paid", name="ship", retry=NO_RETRY)
    async def ship(event):
        return Outcome.reject("refused", "no such order")

    @made.on("Order.Late", name="chase")
    async def chase(event):
        return Outcome.retry("status", "not now", after=timedelta(hours=1))

    return made


async def post(client, **event) -> dict:
    answer = await client.post("/v1/events", json=event)
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_an_event_comes_with_its_deliveries(serving, runtime):
    async def run():
        async with serving(runtime) as (client, _, _):
            accepted = await post(client, type="User.Created", id="u/1 ä", data={"n": 2}, subject="x")
            shown = (await client.get("/v1/events/u%2F1%20%C3%A4")).json()
            assert shown["data"] == {"n": 2}
            assert (shown["id"], shown["type"], shown["source"], shown["subject"]) == (
                "u/1 ä",
                "User.Created",
                "http",
                "x",
            )
            assert [delivery["id"] for delivery in shown["deliveries"]] == accepted["deliveries"]
            assert shown["deliveries"][0]["event"] == "u/1 ä"
            assert datetime.fromisoformat(shown["time"]).tzinfo == UTC
            assert shown["time"].endswith("Z")

    asyncio.run(run())


ECHOING = """
hooks:
  echo:
    on: Echo
    steps:
      - python: |
          def run(event, ctx):
              return {"said": event["data"]["said"]}
      - log: "${{ steps.python.output.said }} ${{ secrets.KEY }}"
"""


def test_a_secret_in_the_output_of_a_step_is_masked(serving, ended, store_url, tmp_path):
    (tmp_path / "hooks.yaml").write_text(ECHOING)
    env = {"HOOKRT_SECRET_KEY": "a-very-secret-key"}

    async def run():
        runtime = Runtime.from_file(tmp_path / "hooks.yaml", store=store_url, env=env)
        async with serving(runtime) as (client, _, _):
            accepted = await post(client, type="Echo", data={"said": "it is a-very-secret-key"})
            await ended(client, accepted["deliveries"][0], "succeeded")
            for path in (f"/v1/deliveries/{accepted['deliveries'][0]}", "/v1/deliveries"):
                answer = await client.get(path)
                assert "a-very-secret-key" not in answer.text
                assert '{"said":"it is ***"}' in answer.text
            shown = (await client.get(f"/v1/events/{accepted['id']}")).json()
            assert shown["deliveries"][0]["steps"][0]["output"] == {"said": "it is ***"}

    asyncio.run(run())


def test_an_id_that_several_sources_use_is_ambiguous_until_one_is_named(serving, runtime):
    async def run():
        async with serving(runtime) as (client, _, _):
            await post(client, type="A", id="1", source="shop")
            await post(client, type="B", id="1", source="crm")
            answer = await client.get("/v1/events/1")
            assert answer.status_code == 409
            assert sorted(answer.json()["sources"]) == ["crm", "shop"]
            assert (await client.get("/v1/events/1?source=shop")).json()["type"] == "A"
            assert (await client.get("/v1/events/1?source=nobody")).status_code == 404

    asyncio.run(run())


def test_events_are_listed_newest_first_in_pages(serving, runtime):
    async def run():
        async with serving(runtime) as (client, _, _):
            for number in range(5):
                await post(client, type=f"T{number % 2}", id=str(number))
            first = (await client.get("/v1/events?limit=3")).json()
            assert [event["id"] for event in first["items"]] == ["4", "3", "2"]
            second = (await client.get("/v1/events", params={"limit": 3, "cursor": first["next"]})).json()
            assert [event["id"] for event in second["items"]] == ["1", "0"]
            assert second["next"] is None
            assert len((await client.get("/v1/events?type=T1")).json()["items"]) == 2
            assert len((await client.get("/v1/events?id=3&source=http")).json()["items"]) == 1
            later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
            assert not (await client.get("/v1/events", params={"since": later})).json()["items"]
            assert len((await client.get("/v1/events", params={"until": later})).json()["items"]) == 5

    asyncio.run(run())


def test_large_data_is_left_out_of_lists(serving, runtime):
    async def run():
        async with serving(runtime) as (client, _, _):
            await post(client, type="A", id="1", data="x" * 20_000)
            [listed] = (await client.get("/v1/events")).json()["items"]
            assert (listed["data"], listed["data_omitted"], listed["size"]) == (None, True, 20_002)
            assert (await client.get("/v1/events/1")).json()["data"] == "x" * 20_000

    asyncio.run(run())


def test_a_delivery_shows_every_attempt(serving, runtime, ended):
    async def run():
        async with serving(runtime) as (client, _, _):
            [identity] = (await post(client, type="Order.Paid"))["deliveries"]
            shown = await ended(client, identity, "dead")
            assert {"id", "event", "hook", "status", "steps", "attempts"} <= set(shown)
            assert (shown["hook"], shown["event_type"], shown["attempt_count"]) == ("ship", "Order.Paid", 1)
            [attempt] = shown["attempts"]
            assert (attempt["number"], attempt["step"], attempt["outcome"]) == (1, "function", "reject")
            assert (attempt["reason"], attempt["message"]) == ("refused", "no such order")
            assert attempt["duration_ms"] >= 0
            assert attempt["started"].endswith("Z")
            assert attempt["request"] is None

    asyncio.run(run())


def test_deliveries_are_filtered(serving, runtime, ended):
    async def run():
        async with serving(runtime) as (client, _, _):
            [good] = (await post(client, type="User.A", id="g", data={"n": 2}))["deliveries"]
            [bad] = (await post(client, type="Order.Paid", id="b"))["deliveries"]
            await ended(client, good, "succeeded")
            await ended(client, bad, "dead")
            for query, expected in [
                ("", {good, bad}),
                ("hook=ship", {bad}),
                ("status=succeeded", {good}),
                ("status=succeeded&status=dead", {good, bad}),
                ("event=b", {bad}),
                ("event=b&source=http", {bad}),
                ("reason=nothing", set()),
                ("status=held", set()),
            ]:
                listed = (await client.get(f"/v1/deliveries?{query}")).json()
                assert {item["id"] for item in listed["items"]} == expected, query
                assert listed["next"] is None

    asyncio.run(run())


def test_replay_makes_a_new_delivery_linked_to_the_old_one(serving, runtime, ended):
    async def run():
        async with serving(runtime) as (client, _, _):
            [old] = (await post(client, type="User.A", data={"n": 2}))["deliveries"]
            await ended(client, old, "succeeded")
            json = {"content-type": "application/json"}
            for asked in [
                {"json": {}},
                {"json": {"from": "start", "new_message_id": True}},
                {"params": {"from": "start"}, "headers": json},
            ]:
                answer = await client.post(f"/v1/deliveries/{old}/replay", **asked)
                assert answer.status_code == 202, answer.text
                new = answer.json()
                assert new["replay_of"] == old
                shown = await ended(client, new["id"], "succeeded")
                assert shown["replay_of"] == old

    asyncio.run(run())


def test_cancel_and_retry_say_when_they_are_not_possible(serving, runtime, ended):
    async def run():
        async with serving(runtime) as (client, _, _):
            [identity] = (await post(client, type="Order.Late"))["deliveries"]
            waiting = await ended(client, identity, "waiting")
            assert waiting["reason"] == "status"
            assert [step["status"] for step in waiting["steps"]] == ["pending"]
            answer = await client.post(f"/v1/deliveries/{identity}/replay", json={})
            assert (answer.status_code, answer.json()["type"]) == (409, "urn:hookrt:problem:not-possible")
            answer = await client.post(f"/v1/deliveries/{identity}/retry", json={})
            assert answer.status_code == 200
            async with asyncio.timeout(20):
                while (await client.get(f"/v1/deliveries/{identity}")).json()["attempt_count"] < 2:
                    await asyncio.sleep(0.01)
            answer = await client.post(f"/v1/deliveries/{identity}/cancel", json={})
            assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
            for verb in ("cancel", "retry"):
                assert (await client.post(f"/v1/deliveries/{identity}/{verb}", json={})).status_code == 409

    asyncio.run(run())


def test_hooks_are_listed_by_name_with_24_hour_stats(serving, runtime, ended):
    async def run():
        async with serving(runtime) as (client, _, _):
            [identity] = (await post(client, type="User.A", data={"n": 2}))["deliveries"]
            await ended(client, identity, "succeeded")
            first = (await client.get("/v1/hooks?limit=2")).json()
            assert [hook["name"] for hook in first["items"]] == ["chase", "ship"]
            second = (await client.get("/v1/hooks", params={"cursor": first["next"]})).json()
            assert [hook["name"] for hook in second["items"]] == ["welcome"]
            assert second["next"] is None
            hook = (await client.get("/v1/hooks/welcome")).json()
            assert (hook["enabled"], hook["on"], hook["from"], hook["when"]) == (
                True,
                ["User.*"],
                None,
                "event.data.n > 1",
            )
            assert (hook["stats"]["succeeded"], hook["stats"]["dead"]) == (1, 0)
            assert hook["stats"]["last_success"].endswith("Z")
            assert hook["steps"][0]["timeout"] == "15s"

    asyncio.run(run())


def test_explain_says_for_every_hook_whether_it_fires_and_why_not(serving, runtime):
    async def run():
        async with serving(runtime) as (client, _, _):
            answer = await client.post("/v1/explain", json={"type": "User.A", "data": {"n": 1}})
            assert answer.status_code == 200
            found = {item["hook"]: item for item in answer.json()["items"]}
            assert set(found) == {"welcome", "ship", "chase"}
            assert (found["welcome"]["fires"], found["welcome"]["reason"]) == (False, "condition")
            assert found["ship"]["reason"] == "type"
            assert not (await client.get("/v1/events")).json()["items"]
            await post(client, type="User.A", id="1", data={"n": 2})
            json = {"content-type": "application/json"}
            answer = await client.post("/v1/explain?id=1&hook=welcome", headers=json)
            assert [(item["hook"], item["fires"]) for item in answer.json()["items"]] == [("welcome", True)]
            assert (await client.post("/v1/explain?id=9", headers=json)).status_code == 404
            assert (await client.post("/v1/explain", json={"type": "a b"})).status_code == 400
            assert (await client.post("/v1/explain", json=[])).status_code == 400

    asyncio.run(run())


def test_plugins_and_sources_are_lists(serving, runtime):
    async def run():
        async with serving(runtime) as (client, _, _):
            for path in ("/v1/plugins", "/v1/sources"):
                assert (await client.get(path)).json() == {"items": [], "next": None}

    asyncio.run(run())
