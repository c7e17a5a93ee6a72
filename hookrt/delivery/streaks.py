"""Which hooks have been failing without a success, and since when."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from hookrt.clock import duration_us
from hookrt.delivery.ports import Ports
from hookrt.errors import StoreError


class Streaks:
    """Counts how long each hook has only been failing; one that does for `limits.disable_after` is given up.

    A success is a delivery that succeeded, a failure an attempt that did not end with `done`, or a delivery that died.
    `failing` holds the first failure of each hook that fails now. For what was before this process, the store is asked
    once for each hook, at its first failure here.
    """

    def __init__(
        self, ports: Ports, give_up: Callable[[str, int], None], spawn: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self._ports = ports
        self._give_up = give_up
        self._spawn = spawn
        self._looked_back: set[str] = set()
        self._begun_anew: dict[str, int] = {}
        self.failing: dict[str, int] = {}

    def failed(self, hook: str) -> None:
        """A failure has been recorded."""
        if self._ports.limits.disable_after is None:
            return
        if hook not in self.failing:
            self.failing[hook] = self._ports.store.now_us()
            if hook not in self._looked_back:
                self._looked_back.add(hook)
                self._spawn(self._look_back(hook))
        self._judge(hook)

    def succeeded(self, hook: str) -> None:
        """A success has been recorded."""
        self.failing.pop(hook, None)

    def begin_anew(self, hook: str, at_us: int) -> None:
        """The hook was enabled at this time: failures before do not count any more. It may be told more than once."""
        if self._begun_anew.get(hook) != at_us:
            self._begun_anew[hook] = at_us
            self.failing.pop(hook, None)

    async def _look_back(self, hook: str) -> None:
        try:
            since_us = await self._ports.store.hook_states.failing_since_us(hook, self._begun_anew.get(hook, 0))
        except StoreError:
            self._looked_back.discard(hook)
            return
        if since_us is not None and hook in self.failing:
            self.failing[hook] = min(self.failing[hook], since_us)
            self._judge(hook)

    def _judge(self, hook: str) -> None:
        longest = self._ports.limits.disable_after
        since_us = self.failing[hook]
        if longest is not None and self._ports.store.now_us() - since_us >= duration_us(longest):
            self._give_up(hook, since_us)
