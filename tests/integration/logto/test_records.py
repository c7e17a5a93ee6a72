"""Recent deliveries and the figures of a day, as Logto's console shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hookrt.testing import Answer

Within = Callable[..., None]
Make = Callable[..., dict[str, Any]]

HOOKS = """
hooks:
  busy:
    on: PostRegister
    from: logto
    steps: [{webhook: {to: app}}]
    retry: none
  idle:
    on: User.Deleted
    from: logto
    steps: [{webhook: {to: app}}]
"""


def test_12_a_delivery_is_recorded_with_request_and_answer(within: Within, make: Make) -> None:
    async def happens(world: Any) -> None:
        world.receiver.answer(Answer(200, json={"received": True}))
        await world.take(make("PostRegister"))
        [delivery] = await world.deliveries(hook="busy", since="24h")
        assert delivery["status"] == "succeeded"
        [attempt] = (await world.get(f"/v1/deliveries/{delivery['id']}"))["attempts"]
        assert '"event":"PostRegister"' in attempt["request"]["body"]
        assert attempt["request"]["headers"]["logto-signature-sha-256"] == "***"
        assert (attempt["response"]["status"], attempt["response"]["body"]) == (200, '{"received":true}')

    within(HOOKS, happens)


def test_13_every_hook_has_the_figures_of_the_last_day(within: Within, make: Make) -> None:
    async def happens(world: Any) -> None:
        await world.take(make("PostRegister"))
        figures = {hook["name"]: hook["stats"] for hook in (await world.get("/v1/hooks"))["items"]}
        assert [(name, one["count"], one["success_rate"]) for name, one in figures.items()] == [
            ("busy", 1, 1.0),
            ("idle", 0, None),
        ]
        world.receiver.answer(Answer(500))
        await world.take(make("PostRegister"), make("PostRegister", userId="u2"))
        stats = (await world.get("/v1/hooks/busy"))["stats"]
        assert (stats["count"], stats["succeeded"], stats["dead"], stats["success_rate"]) == (3, 1, 2, 0.3333)

    within(HOOKS, happens)


def test_recent_deliveries_are_listed_by_hook_and_window_page_by_page(within: Within, make: Make) -> None:
    async def happens(world: Any) -> None:
        await world.take(*(make("PostRegister", userId=f"u{number}") for number in range(3)), make("User.Deleted"))
        newest_first = await world.deliveries(hook="busy")
        assert [one["hook"] for one in newest_first] == ["busy"] * 3
        assert [one["created"] for one in newest_first] == sorted(
            (one["created"] for one in newest_first), reverse=True
        )
        page = await world.get("/v1/deliveries", hook="busy", limit=2)
        rest = await world.get("/v1/deliveries", hook="busy", limit=2, cursor=page["next"])
        assert [*page["items"], *rest["items"]] == newest_first
        assert rest["next"] is None
        middle = newest_first[1]["created"]
        assert await world.deliveries(hook="busy", since=middle) == newest_first[:2]
        assert await world.deliveries(hook="busy", until=middle) == newest_first[2:]
        assert await world.deliveries(hook="busy", since=middle, until=middle) == []
        for limit in ("0", "501", "all"):
            assert (await world.client.get("/v1/deliveries", params={"limit": limit})).status_code == 400

    within(HOOKS, happens)
