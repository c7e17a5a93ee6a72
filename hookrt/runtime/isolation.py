"""What plugins must not do to one another: holding the event loop, and leaving tasks behind."""

from __future__ import annotations

import asyncio
from functools import partial

from hookrt.delivery.ports import Ports
from hookrt.observability.loop_watch import LoopWatch, Means
from hookrt.runtime.culprits import Culprit, Culprits
from hookrt.runtime.leaks import Leaks
from hookrt.runtime.rare_lines import RareLines
from hookrt.runtime.wiring import Parts

WAY_OUT = {
    "action": "await what does not block, or write a plain `def run` (without async), which runs in a thread",
    "source": "await what does not block, or asyncio.to_thread(...) what does",
    "observer": "do what takes time elsewhere: hand it to a queue that a thread reads",
}
"""What the author of each kind of plugin can do."""


class Isolation:
    """Watches the plugins of one run of a runtime, from its start to its end."""

    def __init__(self, parts: Parts, ports: Ports) -> None:
        self._parts = parts
        self._ports = ports
        self._rare = RareLines()
        self._culprits = Culprits(parts, ports.actions)
        self._leaks = Leaks(ports, parts.log, self._culprits)
        self._watch: LoopWatch[Culprit] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to watch the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._looking = asyncio.create_task(self._leaks.watch(), name="hookrt leaks")
        threshold = self._parts.blocked_after
        if threshold is not None:
            self._watch = LoopWatch(threshold.total_seconds(), Means(self._culprits.of_stack, self._blocked))
            self._watch.start()

    async def stop(self) -> None:
        """End; tasks that attempts left behind are cancelled."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.stop()
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            await asyncio.wait([looking])
            await self._leaks.end()

    def _blocked(self, culprit: Culprit, seconds: float, over: bool) -> None:
        """In the thread of the watch."""
        if over and self._loop is not None:
            tell = partial(self._ports.observer.loop_blocked, culprit.kind, culprit.name, seconds)
            try:
                self._loop.call_soon_threadsafe(tell)
            except RuntimeError:  # the loop is closed
                return
        left_out = self._rare.due((culprit.kind, culprit.name, culprit.hook, over))
        if left_out is None:
            return
        more = {"left_out": left_out} if left_out else {}
        went_on = {} if over else {"still": True}
        fields = {**culprit.fields, "blocked_s": round(seconds, 3), **went_on, **more}
        self._parts.log.warning("loop-blocked", **fields, way_out=WAY_OUT[culprit.kind])
