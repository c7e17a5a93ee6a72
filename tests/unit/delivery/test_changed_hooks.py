"""A hook that changes while one of its deliveries waits for a retry."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hookrt.model.delivery import Status
from hookrt.model.outcome import Outcome
from hookrt.model.policy import fixed

TWICE = fixed(timedelta(hours=1), 2, jitter=0)


@pytest.mark.parametrize("same_lane", [True, False])
def test_a_step_inserted_before_a_retrying_one_has_all_of_its_own_attempts(given, same_lane: bool) -> None:
    async def run() -> None:
        calls: list[tuple[str, int]] = []

        async def act(call: Any) -> Outcome:
            calls.append((call.step, call.attempt))
            return Outcome.retry("busy")

        lanes = {"lane": "same"} if same_lane else {}
        new, old = given.step("new", retry=TWICE, **lanes), given.step("old", retry=TWICE, **lanes)
        async with given.world([given.hook(old)], {"old": act, "new": act}) as world:
            accepted = await world.emit()

            async def waits(attempts: int) -> bool:
                found = (await world.store.delivery(accepted.deliveries[0])).delivery
                return (found.status, found.attempts) == (Status.WAITING, attempts)

            await given.until(lambda: waits(1))
            world.ports.router.replace("file", [given.hook(new, old)])
            for attempts in (1, 2):
                await given.until(lambda attempts=attempts: waits(attempts))
                world.clock.ahead += 3601
            [delivery] = await world.ended(accepted)
            assert delivery.status is Status.DEAD
            assert calls == [("old", 1), ("new", 1), ("new", 2)]
            assert [one.step for one in await world.attempts(delivery.id)] == ["old", "new", "new"]

    asyncio.run(run())
