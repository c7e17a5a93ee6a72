"""Those who emit events: each goes to some process, and tries again when it got no answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from hookrt.errors import EventConflict, Overloaded, StoreError
from hookrt.model.event import EventDraft, encode_data
from simulation import checks
from simulation.hooks import TYPES
from simulation.plan import Plan
from simulation.process import Process
from simulation.surroundings import Surroundings

FIRM = 8
"""How often a client that wants its event accepted tries."""


class Clients:
    """All who emit. `pick` gives a process that can be called, None when none runs."""

    def __init__(self, world: Surroundings, pick: Callable[[], Process | None]) -> None:
        self._world = world
        self._pick = pick
        self._chance = random.Random(f"clients {world.plan.seed}")
        self._sent: list[EventDraft] = []

    async def run(self) -> None:
        """Emit all events of the plan, and wait for the last answer."""
        plan = self._world.plan
        await asyncio.gather(*[self._client(number, plan) for number in range(plan.events)])

    async def _client(self, number: int, plan: Plan) -> None:
        chance = random.Random(f"client {plan.seed} {number}")
        burst = chance.random() < 0.3
        await asyncio.sleep(0 if burst else chance.random() * plan.chaos_s)
        drafts = [self._draft(number * 10 + part, chance) for part in range(3 if chance.random() < 0.15 else 1)]
        if plan.has("client-repeat") and self._sent and chance.random() < 0.4:
            drafts = [chance.choice(self._sent)]
        self._sent += [draft for draft in drafts if draft.id is not None]
        for _ in range(FIRM if chance.random() < 0.8 else 1):
            if await self._try(drafts, chance):
                return
            await asyncio.sleep(chance.random() * 3)

    def _draft(self, number: int, chance: random.Random) -> EventDraft:
        data = encode_data({"n": number, "key": f"k{chance.randint(1, 3)}"})
        identity = f"event-{number}" if chance.random() < 0.8 else None
        return EventDraft(chance.choice(TYPES), data, id=identity)

    async def _try(self, drafts: list[EventDraft], chance: random.Random) -> bool:
        """Whether nothing is left to be tried."""
        process = self._pick()
        if process is None:
            return False
        answer = process.call(process.accept(drafts, batch=len(drafts) > 1))
        if self._world.plan.has("client-cancel") and chance.random() < 0.3:
            self._world.loop.call_later(chance.choice((0.0, 0.001, 0.01, 0.5)), answer.cancel)
        try:
            await asyncio.wait_for(asyncio.shield(answer), 600)
        except TimeoutError:
            self._world.monitor.fail(checks.BUG, "a client got no answer for ten minutes")
        except (ConnectionResetError, StoreError, Overloaded) as error:
            self._world.monitor.note("client", f"no answer to {drafts[0].id}: {error!r}")
            return False
        except asyncio.CancelledError:
            self._world.monitor.note("client", f"went away before the answer to {drafts[0].id}")
            return chance.random() < 0.5
        except EventConflict as error:
            self._world.monitor.fail(checks.BUG, f"a conflict: {error}")
        return True
