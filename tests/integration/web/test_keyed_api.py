"""What the API shows of deliveries and hooks that go by keys, through a real service on a real file."""

import asyncio
import io

from hookrt.cli.delivery_view import show_delivery
from hookrt.cli.event_view import show_explanations
from hookrt.cli.hook_view import show_hook
from hookrt.cli.render import Screen
from hookrt.runtime import Runtime

HOOKS = """
destinations:
  "http://127.0.0.1:9": {concurrency: 1}
hooks:
  ordered:
    on: Account.*
    order: {by: event.data.account, blocked: wait}
    retry: [1h]
    steps: [{webhook: "http://127.0.0.1:9/"}]
  once:
    on: Order.Paid
    dedupe: {by: "${{ event.data.order }}", within: 1h}
    debounce: {by: hook, wait: 10s, max: 1m}
    steps: [{log: paid}]
"""


def printed(show, *arguments, **named) -> str:
    stream = io.StringIO()
    show(Screen(stream), *arguments, **named)
    return stream.getvalue()


async def post(client, type_, **data):
    return (await client.post("/v1/events", json={"type": type_, "data": data})).json()


def made(tmp_path, store_url):
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    return Runtime.from_file(tmp_path / "hooks.yaml", store=store_url, env={})


def test_a_delivery_shows_its_order_key_and_whom_it_waits_for(serving, ended, tmp_path, store_url):
    async def run():
        async with serving(made(tmp_path, store_url)) as (client, _, _):
            [first] = (await post(client, "Account.Opened", account="acc-1"))["deliveries"]
            [second] = (await post(client, "Account.Closed", account="acc-1"))["deliveries"]
            waiting = await ended(client, first, "waiting")
            assert (waiting["order_key"], waiting["waits_for"]) == ("acc-1", None)
            behind = await ended(client, second, "pending")
            assert (behind["order_key"], behind["waits_for"]) == ("acc-1", first)
            shown = printed(show_delivery, behind, full=True)
            assert f"behind {first} of the same order key" in shown
            assert f"acc-1, behind {first}" in shown
            await client.post(f"/v1/deliveries/{first}/cancel", json={})
            assert (await ended(client, second, "waiting"))["waits_for"] is None

    asyncio.run(run())


def test_a_delivery_and_the_lists_show_why_it_was_cancelled(serving, tmp_path, store_url):
    async def run():
        async with serving(made(tmp_path, store_url)) as (client, _, _):
            await post(client, "Order.Paid", order=7)
            accepted = await post(client, "Order.Paid", order=7)
            [dropped] = accepted["deliveries"]
            for path in (f"/v1/events/{accepted['id']}", "/v1/deliveries?status=cancelled"):
                answer = (await client.get(path)).json()
                [delivery] = answer.get("deliveries") or answer["items"]
                assert (delivery["id"], delivery["status"], delivery["reason"]) == (dropped, "cancelled", "dedupe")
            await post(client, "Order.Paid", order=8)
            reasons = {one["reason"] for one in (await client.get("/v1/deliveries?status=cancelled")).json()["items"]}
            assert reasons == {"dedupe", "debounce"}

    asyncio.run(run())


def test_a_hook_and_an_explanation_show_the_keys(serving, tmp_path, store_url):
    async def run():
        async with serving(made(tmp_path, store_url)) as (client, _, _):
            ordered = (await client.get("/v1/hooks/ordered")).json()
            assert ordered["order"] == {"by": "event.data.account", "blocked": "wait"}
            assert ordered["dedupe"] is None
            once = (await client.get("/v1/hooks/once")).json()
            assert once["dedupe"] == {"by": "${{ event.data.order }}", "within": "1h"}
            assert once["debounce"] == {"by": "hook", "wait": "10s", "max": "1m"}
            assert "by event.data.account, blocked wait" in printed(show_hook, ordered)
            asked = {"type": "Account.Opened", "data": {"account": 3}}
            [fires] = (await client.post("/v1/explain?hook=ordered", json=asked)).json()["items"]
            assert fires["keys"] == [{"expression": "order by event.data.account", "value": "3", "problem": None}]
            assert "order by event.data.account is 3" in printed(show_explanations, [fires])
            [missing] = (await client.post("/v1/explain?hook=ordered", json={"type": "Account.Opened"})).json()["items"]
            assert missing["fires"]
            assert missing["keys"][0]["value"] == "no key"
            assert "does not apply" in printed(show_explanations, [missing])

    asyncio.run(run())
