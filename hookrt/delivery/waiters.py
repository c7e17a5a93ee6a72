"""Those who wait for deliveries to end, in this process or another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from hookrt.clock import Clock, wait_at_most
from hookrt.errors import NotFound
from hookrt.model.delivery import Delivery
from hookrt.store.contract import Store

POLL_S = 0.5
"""How often the store is asked for deliveries that another process may end."""


class Waiters:
    """Wakes those who wait for a delivery as soon as it ends here; what ends elsewhere is seen by asking the store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: dict[str, list[asyncio.Event]] = {}
        self.on_finish: Callable[[Delivery], None] | None = None
        """Called for every delivery that ends here, where somebody follows them all."""

    def finished(self, delivery: Delivery) -> None:
        """This delivery is final."""
        if self.on_finish is not None:
            self.on_finish(delivery)
        for waiting in self._waiting.get(delivery.id, ()):
            waiting.set()

    async def wait(self, deliveries: Sequence[str], timeout_s: float | None) -> list[Delivery]:
        """The deliveries as they are when all are final, or when the time is over."""
        until = None if timeout_s is None else self._clock.monotonic() + timeout_s
        woken = asyncio.Event()
        for identity in deliveries:
            self._waiting.setdefault(identity, []).append(woken)
        try:
            while True:
                woken.clear()
                found = [await self._read(identity) for identity in deliveries]
                left = None if until is None else until - self._clock.monotonic()
                if all(delivery.status.final for delivery in found) or (left is not None and left <= 0):
                    return found
                await wait_at_most(POLL_S if left is None else min(left, POLL_S), woken)
        finally:
            self._forget(deliveries, woken)

    async def _read(self, identity: str) -> Delivery:
        found = await self._store.delivery(identity)
        if found is None:
            raise NotFound(f"no delivery has the id {identity!r}")
        return found.delivery

    def _forget(self, deliveries: Sequence[str], woken: asyncio.Event) -> None:
        for identity in deliveries:
            waiting = self._waiting[identity]
            waiting.remove(woken)
            if not waiting:
                del self._waiting[identity]
