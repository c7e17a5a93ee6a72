"""The state of a hook: what was decided of it at run time, beside what its definition says."""

from __future__ import annotations

from dataclasses import dataclass, field

HOOK_DISABLED = "hook-disabled"
"""The reason of deliveries that are held since their hook is switched off, in the file or at run time."""

HELD_LIMIT = "held-limit"
"""The reason of deliveries that were cancelled since more are held for their hook than may be."""

DISCARDED = "discarded"
"""The reason of held deliveries that were dropped when their hook was enabled."""

BY_HAND = "by-hand"
"""Why a hook was disabled or enabled: somebody asked for it."""

BY_ENDPOINT = "endpoint"
"""Why a hook was disabled: its endpoint wants no more of it."""

BY_FAILING = "failing"
"""Why a hook was disabled: it failed for too long without a success."""

BY_DEFINITION = "definition"
"""Why a hook was enabled: its definition changed."""


@dataclass(frozen=True, slots=True)
class HookState:
    """Whether a hook is disabled at run time, since when (microseconds since the epoch) and why.

    `reason` is one of the words above, `message` says more for people. `definition` is the digest of the hook's
    definition at that time. `version` counts all changes of states in the store; it is the store's to give.
    """

    hook: str
    disabled: bool = field(kw_only=True)
    since_us: int
    reason: str
    message: str | None = None
    definition: str = ""
    version: int = 0
