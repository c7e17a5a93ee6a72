"""The keys of an event for a hook: what the store is to decide about its delivery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hookrt.clock import duration_us
from hookrt.delivery.ports import Ports
from hookrt.errors import ExpressionError
from hookrt.model.event import Event
from hookrt.model.hook import Debounce, Hook, Key, Keyed, Scope
from hookrt.store.keys import Burst, Keys, Window


def keys_of(hook: Hook, keyed: Keyed, event: Event, ports: Ports) -> Keys | None:
    """What is to be decided about the delivery of this event, None when it has no key at all.

    A key that cannot be told is logged and counted, and its rule does not apply: the event is not lost for it.
    """
    reader = _Reader(hook, Scope(event, hook.name, ports.env), ports)
    order, dedupe, debounce, throttle = keyed.order, keyed.dedupe, keyed.debounce, keyed.throttle
    keys = Keys(
        order=None if order is None else reader.read("order", order.by),
        skip=order is not None and order.skip,
        dedupe=None if dedupe is None else _window(reader.read("dedupe", dedupe.by), dedupe.within),
        throttle=None if throttle is None else _window(reader.read("throttle", throttle.by), throttle.every),
        debounce=None if debounce is None else _burst(reader.read("debounce", debounce.by), debounce),
    )
    if keys.order is None and keys.debounce is None and not keys.windows():
        return None
    return keys


@dataclass(slots=True)
class _Reader:
    """Reads the keys of one event."""

    hook: Hook
    scope: Scope
    ports: Ports

    def read(self, rule: str, key: Key) -> str | None:
        """The key; None when there is none."""
        try:
            return key.of(self.scope)
        except ExpressionError as error:
            why = self.ports.mask(error.message)
            event = self.scope.event
            self.ports.log.warning("no-key", hook=self.hook.name, rule=rule, event_id=event.id, why=why)
            self.ports.observer.key_missing(self.hook.name, rule)
            return None


def _window(key: str | None, length: timedelta) -> Window | None:
    return None if key is None else Window(key, duration_us(length))


def _burst(key: str | None, rule: Debounce) -> Burst | None:
    if key is None:
        return None
    return Burst(key, duration_us(rule.wait), None if rule.max is None else duration_us(rule.max))
