"""What people do to deliveries: replay, cancel, retry now; many at once by way of jobs; follow them, and test hooks."""

from __future__ import annotations

from functools import partial

from hookrt.delivery.engine import Engine
from hookrt.delivery.ports import Ports
from hookrt.delivery.rehearse import Rehearsal, Unsent
from hookrt.errors import NotFound, UsageError
from hookrt.model.delivery import Status
from hookrt.plugin.observer import Observer
from hookrt.runtime.feed import Feed
from hookrt.runtime.hook_trials import HookTrials
from hookrt.runtime.jobs.desk import JobDesk, fires_now
from hookrt.runtime.jobs.plans import CANCELLED_BY_HAND, Tools
from hookrt.runtime.jobs.runner import JobRunner, RunnerPorts
from hookrt.runtime.replaying import Replay, replay_delivery
from hookrt.runtime.samples import Samples
from hookrt.store.contract import Claimed

_INSTEAD = {Status.HELD: " until its hook is enabled, or defined again"}


class Control:
    """Acts on deliveries in the store; the engine sees it there.

    `jobs` takes orders for many deliveries at once, which `runner` works off where this process delivers; `feed` is
    what happens, `hooks` disables and enables hooks, `trials` tests them. `observers` are those that the engine tells.
    """

    def __init__(
        self, ports: Ports, engine: Engine, unsent: Unsent, observers: list[Observer], samples: Samples
    ) -> None:
        self._ports = ports
        self._store = ports.store
        self._engine = engine
        self.hooks = engine.states
        self.trials = HookTrials(ports, samples)
        self.runner = JobRunner(
            RunnerPorts(
                tools=Tools(ports.store, ports.router, partial(fires_now, ports=ports)),
                clock=ports.clock,
                log=ports.log,
                made=self._made,
                crowded=lambda: engine.intake.open_deliveries >= ports.limits.pending,
                mask=ports.mask,
                observer=ports.observer,
            )
        )
        self.jobs = JobDesk(ports, self.runner, Rehearsal(ports, unsent))
        self.feed = Feed(ports.ids.new("run"), ports.clock, observers, engine.waiters)

    async def replay(self, delivery: str, *, from_start: bool = False, new_message_id: bool = False) -> str:
        """Deliver the same event to the same hook, as that is now, once more; returns the new delivery's id.

        It begins at the first step without a result; with `from_start`, or when the old one succeeded, at the first.
        Message ids stay the same unless `new_message_id`. Raises NotFound, UsageError.
        """
        found = await self._find(delivery)
        if found.event.payload_dropped:
            raise UsageError(
                f"the event of the delivery {delivery} cannot be sent again: its payload was dropped, as "
                "service.retention.payload says"
            )
        old, identity = found.delivery, self._ports.ids.new("dlv")
        salt = self._ports.ids.new("salt") if new_message_id else None
        new = replay_delivery(old, self._ports.router, Replay(identity, self._store.now_us(), from_start, salt))
        await self._store.add_delivery(old.event_source, old.event_id, new)
        self._made(1)
        return new.id

    async def cancel(self, delivery: str) -> None:
        """End a delivery that is not final; an attempt under way is not interrupted, its result does not count."""
        if not await self._store.cancel(delivery, CANCELLED_BY_HAND):
            found = await self._find(delivery)
            raise UsageError(f"the delivery {delivery} is {found.delivery.status.value} already")
        self._engine.kick()  # another one of its order key may have the turn now

    async def retry_now(self, delivery: str) -> None:
        """Make the next attempt of a waiting delivery at once."""
        if not await self._store.retry_now(delivery):
            found = await self._find(delivery)
            status = found.delivery.status
            instead = "; replay it instead" if status.final else _INSTEAD.get(status, "")
            raise UsageError(f"the delivery {delivery} does not wait for a retry: it is {status.value}{instead}")
        self._engine.kick()

    def _made(self, count: int) -> None:
        """So many deliveries are in the store that nobody handed over."""
        self._engine.intake.open_deliveries += count
        self._engine.kick()

    async def _find(self, delivery: str) -> Claimed:
        found = await self._store.delivery(delivery)
        if found is None:
            raise NotFound(f"no delivery has the id {delivery!r}")
        return found
