"""The receipt: what `emit` returns when the event is on disk."""

from __future__ import annotations

from dataclasses import dataclass, field

from hookrt.delivery.waiters import Waiters
from hookrt.model.delivery import Delivery


@dataclass(frozen=True, slots=True)
class Receipt:
    """An accepted event: its identity (`source`, `id`) and the ids of its deliveries.

    `duplicate` means that the same event had been accepted before; the deliveries are then the first one's.
    """

    id: str
    source: str
    deliveries: tuple[str, ...]
    duplicate: bool = False
    _waiters: Waiters | None = field(default=None, repr=False, compare=False)

    async def wait(self, timeout: float | None = None) -> list[Delivery]:
        """The deliveries when all have ended, or as they are after `timeout` seconds."""
        if self._waiters is None or not self.deliveries:
            return []
        return await self._waiters.wait(self.deliveries, timeout)
