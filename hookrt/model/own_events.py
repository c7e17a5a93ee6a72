"""The events of hookrt itself: one list, for hooks to act on and for `check` to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

OWN_SOURCE = "hookrt"
"""The source of hookrt's own events."""

RESERVED = "hookrt."
"""What the types of hookrt's own events begin with; nobody else may emit them."""

DELIVERY_DEAD = "hookrt.delivery.dead"
HOOK_DISABLED = "hookrt.hook.disabled"
HOOK_ENABLED = "hookrt.hook.enabled"
BREAKER_OPENED = "hookrt.breaker.opened"
CONFIG_RELOADED = "hookrt.config.reloaded"
CONFIG_REJECTED = "hookrt.config.rejected"


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """What an event of hookrt itself tells.

    One that is `frequent` is stored only when a hook matches it. Every other event is stored in any case; but where an
    endpoint is down, these would come as often as the events that cannot be delivered, and say nothing that is not in
    the store already.
    """

    description: str
    frequent: bool = False


OWN_EVENTS: Mapping[str, OwnEvent] = MappingProxyType(
    {
        DELIVERY_DEAD: OwnEvent("a delivery was given up: rejected, out of retries, or expired", frequent=True),
        HOOK_DISABLED: OwnEvent("a hook was disabled at run time: by its endpoint, for failing too long, or by hand"),
        HOOK_ENABLED: OwnEvent("a disabled hook was enabled: by hand, or since its definition changed"),
        BREAKER_OPENED: OwnEvent("a destination failed so often that it is left alone for a while", frequent=True),
        CONFIG_RELOADED: OwnEvent("hooks.yaml was read again and is in force"),
        CONFIG_REJECTED: OwnEvent("hooks.yaml was read again and has errors; what was in force still is"),
    }
)
"""All of them by type."""


def is_own(event_type: str) -> bool:
    """Whether this is the type of an event of hookrt itself."""
    return event_type.startswith(RESERVED)


def is_reserved(event_type: str) -> bool:
    """Whether only hookrt may emit this type."""
    return event_type.partition(".")[0] == RESERVED.rstrip(".")
