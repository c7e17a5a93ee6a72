"""The engine as a whole: its parts wired together, started and stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any

from hookrt.clock import duration_us
from hookrt.delivery.announce import Announcer
from hookrt.delivery.deliver import HOOK_REMOVED, Courier
from hookrt.delivery.dispatcher import Dispatcher
from hookrt.delivery.endpoint_watch import EndpointWatch
from hookrt.delivery.gates import Gates
from hookrt.delivery.hook_states import HookStates, Means
from hookrt.delivery.intake import Intake
from hookrt.delivery.lanes import Lanes
from hookrt.delivery.leases import Leadership, cancel_all
from hookrt.delivery.ports import Ports
from hookrt.delivery.record import News, Recorder
from hookrt.delivery.redefine import Redefined, Redefinition
from hookrt.delivery.retention import Sweeper
from hookrt.delivery.waiters import Waiters
from hookrt.errors import StoreError
from hookrt.model.delivery import Status
from hookrt.model.hook import Hook

SWEEP_S = 30.0
"""How often held deliveries are looked through for those held too long."""

SETTLE_S = 1.0
"""How long a stop waits for small work that nobody waits for, before it cancels it."""

PATIENCE_S = 1.0
"""The pause before the store is asked again for what it could not do."""


class Engine:
    """Delivers what its `intake` accepts. It must be stopped; what was accepted then waits in the store.

    `owner` names this process in leases.
    """

    def __init__(self, ports: Ports, owner: str) -> None:
        self._ports = ports
        self._owner = owner
        self._told_of_lead: Callable[[], Awaitable[None]] | None = None
        self.counts: Mapping[Status, int] = {}
        self._settling: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._keeping: asyncio.Task[None] | None = None
        self.waiters = Waiters(ports.store, ports.clock)
        self.gates = Gates(lambda: ports.destinations, ports.clock)
        self.lanes = Lanes(ports.limits, self.gates, self._has_work)
        self.intake = Intake(ports, self.lanes, owner, self._spawn, self.kick)
        self.announcer = Announcer(ports, self.intake, self._spawn, self.kick)
        self.states = HookStates(ports, Means(self.announcer, self._take_up_at_last, self._spawn))
        self.leadership = Leadership(ports, owner, self._on_lead)
        self._dispatcher = Dispatcher(ports, self.lanes, self.intake, self.leadership, owner)
        recorder = Recorder(ports, self.intake, self.waiters, News(self.announcer, self.states.streaks))
        self._redefinition = Redefinition(ports, self.take_up, self._dispatcher.kick)
        watch = EndpointWatch(ports, self.gates, self.announcer)
        self._dispatcher.begin(Courier(ports, self.lanes, recorder, self.take_up_soon, self.states, watch))

    @property
    def leading(self) -> bool:
        """Whether this process delivers."""
        return self.leadership.leading

    async def start(self, *, lead: bool = True, on_lead: Callable[[], Awaitable[None]] | None = None) -> None:
        """Begin. With `lead` it becomes the delivering process as soon as nobody else is (and calls `on_lead`); else
        it only accepts.
        """
        self._told_of_lead = on_lead
        if lead:
            await self.leadership.try_lead()
            self._begin(self.leadership.run(), "leadership")
        self._begin(self._watch_backlog(), "backlog")
        await self._count()

    async def stop(self, drain: timedelta) -> bool:
        """No new claims; attempts under way finish within `drain` or are returned. Whether all finished."""
        await self.withdraw()
        finished = await self._drain(drain)
        if self._settling:
            _, late = await asyncio.wait(self._settling, timeout=SETTLE_S)
            await cancel_all(late)
        if self.leading:
            await self._release()
        return finished

    async def withdraw(self) -> None:
        """Claim no more, hand over no more, and take the lead no more: how a stop begins."""
        self.lanes.close()
        await cancel_all(self._tasks)
        self._tasks.clear()
        if self.leading and self._keeping is None:  # what is still under way stays leased until it has ended
            self._keeping = asyncio.create_task(self.leadership.keep(), name="hookrt leases")

    async def _drain(self, drain: timedelta) -> bool:
        try:
            return await self._dispatcher.drain(drain.total_seconds())
        finally:
            if self._keeping is not None:
                await cancel_all([self._keeping])
                self._keeping = None

    def kick(self) -> None:
        """Something in the store may be due that nobody handed over."""
        self._dispatcher.kick()

    def new_event_id(self) -> str:
        """An id for an event whose sender gave none."""
        return self._ports.ids.new("evt")

    def take_up_soon(self, hook: Hook) -> None:
        """As `take_up`, without waiting for it; tried until the store does it."""
        self._spawn(self._take_up_surely(hook))

    async def take_up(self, hook: Hook) -> None:
        """A hook appeared, or was enabled: what is held for it goes on, unless it is disabled."""
        if (
            hook.enabled
            and hook.steps
            and await self.states.allows(hook)
            and await self._ports.store.release_held(hook.name, hook.origin, hook.steps[0].lane)
        ):
            self.kick()

    def redefine_soon(self, change: Redefined) -> None:
        """Hooks are defined anew: their stored deliveries follow, where it is this process that delivers them."""
        if change and self.leadership.held:  # also while it takes over, which may have looked at them before
            self._spawn(self._redefinition.settle(change))

    async def _take_up_at_last(self, hook: Hook) -> None:
        """As `take_up`; what the store cannot do now is done later, since nobody would ask for it again."""
        try:
            await self.take_up(hook)
        except StoreError:
            self.take_up_soon(hook)

    async def _take_up_surely(self, hook: Hook) -> None:
        while True:
            try:
                return await self.take_up(hook)
            except StoreError as error:
                self._ports.log.error("hook-not-taken-up", hook=hook.name, error=str(error))
                await self._ports.clock.sleep(PATIENCE_S)

    async def _release(self) -> None:
        """Give back what is leased; whoever delivers next frees it in any case."""
        try:
            await self._ports.store.release(self._owner)
        except StoreError as error:
            self._ports.log.error("leases-not-released", error=str(error))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    def _has_work(self, lane: Any) -> None:
        self._dispatcher.work(lane)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=f"hookrt {name}"))

    async def _on_lead(self) -> None:
        """This process delivers from now on: sort out what earlier ones left, and begin.

        What can fail comes first, since it is all done again when it does.
        """
        known: dict[str, list[str]] = {"file": [], "code": []}
        for hook in self._ports.router.hooks.values():
            known.setdefault(hook.origin, []).append(hook.name)
        await self._ports.store.hold_orphans(known, HOOK_REMOVED)
        await self.states.begin()
        await self._take_up_held()
        if self._told_of_lead is not None:
            await self._told_of_lead()
        self.lanes.open = True
        self._begin(self._dispatcher.run(), "dispatcher")
        self._begin(self._sweep(), "sweeper")
        self._begin(self.states.watch(), "hook states")
        self._begin(self.states.tend(), "held")
        self._begin(Sweeper(self._ports).run(), "retention")

    async def _take_up_held(self) -> None:
        if (await self._ports.store.counts()).get(Status.HELD, 0):
            for hook in list(self._ports.router.hooks.values()):  # they may change while one is taken up
                await self.take_up(hook)

    async def _sweep(self) -> None:
        """Cancel what has been held too long for a hook that does not come back."""
        while True:
            before_us = self._ports.store.now_us() - duration_us(self._ports.limits.removed_hook_hold)
            try:
                cancelled = await self._ports.store.cancel_held(before_us, HOOK_REMOVED)
                if cancelled:
                    self._ports.log.warning("deliveries-cancelled", reason=HOOK_REMOVED, count=cancelled)
            except StoreError as error:
                self._ports.log.error("sweep-failed", error=str(error))
            await self._ports.clock.sleep(SWEEP_S)

    async def _watch_backlog(self) -> None:
        """Keep the number of open deliveries true, which other processes change too; let the log say what it held."""
        turn = 0
        while True:
            await self._ports.clock.sleep(self._ports.limits.poll.total_seconds())
            self._ports.flush_log()
            turn += 1
            try:
                if turn % 5 == 0:
                    await self._count()
            except StoreError as error:
                self._ports.log.error("count-failed", error=str(error))

    async def _count(self) -> None:
        self.counts = await self._ports.store.counts()
        open_statuses = (Status.PENDING, Status.RUNNING, Status.WAITING)
        self.intake.open_deliveries = sum(self.counts.get(status, 0) for status in open_statuses)
