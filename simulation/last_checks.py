"""What must be true when all has ended."""

from __future__ import annotations

from collections import Counter

import msgspec

from hookrt.delivery.deliver import HOOK_REMOVED
from hookrt.model.delivery import Delivery, Status, StepStatus
from hookrt.model.ids import message_id
from hookrt.store.memory.rows import DeliveryRow, EventRow
from simulation import checks
from simulation.hooks import expected_hooks
from simulation.surroundings import Surroundings

_RULES = {"dedupe": {"first-only"}, "debounce": {"last-only"}, "throttle": {"now-and-then"}}
"""The hooks that cancel some deliveries for one of these reasons."""


def check_all(world: Surroundings) -> None:
    """Look at all that is on disk; `world.monitor` has the first broken promise."""
    memory, monitor = world.memory, world.monitor
    for key, deliveries in monitor.accepted.items():
        if key not in memory.events or any(one not in memory.deliveries for one in deliveries):
            monitor.fail(checks.LOST, f"{key[1]} was accepted and is not on disk")
    fired: dict[tuple[str, str], Counter[str]] = {key: Counter() for key in memory.events}
    for row in memory.in_order:
        _check_delivery(world, row)
        if row.delivery.replay_of is None:
            fired[row.event.key][row.delivery.hook] += 1
    for key, event in memory.events.items():
        _check_hooks(world, event, fired[key])
    _check_kept(world)
    emitted = Counter(event.event.cause for event in memory.events.values() if event.event.cause)
    for row in memory.in_order:
        _check_emitted(world, row.delivery, emitted[row.delivery.id])


def _check_hooks(world: Surroundings, event: EventRow, found: Counter[str]) -> None:
    """Each hook that should fire did, once; one that was away for a time may have missed it."""
    if event.event.type.startswith("hookrt."):
        return
    number = msgspec.json.decode(event.event.content)["n"]
    expected = expected_hooks(event.event.type, number)
    missing = expected - found.keys() - world.monitor.ever_away
    if missing or found.keys() - expected or any(count > 1 for count in found.values()):
        world.monitor.fail(checks.WRONG_HOOKS, f"{event.event.type} {event.event.id}: {dict(found)}, not {expected}")


def _check_kept(world: Surroundings) -> None:
    """Of each key the first delivery is kept, with `debounce` the last one: an event is never without any."""
    kept: dict[tuple[str, object], Delivery] = {}
    for row in world.memory.in_order:
        delivery = row.delivery
        if delivery.hook == "last-only":
            kept[delivery.hook, row.event.event.data["key"]] = delivery
        elif delivery.hook in {"first-only", "now-and-then"}:
            kept.setdefault((delivery.hook, row.event.event.data["key"]), delivery)
    for delivery in kept.values():
        if delivery.status is Status.CANCELLED and delivery.reason in _RULES:
            world.monitor.fail(checks.LOST, f"{delivery.id} of {delivery.hook} is cancelled, {delivery.reason}")


def _check_delivery(world: Surroundings, row: DeliveryRow) -> None:
    delivery, monitor = row.delivery, world.monitor
    if not delivery.status.final:
        owner = f", leased to {row.owner}" if row.owner else ""
        monitor.fail(checks.UNENDED, f"{delivery.id} of {delivery.hook} is {delivery.status.value}{owner}")
    dropped = delivery.reason in _RULES and delivery.hook in _RULES[delivery.reason]
    given_up = delivery.reason == HOOK_REMOVED and delivery.hook in monitor.ever_away and world.plan.has("clock-jump")
    if delivery.status is Status.CANCELLED and not (dropped or given_up or delivery.id in monitor.cancelled):
        monitor.fail(checks.UNENDED, f"{delivery.id} of {delivery.hook} is cancelled by nobody, {delivery.reason}")
    if delivery.status is Status.SUCCEEDED:
        _check_success(world, row)


def _check_success(world: Surroundings, row: DeliveryRow) -> None:
    """Each step has a result, and what succeeded was really taken by its endpoint."""
    delivery, monitor = row.delivery, world.monitor
    for step in monitor.hooks[delivery.hook].steps:
        result = delivery.results.get(step.id)
        if result is None:
            monitor.fail(checks.LOST, f"{delivery.id} succeeded without its step {step.id}")
        elif result.status is StepStatus.FAILED and not step.continue_on_error:
            monitor.fail(checks.NO_SUCCESS, f"{delivery.id} succeeded although its step {step.id} failed")
        elif result.status is StepStatus.SUCCEEDED and step.action == "webhook":
            sent = message_id(delivery.event_source, delivery.event_id, delivery.hook, step.id, delivery.salt)
            if sent not in world.network.taken:
                monitor.fail(checks.NO_SUCCESS, f"{delivery.id} {step.id}: no endpoint took {sent}")


def _check_emitted(world: Surroundings, delivery: Delivery, count: int) -> None:
    steps = world.monitor.hooks[delivery.hook].steps
    emitting = [step.id for step in steps if step.action == "emit"]
    results = [delivery.results[step] for step in emitting if step in delivery.results]
    expected = sum(result.status is StepStatus.SUCCEEDED for result in results)
    if count != expected:
        world.monitor.fail(checks.EMITTED, f"{delivery.id} led to {count} events, not {expected}")
