"""Hooks that are disabled and enabled while hookrt runs: the store has the truth, the delivering process acts on it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from hookrt.clock import duration_us, from_us
from hookrt.delivery.announce import Announcer
from hookrt.delivery.keeping import MAX_MESSAGE, keep_text
from hookrt.delivery.ports import Ports
from hookrt.delivery.streaks import Streaks
from hookrt.errors import NotFound, StoreError, UsageError
from hookrt.model import own_events
from hookrt.model.event import format_time
from hookrt.model.hook import Destination, Hook
from hookrt.model.hook_state import (
    BY_DEFINITION,
    BY_ENDPOINT,
    BY_FAILING,
    BY_HAND,
    DISCARDED,
    HELD_LIMIT,
    HOOK_DISABLED,
    HookState,
)

PATIENCE_S = 1.0
"""The pause before the store is asked again for what it could not do."""

TEND_S = 30.0
"""How often what is held for disabled hooks is looked through for too much, and for too old."""

TakeUp = Callable[[Hook], Awaitable[None]]
"""Lets a hook have what is held for it."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the states need of the engine: to announce, to give hooks what is held for them, to start work."""

    announcer: Announcer
    take_up: TakeUp
    spawn: Callable[[Coroutine[Any, Any, None]], object]


class HookStates:
    """Which hooks are disabled, as this process knows it: its own changes at once, those of others by `refresh`.

    `disabled` are those of the moment. Whoever saves a delivery need not look: the store holds it.
    """

    def __init__(self, ports: Ports, means: Means) -> None:
        self._ports = ports
        self._means = means
        self._version = 0
        self._known: dict[str, int] = {}
        self._changing: set[str] = set()
        self._judged: dict[str, tuple[Hook, object]] = {}
        self.disabled: dict[str, HookState] = {}
        self.streaks = Streaks(ports, self._give_up, means.spawn)

    # What people do. Each raises NotFound, UsageError or StoreError.

    async def disable(self, name: str, message: str | None = None) -> bool:
        """Disable a hook: what comes for it is held, in the store, until it is enabled. False when it is already."""
        hook = self._find(name)
        if not hook.enabled:
            raise UsageError(f"the hook {name!r} is off already: hooks.yaml says `enabled: false`")
        await self.refresh()
        return await self._disable(hook, BY_HAND, message)

    async def enable(self, name: str, *, discard: bool = False) -> bool:
        """Enable a hook again and deliver what is held for it, or with `discard` cancel that. False when it is enabled
        already; then it gets what is held all the same.
        """
        hook = self._find(name)
        if not hook.enabled:
            raise UsageError(f"hooks.yaml says `enabled: false` of the hook {name!r}: take that out instead")
        await self.refresh()
        return await self._enable(hook, BY_HAND, discard=discard)

    # What the engine asks

    async def obey(self, hook: Hook, message: str) -> bool:
        """The endpoint of this hook wants no more of it. Whether it is disabled now; not so when it has been defined
        anew since the attempt began.
        """
        present = self._ports.router.get(hook.name)
        if present is None or self._definition(present) != self._definition(hook):
            return False
        await self._disable_surely(present, BY_ENDPOINT, message)
        return present.name in self.disabled

    async def allows(self, hook: Hook) -> bool:
        """Whether the hook may have what is held for it; a disabled one whose definition changed is enabled here."""
        state = self.disabled.get(hook.name)
        if state is None:
            return True
        if state.definition == self._definition(hook):
            return False
        await self._write(hook, _enabled(hook, self._now_us(), BY_DEFINITION))
        return hook.name not in self.disabled

    async def begin(self) -> None:
        """This process delivers from now on: learn the states, and enable what has been defined anew."""
        self._version = 0
        await self.refresh()
        await self._reconsider()

    async def watch(self) -> None:
        """Until cancelled: follow what other processes change, and what is defined anew."""
        while True:
            await self._ports.clock.sleep(self._ports.limits.poll.total_seconds())
            try:
                await self.refresh()
                await self._reconsider()
            except StoreError as error:
                self._ports.log.error("hook-states-unknown", error=str(error))

    async def tend(self) -> None:
        """Until cancelled: keep what is held for disabled hooks within its limits of number and age."""
        while True:
            try:
                await self._trim()
            except StoreError as error:
                self._ports.log.error("held-not-trimmed", error=str(error))
            await self._ports.clock.sleep(TEND_S)

    async def refresh(self) -> None:
        """Learn what has changed in the store."""
        behind = False
        for state in await self._ports.store.hook_states.changed(self._version):
            if state.hook in self._changing:  # it ends soon, and is looked at again after that
                behind = True
            elif state.version > self._known.get(state.hook, 0):
                await self._take_in(state)
            if not behind:
                self._version = state.version

    # Inside

    def _find(self, name: str) -> Hook:
        hook = self._ports.router.get(name)
        if hook is None:
            raise NotFound(f"no hook is named {name!r}")
        return hook

    async def _take_in(self, state: HookState) -> None:
        was_disabled = state.hook in self.disabled
        self._known[state.hook] = state.version
        if state.disabled:
            self.disabled[state.hook] = state
            return
        self.disabled.pop(state.hook, None)
        self.streaks.begin_anew(state.hook, state.since_us)
        hook = self._ports.router.get(state.hook)
        if was_disabled and hook is not None:  # what was held here before this was known
            await self._means.take_up(hook)

    async def _reconsider(self) -> None:
        """Enable those whose definition is not the one that was disabled."""
        for name in list(self.disabled):
            hook = self._ports.router.get(name)
            seen = (hook, self._ports.destinations)
            known = self._judged.get(name)
            if hook is None or (known is not None and known[0] is hook and known[1] is seen[1]):
                continue
            if await self.allows(hook):
                await self._means.take_up(hook)
            else:
                self._judged[name] = (hook, seen[1])

    async def _disable(self, hook: Hook, reason: str, message: str | None) -> bool:
        """In memory at once, so that nothing more begins; then in the store; then what waits is held, too."""
        if hook.name in self.disabled:
            return False
        shown = None if message is None else keep_text(message, self._ports.mask)[:MAX_MESSAGE]
        definition = self._definition(hook)
        state = HookState(hook.name, self._now_us(), reason, shown, definition, disabled=True)
        self.disabled[hook.name] = state
        try:
            if not await self._write(hook, state):
                return False
        except BaseException:
            if self.disabled.get(hook.name) is state:
                del self.disabled[hook.name]
            raise
        self._means.spawn(self._hold(hook))
        return True

    async def _disable_surely(self, hook: Hook, reason: str, message: str) -> None:
        while True:
            try:
                await self._disable(hook, reason, message)
                return
            except StoreError as error:
                self._ports.log.error("hook-not-disabled", hook=hook.name, error=str(error))
                await self._ports.clock.sleep(PATIENCE_S)

    async def _enable(self, hook: Hook, reason: str, *, discard: bool) -> bool:
        if discard:  # before, so that nothing of it goes out if this process ends here
            await self._discard(hook)
        done = await self._write(hook, _enabled(hook, self._now_us(), reason))
        if discard:  # what came meanwhile
            await self._discard(hook)
        await self._means.take_up(hook)
        return done

    async def _write(self, hook: Hook, state: HookState) -> bool:
        """Write a state with the event that tells of it; False when it is so already."""
        store = self._ports.store
        self._changing.add(hook.name)
        try:
            stats = await store.hook_stats(hook.name, 0)
            data = {
                "hook": hook.name,
                "reason": state.reason,
                "message": state.message,
                "since": format_time(from_us(state.since_us)),
                "last_success": _shown(stats.last_success_us),
                "last_failure": _shown(stats.last_failure_us),
                "pending": stats.pending,
                "held": stats.held,
            }
            kind = own_events.HOOK_DISABLED if state.disabled else own_events.HOOK_ENABLED
            events = self._means.announcer.prepare(kind, data)
            stored = await store.hook_states.change(state, events)
        finally:
            self._changing.discard(hook.name)
        if stored is None:
            self._version = 0
            await self.refresh()
            return False
        self._tell(hook, stored)
        self._means.announcer.count(events)
        return True

    def _tell(self, hook: Hook, state: HookState) -> None:
        ports = self._ports
        self._known[hook.name] = state.version
        if state.disabled:
            self.disabled[hook.name] = state
            ports.log.warning("hook-disabled", hook=hook.name, reason=state.reason, message=state.message)
            ports.observer.hook_disabled(hook.name, state.reason)
        else:
            self.disabled.pop(hook.name, None)
            self._judged.pop(hook.name, None)
            self.streaks.begin_anew(hook.name, state.since_us)
            ports.log.warning("hook-enabled", hook=hook.name, reason=state.reason)
            ports.observer.hook_enabled(hook.name, state.reason)

    async def _hold(self, hook: Hook) -> None:
        """Hold what waits for a disabled hook; what this process has in memory is held when its turn comes."""
        try:
            if hook.name in self.disabled:
                await self._ports.store.hook_states.hold(hook.name, hook.origin, HOOK_DISABLED)
        except StoreError as error:
            self._ports.log.error("deliveries-not-held", hook=hook.name, error=str(error))
        if hook.name not in self.disabled:  # enabled while this was written
            await self._means.take_up(hook)

    async def _discard(self, hook: Hook) -> None:
        count = await self._ports.store.hook_states.cancel_held(hook.name, hook.origin, DISCARDED)
        if count:
            self._ports.log.warning("deliveries-cancelled", reason=DISCARDED, hook=hook.name, count=count)

    async def _trim(self) -> None:
        store, limits = self._ports.store, self._ports.limits
        for name in list(self.disabled):
            hook = self._ports.router.get(name)
            if hook is None or (await store.hook_stats(name, self._now_us())).held <= limits.held:
                continue
            count = await store.hook_states.cancel_held(name, hook.origin, HELD_LIMIT, limits.held)
            self._ports.log.warning("deliveries-cancelled", reason=HELD_LIMIT, hook=name, count=count)
        before_us = self._now_us() - duration_us(limits.disabled_hook_hold)
        if count := await store.cancel_held(before_us, HOOK_DISABLED):
            self._ports.log.warning("deliveries-cancelled", reason=HOOK_DISABLED, count=count)

    def _give_up(self, name: str, since_us: int) -> None:
        hook = self._ports.router.get(name)
        if hook is None or name in self.disabled:
            return
        since = format_time(from_us(since_us))
        self._means.spawn(self._disable_surely(hook, BY_FAILING, f"it has failed since {since} without a success"))

    def _definition(self, hook: Hook) -> str:
        return definition_of(hook, self._ports.destinations)

    def _now_us(self) -> int:
        return self._ports.store.now_us()


def definition_of(hook: Hook, destinations: Mapping[str, Destination]) -> str:
    """A digest of what a hook does: of what is written, and of where its destinations are."""
    steps = [[step.id, step.action, step.lane, step.when.text if step.when else None] for step in hook.steps]
    urls = [destinations[step.lane].url for step in hook.steps if step.lane in destinations]
    when = hook.when.text if hook.when else None
    parts = [hook.definition, hook.enabled, hook.patterns, hook.source, when, steps, urls]
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()


def _enabled(hook: Hook, since_us: int, reason: str) -> HookState:
    return HookState(hook.name, since_us, reason, disabled=False)


def _shown(time_us: int | None) -> str | None:
    return None if time_us is None else format_time(from_us(time_us))
