"""Claims due deliveries from the store for lanes that have room, and keeps workers on the lanes that have work."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hookrt.clock import duration_us, wait_at_most
from hookrt.delivery.deliver import Courier
from hookrt.delivery.intake import Intake
from hookrt.delivery.lane import Job, Lane, Place
from hookrt.delivery.lanes import Lanes
from hookrt.delivery.leases import Leadership
from hookrt.delivery.ports import Ports
from hookrt.errors import StoreFull
from hookrt.model.delivery import Status
from hookrt.store.contract import Claim, Claimed, DeliveryQuery

BATCH = 512
"""Deliveries claimed in one transaction at most."""

SHORTEST_REST_S = 0.005
"""The least pause after a claim that left nothing to claim: thousands of retries in a lane that hangs fall due one
after the other, and each must not cost a look through the store.
"""

PATIENCE_S = 1.0
"""The pause after a claim that failed."""


class Dispatcher:
    """The scheduling loop. The store is the truth; what is in the lanes is leased to this process."""

    def __init__(self, ports: Ports, lanes: Lanes, intake: Intake, leadership: Leadership, owner: str) -> None:
        self._ports = ports
        self._lanes = lanes
        self._intake = intake
        self._leadership = leadership
        self._owner = owner
        self._kick = asyncio.Event()
        self._workers: set[asyncio.Task[None]] = set()
        self._courier: Courier | None = None
        self._unanswered: int | None = None

    def begin(self, courier: Courier) -> None:
        """What workers do with a delivery."""
        self._courier = courier

    def kick(self) -> None:
        """There may be something due in the store that nobody handed over."""
        self._kick.set()

    def work(self, lane: Lane) -> None:
        """Put another worker on this lane, if it has work and may have one more."""
        place = Place(lane, self.work)
        if lane.queue and place.take():
            task = asyncio.create_task(self._work(lane, place))
            self._workers.add(task)
            task.add_done_callback(self._workers.discard)

    async def run(self) -> None:
        """Claim until cancelled."""
        while True:
            try:
                if not await self._claim():
                    await self._rest()
            except Exception as error:  # whatever it is: without this loop nothing is delivered any more
                self._ports.log.error("claim-failed", error=str(error) or repr(error))
                await self._ports.clock.sleep(PATIENCE_S)

    async def drain(self, seconds: float) -> bool:
        """Let what is under way finish; after that long cancel it. Returns whether all finished."""
        self._lanes.close()
        if not self._workers:
            return True
        _, late = await asyncio.wait(self._workers, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=1.0)
        return not late

    async def _claim(self) -> bool:
        """One claim; whether another one is likely to find more."""
        self._kick.clear()
        await self._leadership.renew_if_late()
        if self._unanswered is not None:
            await self._take_in_unanswered(self._unanswered)
        self._lanes.forget_starving()
        free = self._lanes.claimable()
        claim = Claim(
            owner=self._owner,
            first_token=self._intake.take_tokens(BATCH),
            lease_us=duration_us(self._ports.limits.lease),
            free=free,
            free_elsewhere=self._lanes.free_elsewhere(),
            limit=BATCH,
            byte_limit=self._lanes.byte_room(),
        )
        try:
            claimed = await self._ports.store.claim_due(claim)
        except StoreFull:  # it wrote nothing
            raise
        except Exception:
            self._unanswered = claim.first_token
            raise
        self._take_in(claimed, free, claim.free_elsewhere)
        return len(claimed) >= BATCH

    async def _take_in_unanswered(self, first_token: int) -> None:
        """A claim failed: what it leased all the same is this process's, which would never claim it again."""
        found: list[Claimed] = []
        query = DeliveryQuery(statuses=(Status.RUNNING,), limit=BATCH)
        while True:
            page = await self._ports.store.deliveries(query)
            for one in page.items:
                if first_token <= one.lease_token < first_token + BATCH:
                    read = await self._ports.store.delivery(one.id)
                    found += [read] if read is not None and read.delivery.lease_token == one.lease_token else []
            if page.next is None:
                break
            query = replace(query, cursor=page.next)
        self._unanswered = None
        for claimed in found:
            self._lanes.put_claimed(Job(claimed.delivery, claimed.event))

    def _take_in(self, claimed: Sequence[Claimed], free: Mapping[str, int], free_elsewhere: int) -> None:
        taken: Counter[str] = Counter()
        for one in claimed:
            taken[one.delivery.lane] += 1
            self._lanes.put_claimed(Job(one.delivery, one.event))
        for name, count in taken.items():
            if count >= free.get(name, free_elsewhere):
                self._lanes.mark_starved(name)

    async def _rest(self) -> None:
        """Sleep until something is due, a starved lane has room, a closed one opens, somebody kicks, or the poll
        interval is over.
        """
        seconds = self._ports.limits.poll.total_seconds()
        now_us = self._ports.store.now_us()
        due_us = await self._ports.store.next_due_us(now_us)
        if due_us is not None:
            seconds = min(seconds, max((due_us - now_us) / 1_000_000, SHORTEST_REST_S))
        opening_s = self._lanes.opening_in()
        if opening_s is not None:
            seconds = min(seconds, max(opening_s, SHORTEST_REST_S))
        await wait_at_most(seconds, self._kick)

    async def _work(self, lane: Lane, place: Place) -> None:
        """Take one delivery after the other, as long as there is one and a place for it."""
        try:
            while lane.queue and (place.taken or place.take()):
                await self._deliver(lane.queue.popleft(), lane, place)
                if self._lanes.wants_more(lane):
                    self.kick()
        finally:
            if place.taken:
                place.leave()
            self._lanes.drop_if_idle(lane)

    async def _deliver(self, job: Job, lane: Lane, place: Place) -> None:
        assert self._courier is not None
        try:
            await self._courier.deliver(job, lane, place)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # a bug of the engine must cost one delivery some time, and be seen
            self._ports.log.error("engine-bug", delivery=job.delivery.id, error=repr(error))
            await self._courier.postpone(job, "engine-bug")
        finally:
            place.leave()
            self._lanes.leave(job)
