"""The delivery: one event for one hook, the durable unit of work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Where a delivery stands.

    `pending` may start, `running` is leased to a process, `waiting` is due later for another attempt, `held` waits
    for its hook, and `succeeded`, `dead` and `cancelled` are final.
    """

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    HELD = "held"
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self in _FINAL


_FINAL = frozenset({Status.SUCCEEDED, Status.DEAD, Status.CANCELLED})


class StepStatus(StrEnum):
    """How a step ended."""

    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepResult:
    """How a step ended and what came of it: what later steps see as `steps.ID`.

    `output` is None unless it succeeded; `error` is the reason and message of a failed one.
    """

    status: StepStatus
    output: Any = None
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """What expressions and snippets see."""
        return {"status": self.status.value, "output": self.output, "error": self.error}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one hook. Times are microseconds since the epoch.

    `lane` is the lane of its next step. `results` holds the finished steps by id. `attempts` counts all attempts,
    `step_attempts` those of the step `tried`, which is the present one unless the hook has changed since (None where
    there are none, or it is not known). `reason` says why it is dead, cancelled, waiting or held. `salt`
    makes other message ids than the event's own (a replay with new ids). `origin` is the provider of its hook.
    """

    id: str
    hook: str
    lane: str
    status: Status
    created_us: int
    due_us: int
    expires_us: int
    origin: str = "file"
    event_source: str = ""
    event_id: str = ""
    results: Mapping[str, StepResult] = field(default_factory=dict)
    attempts: int = 0
    step_attempts: int = 0
    failed_steps: int = 0
    reason: str | None = None
    updated_us: int = 0
    order_key: str | None = None
    replay_of: str | None = None
    salt: str = ""
    lease_token: int = 0
    tried: str | None = None
