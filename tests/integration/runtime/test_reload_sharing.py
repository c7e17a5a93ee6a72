"""Reloads where several share a store: each has its own hooks, the one that delivers sorts out the store."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hookrt import Runtime
from hookrt.model.delivery import Delivery, Status
from hookrt.store.contract import DeliveryQuery

DEADLINE_S = 20.0
HOOKS = "hooks: {a: {on: A, retry: [1h], steps: [{webhook: 'http://127.0.0.1:9/'}]}}\n"


async def in_status(runtime: Runtime, status: Status) -> Delivery:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            found = await runtime.store.deliveries(DeliveryQuery(hook="a", statuses=[status]))
            if found.items:
                return found.items[0]
            await asyncio.sleep(0.01)


def test_only_the_delivering_one_holds_what_a_removed_hook_has(tmp_path: Path) -> None:
    async def run() -> None:
        file, store = tmp_path / "hooks.yaml", f"sqlite:///{tmp_path / 'app.db'}"
        file.write_text(HOOKS)
        leader = Runtime.from_file(file, store=store, env={})
        follower = Runtime.from_file(file, store=store, env={})
        async with leader, follower:
            assert (leader.leading, follower.leading) == (True, False)
            await follower.emit("A")
            await in_status(leader, Status.WAITING)
            file.write_text("hooks: {}\n")
            assert (await follower.reload()).hooks.removed == ("a",)
            await follower.store.counts()
            assert (await in_status(leader, Status.WAITING)).reason != "hook-removed"
            assert (await leader.reload()).hooks.removed == ("a",)
            await in_status(leader, Status.HELD)

    asyncio.run(run())


def test_one_that_takes_over_goes_by_its_hooks_of_then(tmp_path: Path) -> None:
    async def run() -> None:
        file, store = tmp_path / "hooks.yaml", f"sqlite:///{tmp_path / 'app.db'}"
        file.write_text(HOOKS)
        leader = Runtime.from_file(file, store=store, env={})
        await leader.start()
        async with Runtime.from_file(file, store=store, env={}) as follower:
            await follower.emit("A")
            await in_status(leader, Status.WAITING)
            file.write_text("hooks: {}\n")
            await follower.reload()
            await leader.stop()
            assert (await in_status(follower, Status.HELD)).reason == "hook-removed"

    asyncio.run(run())
