"""RULES "Processes": what is under way stays leased until it has ended, also when the process is to stop."""

import asyncio
from datetime import timedelta
from typing import Any

from hookrt.delivery.limits import Limits
from hookrt.model.delivery import Status
from hookrt.model.outcome import Outcome
from hookrt.store.contract import Claim


def test_a_drain_that_is_longer_than_a_lease_renews_it(given) -> None:
    async def run() -> None:
        begun, goes_on = asyncio.Event(), asyncio.Event()

        async def slow(call: Any) -> Outcome:
            begun.set()
            await goes_on.wait()
            return Outcome.done()

        limits = Limits(poll=timedelta(milliseconds=10), lease=timedelta(seconds=60))
        async with given.world([given.hook(given.step("slow"))], {"slow": slow}, limits=limits) as world:
            accepted = await world.emit()
            await begun.wait()
            sleeps, sleep = [], world.clock.sleep

            async def noted(seconds: float) -> None:
                sleeps.append(seconds)
                await sleep(seconds)

            world.clock.sleep = noted
            stopping = asyncio.create_task(world.engine.stop(timedelta(hours=1)))
            for renewals in range(8):
                await given.until(lambda renewals=renewals: sleeps.count(20.0) > renewals)
                assert not await world.store.claim_due(Claim("another", 10**9, 1, free_elsewhere=10))
                world.clock.ahead += 21
            goes_on.set()
            assert await stopping
            found = (await world.store.delivery(accepted.deliveries[0])).delivery
            assert (found.status, found.attempts) == (Status.SUCCEEDED, 1)

    asyncio.run(run())
