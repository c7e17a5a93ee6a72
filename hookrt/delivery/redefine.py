"""What becomes of stored deliveries when hooks are defined anew while the engine runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hookrt.delivery.deliver import HOOK_REMOVED
from hookrt.delivery.ports import Ports
from hookrt.errors import StoreError
from hookrt.model.delivery import Status
from hookrt.model.hook import Hook
from hookrt.model.hook_state import HOOK_DISABLED

PATIENCE_S = 1.0
"""The pause before the store is asked again for what it could not do."""


@dataclass(frozen=True, slots=True)
class Redefined:
    """Which hooks of one provider changed: some are gone, these are new or other than before, these changed lanes."""

    origin: str
    removed: tuple[str, ...] = ()
    defined: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.removed or self.defined or self.moved)


def lanes_of(hook: Hook) -> dict[str, str]:
    """The lanes of a hook's steps, in order."""
    return {step.id: step.lane for step in hook.steps}


def find_moved(old: Mapping[str, Hook], new: Mapping[str, Hook]) -> tuple[str, ...]:
    """The hooks that are in both and whose steps have other lanes than before."""
    both = [name for name in new if name in old]
    return tuple(name for name in both if list(lanes_of(old[name]).items()) != list(lanes_of(new[name]).items()))


class Redefinition:
    """Sorts out the stored deliveries, one change after the other, always by the hooks as they are by then."""

    def __init__(self, ports: Ports, take_up: Callable[[Hook], Awaitable[None]], kick: Callable[[], None]) -> None:
        self._ports = ports
        self._take_up = take_up
        self._kick = kick
        self._turn = asyncio.Lock()

    async def settle(self, change: Redefined) -> None:
        """Hold what removed hooks have, give new ones what is held for them, and move the rest to its lanes; tried
        until the store does it.
        """
        async with self._turn:
            while True:
                try:
                    return await self._settle(change)
                except StoreError as error:
                    self._ports.log.error("hooks-not-settled", error=str(error))
                    await self._ports.clock.sleep(PATIENCE_S)

    async def _settle(self, change: Redefined) -> None:
        store, router = self._ports.store, self._ports.router
        if change.removed:
            known = [hook.name for hook in router.hooks.values() if hook.origin == change.origin]
            self._tell(HOOK_REMOVED, await store.hold_orphans({change.origin: known}, HOOK_REMOVED))
        for hook in self._present(change.moved):
            await store.relane(hook.name, change.origin, lanes_of(hook))
        for hook in self._present(change.defined):
            if not hook.enabled:
                self._tell(HOOK_DISABLED, await store.hook_states.hold(hook.name, change.origin, HOOK_DISABLED))
        if change.defined and (await store.counts()).get(Status.HELD, 0):
            for hook in self._present(change.defined):
                await self._take_up(hook)
        self._kick()

    def _present(self, names: Iterable[str]) -> Iterator[Hook]:
        """The hooks of these names, each as it is when its turn comes."""
        for name in names:
            hook = self._ports.router.get(name)
            if hook is not None:
                yield hook

    def _tell(self, reason: str, held: int) -> None:
        if held:
            self._ports.log.warning("deliveries-held", reason=reason, count=held)
