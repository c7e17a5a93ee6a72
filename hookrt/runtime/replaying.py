"""The new delivery that a replay makes of an old one, or of an event."""

from __future__ import annotations

from dataclasses import dataclass

from hookrt.clock import duration_us
from hookrt.errors import UsageError
from hookrt.matching.router import Router
from hookrt.model.decision import DECISION_ORIGIN
from hookrt.model.delivery import Delivery, Status
from hookrt.model.hook import Hook
from hookrt.store.contract import NewDelivery


@dataclass(frozen=True, slots=True)
class Replay:
    """How to replay: the new delivery's id, the time, and what people chose.

    `salt` makes other message ids, None keeps those of the old delivery.
    """

    id: str
    now_us: int
    from_start: bool = False
    salt: str | None = None


def replay_delivery(old: Delivery, router: Router, how: Replay) -> NewDelivery:
    """The same event for the same hook, as that is now.

    It begins at the first step without a result; with `from_start`, or when the old one succeeded, at the first.
    Raises UsageError when the old one is not final, or its hook is gone.
    """
    if not old.status.final:
        raise UsageError(f"the delivery {old.id} is {old.status.value}: wait for its end, or cancel it first")
    hook = router.get(old.hook)
    if old.origin == DECISION_ORIGIN or (hook is not None and hook.decides):
        raise UsageError(f"the delivery {old.id} records a decision, which is never run again: ask for a new one")
    if hook is None:
        raise UsageError(f"there is no hook {old.hook!r} any more: define it again to replay its deliveries")
    results = {} if how.from_start or old.status is Status.SUCCEEDED else dict(old.results)
    return NewDelivery(
        id=how.id,
        hook=hook.name,
        lane=(hook.step_after(results) or hook.steps[0]).lane,
        due_us=how.now_us,
        expires_us=how.now_us + duration_us(hook.expires),
        origin=hook.origin,
        salt=old.salt if how.salt is None else how.salt,
        replay_of=old.id,
        results=results,
    )


def deliver_anew(hook: Hook, of: str, how: Replay) -> NewDelivery:
    """A delivery of a recorded event for a hook; `of` says in `replay_of` what made it, since it came later."""
    return NewDelivery(
        id=how.id,
        hook=hook.name,
        lane=hook.steps[0].lane,
        due_us=how.now_us,
        expires_us=how.now_us + duration_us(hook.expires),
        origin=hook.origin,
        salt=how.salt or "",
        replay_of=of,
    )
