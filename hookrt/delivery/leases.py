"""Who delivers, and for how long it is his: election among processes, and the renewal of leases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

from hookrt.clock import duration_us
from hookrt.delivery.ports import Ports


class Leadership:
    """Tries to become the process that delivers, and keeps what it holds leased while it is.

    `held` says that nobody else delivers any more, `leading` that this process has taken over.
    """

    def __init__(self, ports: Ports, owner: str, on_lead: Callable[[], Awaitable[None]]) -> None:
        self._ports = ports
        self._owner = owner
        self._on_lead = on_lead
        self.leading = False
        self.held = False
        self._renewed_us = 0

    async def try_lead(self) -> bool:
        """Become the one that delivers, if nobody else is. What fails half-way is done again by the next try."""
        if not self.leading and await self._ports.store.lead():
            self.held = True
            self._renewed_us = self._ports.store.now_us()
            await self._on_lead()
            self.leading = True
        return self.leading

    async def run(self) -> None:
        """Until cancelled: try to lead; once leading, renew the leases three times in their length."""
        limits = self._ports.limits
        while True:
            try:
                if await self.try_lead():
                    await self.renew()
            except Exception as error:  # whatever it is: without this loop nobody renews, and nobody takes over
                name = "lease-renewal-failed" if self.leading else "lead-not-taken"
                self._ports.log.error(name, error=str(error) or repr(error))
            pause = limits.lease / 3 if self.leading else limits.poll
            await self._ports.clock.sleep(pause.total_seconds())

    async def keep(self) -> None:
        """Until cancelled: renew the leases and take no lead any more, for a drain that is longer than a lease."""
        while True:
            await self._ports.clock.sleep((self._ports.limits.lease / 3).total_seconds())
            try:
                await self.renew()
            except Exception as error:  # whatever it is: the next renewal may still be in time
                self._ports.log.error("lease-renewal-failed", error=str(error) or repr(error))

    async def renew(self) -> None:
        """Extend all leases of this process."""
        now_us = self._ports.store.now_us()
        await self._ports.store.renew(self._owner, now_us + duration_us(self._ports.limits.lease))
        self._renewed_us = now_us

    async def renew_if_late(self) -> None:
        """Renew before claiming when the clock jumped or the machine slept: a process must not claim what it holds."""
        if self._ports.store.now_us() - self._renewed_us > duration_us(self._ports.limits.lease) // 2:
            await self.renew()


async def cancel_all(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel these tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
