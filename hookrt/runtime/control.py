"""What people do to single deliveries: replay, cancel, retry now."""

from __future__ import annotations

from collections.abc import Callable

from hookrt.clock import duration_us
from hookrt.errors import NotFound, UsageError
from hookrt.matching.router import Router
from hookrt.model.delivery import Status
from hookrt.model.ids import IdSource
from hookrt.store.contract import Claimed, NewDelivery, Store

CANCELLED_BY_HAND = "cancelled-by-hand"
"""The reason of deliveries that somebody cancelled."""


class Control:
    """Acts on deliveries in the store; the engine sees it there."""

    def __init__(self, store: Store, router: Router, ids: IdSource, kick: Callable[[], None]) -> None:
        self._store = store
        self._router = router
        self._ids = ids
        self._kick = kick

    async def replay(self, delivery: str, *, from_start: bool = False, new_message_id: bool = False) -> str:
        """Deliver the same event to the same hook, as that is now, once more; returns the new delivery's id.

        It begins at the first step without a result; with `from_start`, or when the old one succeeded, at the first.
        Message ids stay the same unless `new_message_id`. Raises NotFound, UsageError.
        """
        found = await self._find(delivery)
        old = found.delivery
        if not old.status.final:
            raise UsageError(f"the delivery {delivery} is {old.status.value}: wait for its end, or cancel it first")
        hook = self._router.get(old.hook)
        if hook is None:
            raise UsageError(f"there is no hook {old.hook!r} any more: define it again to replay its deliveries")
        results = {} if from_start or old.status is Status.SUCCEEDED else dict(old.results)
        step = hook.step_after(results) or hook.steps[0]
        now_us = self._store.now_us()
        new = NewDelivery(
            id=self._ids.new("dlv"),
            hook=hook.name,
            lane=step.lane,
            due_us=now_us,
            expires_us=now_us + duration_us(hook.expires),
            origin=hook.origin,
            salt=self._ids.new("salt") if new_message_id else old.salt,
            replay_of=old.id,
            results=results,
        )
        await self._store.add_delivery(old.event_source, old.event_id, new)
        self._kick()
        return new.id

    async def cancel(self, delivery: str) -> None:
        """End a delivery that is not final; an attempt under way is not interrupted, its result does not count."""
        if not await self._store.cancel(delivery, CANCELLED_BY_HAND):
            found = await self._find(delivery)
            raise UsageError(f"the delivery {delivery} is {found.delivery.status.value} already")

    async def retry_now(self, delivery: str) -> None:
        """Make the next attempt of a waiting delivery at once."""
        if not await self._store.retry_now(delivery):
            found = await self._find(delivery)
            raise UsageError(f"the delivery {delivery} does not wait for a retry: it is {found.delivery.status.value}")
        self._kick()

    async def _find(self, delivery: str) -> Claimed:
        found = await self._store.delivery(delivery)
        if found is None:
            raise NotFound(f"no delivery has the id {delivery!r}")
        return found
