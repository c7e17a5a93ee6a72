"""Disabling and enabling hooks over HTTP."""

import asyncio

import pytest

from hookrt.runtime import Runtime
from hookrt.web.auth import Token


@pytest.fixture
def runtime(store_url):
    made = Runtime(store=store_url)

    @made.on("User.*", name="welcome")
    async def welcome(event):
        return None

    return made


def test_a_hook_is_disabled_shown_so_and_enabled(serving, runtime, ended):
    async def run():
        async with serving(runtime) as (client, _, _):
            assert (await client.get("/v1/hooks/welcome")).json()["disabled"] is None
            shown = (await client.post("/v1/hooks/welcome/disable", json={"reason": "it hurts"})).json()
            assert (shown["enabled"], shown["disabled"]["reason"]) == (False, "by-hand")
            assert (shown["disabled"]["message"], shown["stats"]["held"]) == ("it hurts", 0)
            again = await client.post("/v1/hooks/welcome/disable", json={"reason": "once more"})
            assert (again.status_code, again.json()["disabled"]["message"]) == (200, "it hurts")
            [identity] = (await client.post("/v1/events", json={"type": "User.A"})).json()["deliveries"]
            [listed] = (await client.get("/v1/hooks")).json()["items"]
            assert (listed["enabled"], listed["stats"]["held"], listed["stats"]["pending"]) == (False, 1, 0)
            explained = (await client.post("/v1/explain", json={"type": "User.A"})).json()["items"][0]
            assert (explained["fires"], explained["detail"]) == (
                True,
                "the hook is disabled (by-hand): its delivery is held",
            )
            shown = (await client.post("/v1/hooks/welcome/enable", json={})).json()
            assert (shown["enabled"], shown["disabled"]) == (True, None)
            await ended(client, identity, "succeeded")

    asyncio.run(run())


def test_only_admin_may_switch_hooks_and_mistakes_are_named(serving, runtime):
    tokens = [Token.make("reader", ["read", "emit"]), Token.make("chief", ["admin"])]

    async def run():
        async with serving(runtime, tokens=tokens) as (client, _, _):
            for verb in ("disable", "enable"):
                path = f"/v1/hooks/welcome/{verb}"
                refused = await client.post(path, json={}, headers={"authorization": "Bearer reader"})
                assert (refused.status_code, "'admin'" in refused.json()["detail"]) == (403, True)
                chief = {"authorization": "Bearer chief"}
                assert (await client.post(path, json={}, headers=chief)).status_code == 200
                unknown = await client.post(f"/v1/hooks/none/{verb}", json={}, headers=chief)
                assert (unknown.status_code, unknown.json()["detail"]) == (404, "no hook is named 'none'")
                assert (await client.post(path, json={"why": 1}, headers=chief)).status_code == 400

    asyncio.run(run())
