"""What every store promises of hooks that are disabled and enabled at run time; a part of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from hookrt.model.hook_state import HookState

if TYPE_CHECKING:
    from hookrt.store.contract import NewEvent


class HookStateStore(Protocol):
    """The states of hooks.

    From the commit on that disables a hook, every delivery that is saved or added for it becomes `held` for the reason
    HOOK_DISABLED, whoever saves it; what was open before stays as it is (see `hold`).
    """

    async def change(self, state: HookState, events: Sequence[NewEvent] = ()) -> HookState | None:
        """Disable a hook, or enable it again, and save these events in the same transaction.

        Returns the state with its version; None, and nothing is written, when it is so already (a hook without a state
        is enabled).
        """
        ...

    async def changed(self, after_version: int = 0) -> Sequence[HookState]:
        """The states that were changed after this version (0: all there are), in the order of their changes."""
        ...

    async def hold(self, hook: str, origin: str, reason: str) -> int:
        """Hold every open, unleased delivery of this hook; what is held for another reason is held for this one from
        now on. Returns how many.
        """
        ...

    async def cancel_held(self, hook: str, origin: str, reason: str, keep: int = 0) -> int:
        """Cancel the held deliveries of this hook but the `keep` oldest, for this reason; returns how many."""
        ...

    async def failing_since_us(self, hook: str, after_us: int = 0) -> int | None:
        """When this hook failed first after its last success, and after this time; None when it did not. It may be
        given too late by up to an hour, since figures are kept by hours.
        """
        ...
