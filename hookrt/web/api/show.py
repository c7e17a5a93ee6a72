"""From the model's nouns to what the API shows of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

from hookrt.clock import from_us
from hookrt.matching.router import HookExplanation
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery
from hookrt.model.event import Event, format_time
from hookrt.model.hook import Hook, Step
from hookrt.model.hook_state import HookState
from hookrt.model.policy import RetryPolicy
from hookrt.plugin.settings import format_duration
from hookrt.secrets.masking import mask_within
from hookrt.store.contract import HookStats, StoredEvent
from hookrt.web.api import shapes
from hookrt.web.api.keyed_show import show_keyed

MAX_LISTED_DATA = 16 * 1024
"""Bytes of an event's data that a list still shows."""


def show_time(microseconds: int) -> str:
    """Microseconds since the epoch as ISO 8601."""
    return format_time(from_us(microseconds))


def show_event(event: Event, received_us: int | None = None) -> shapes.EventShown:
    """An event for a list: large data is left out."""
    return shapes.EventShown.model_construct(**_event_fields(event, received_us, MAX_LISTED_DATA))


def show_stored(
    stored: StoredEvent, find_hook: Callable[[str], Hook | None], mask: Callable[[str], str]
) -> shapes.EventDetail:
    """An event with all of its data and its deliveries."""
    fields = _event_fields(stored.event, stored.received_us, None)
    deliveries = [show_delivery(delivery, find_hook(delivery.hook), mask) for delivery in stored.deliveries]
    return shapes.EventDetail.model_construct(**fields, deliveries=deliveries)


def _event_fields(event: Event, received_us: int | None, most: int | None) -> dict[str, Any]:
    omitted = most is not None and len(event.content) > most
    return {
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "subject": event.subject,
        "time": format_time(event.time),
        "received": None if received_us is None else show_time(received_us),
        "data": None if omitted else event.data,
        "data_base64": None if omitted else event.data_base64,
        "data_omitted": omitted,
        "payload_dropped": event.payload_dropped,
        "size": len(event.content),
        "content_type": event.content_type,
        "attributes": dict(event.attributes),
        "cause": event.cause,
        "depth": event.depth,
    }


def show_delivery(delivery: Delivery, hook: Hook | None, mask: Callable[[str], str]) -> shapes.DeliveryShown:
    """A delivery for a list; `hook` is its hook as it is now, None when it is gone.

    `mask` hides secrets in the outputs of its steps. The store keeps them as they are, since later steps work with
    them, and an endpoint may have sent back what it was sent.
    """
    return shapes.DeliveryShown.model_construct(**_delivery_fields(delivery, hook, mask))


def show_delivery_fully(
    delivery: Delivery, event: Event, attempts: Sequence[Attempt], hook: Hook | None, mask: Callable[[str], str]
) -> shapes.DeliveryDetail:
    """A delivery with every attempt."""
    fields = _delivery_fields(delivery, hook, mask)
    shown = [show_attempt(attempt) for attempt in attempts]
    return shapes.DeliveryDetail.model_construct(
        **fields, event_type=event.type, payload_dropped=event.payload_dropped, attempts=shown
    )


def _delivery_fields(delivery: Delivery, hook: Hook | None, mask: Callable[[str], str]) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "event": delivery.event_id,
        "event_source": delivery.event_source,
        "hook": delivery.hook,
        "status": delivery.status.value,
        "reason": delivery.reason,
        "steps": _show_steps(delivery, () if hook is None else hook.steps, mask),
        "attempt_count": delivery.attempts,
        "failed_steps": delivery.failed_steps,
        "lane": delivery.lane,
        "created": show_time(delivery.created_us),
        "due": show_time(delivery.due_us),
        "expires": show_time(delivery.expires_us),
        "updated": show_time(delivery.updated_us) if delivery.updated_us else None,
        "order_key": None if delivery.order_key is None else mask(delivery.order_key),
        "replay_of": delivery.replay_of,
    }


def _show_steps(delivery: Delivery, steps: Iterable[Step], mask: Callable[[str], str]) -> list[shapes.StepShown]:
    shown = [
        shapes.StepShown(
            id=step, status=result.status.value, output=mask_within(result.output, mask), error=result.error
        )
        for step, result in delivery.results.items()
    ]
    if not delivery.status.final:
        shown += [shapes.StepShown(id=step.id, status="pending") for step in steps if step.id not in delivery.results]
    return shown


def show_attempt(attempt: Attempt) -> shapes.AttemptShown:
    """One try of one step."""
    request, response = _show_exchange(attempt)
    return shapes.AttemptShown(
        number=attempt.number,
        step=attempt.step,
        started=show_time(attempt.started_us),
        duration_ms=attempt.duration_us / 1000,
        outcome=attempt.outcome,
        reason=attempt.reason,
        message=attempt.message,
        logs=list(attempt.logs),
        request=request,
        response=response,
    )


def _show_exchange(attempt: Attempt) -> tuple[shapes.RequestShown | None, shapes.ResponseShown | None]:
    exchange = attempt.exchange
    if exchange is None:
        return None, None
    request = shapes.RequestShown(
        method=exchange.method,
        url=exchange.url,
        headers=exchange.request_headers,
        body=exchange.request_body,
        address=exchange.address,
    )
    if exchange.status is None:
        return request, None
    return request, shapes.ResponseShown(
        status=exchange.status, headers=exchange.response_headers, body=exchange.response_body
    )


def show_hook(hook: Hook, stats: HookStats, since_us: int, state: HookState | None = None) -> shapes.HookShown:
    """A hook with its figures since a time; `state` is why it is disabled at run time."""
    disabled = _show_disabled(hook, state)
    return shapes.HookShown(
        name=hook.name,
        enabled=disabled is None,
        disabled=disabled,
        description=hook.description,
        origin=hook.origin,
        place=None if hook.place is None else str(hook.place),
        on=list(hook.patterns),
        source=hook.source,
        when=None if hook.when is None else hook.when.text,
        mode="decide" if hook.decides else "deliver",
        on_error=hook.on_error,
        expires=format_duration(hook.expires),
        steps=[_show_hook_step(step, hook.expires) for step in hook.steps],
        **show_keyed(hook.keyed),
        stats=_show_stats(stats, since_us),
    )


def _show_disabled(hook: Hook, state: HookState | None) -> shapes.DisabledShown | None:
    if not hook.enabled:
        return shapes.DisabledShown(reason="file", message="it says `enabled: false`")
    if state is None:
        return None
    return shapes.DisabledShown(reason=state.reason, since=show_time(state.since_us), message=state.message)


def _show_hook_step(step: Step, expires: timedelta) -> shapes.HookStepShown:
    return shapes.HookStepShown(
        id=step.id,
        action=step.action,
        lane=step.lane,
        when=None if step.when is None else step.when.text,
        timeout=format_duration(step.timeout),
        retry=_show_retry(step.retry, expires),
        settings=step.shown,
        continue_on_error=step.continue_on_error,
    )


def _show_retry(policy: RetryPolicy, expires: timedelta) -> shapes.RetryShown:
    return shapes.RetryShown(
        name=policy.name,
        attempts=policy.attempts,
        delays=[format_duration(delay) for delay in policy.delays],
        jitter=policy.jitter,
        max_retry_after=format_duration(policy.max_retry_after),
        times=_show_times(policy, expires),
        only_after=None if policy.only_after is None else list(policy.only_after),
    )


def _show_times(policy: RetryPolicy, expires: timedelta) -> list[shapes.AttemptTimeShown]:
    """When a failing step is tried, `expires` after the event at the latest."""
    return [
        shapes.AttemptTimeShown(
            attempt=number,
            wait=format_duration(wait),
            after=format_duration(time.planned),
            earliest=format_duration(time.earliest),
            latest=format_duration(time.latest),
            expired=time.planned >= expires,
        )
        for number, (wait, time) in enumerate(zip((timedelta(0), *policy.delays), policy.times(), strict=True), start=1)
    ]


def _show_stats(stats: HookStats, since_us: int) -> shapes.StatsShown:
    ended = stats.succeeded + stats.dead
    return shapes.StatsShown(
        since=show_time(since_us),
        count=ended,
        success_rate=round(stats.succeeded / ended, 4) if ended else None,
        succeeded=stats.succeeded,
        dead=stats.dead,
        pending=stats.pending,
        held=stats.held,
        attempts=stats.attempts,
        last_success=None if stats.last_success_us is None else show_time(stats.last_success_us),
        last_failure=None if stats.last_failure_us is None else show_time(stats.last_failure_us),
    )


def show_explanation(explanation: HookExplanation) -> shapes.ExplanationShown:
    """Whether one hook fires, and why not."""
    findings, keys = [
        [shapes.FindingShown(expression=one.expression, value=one.value, problem=one.problem) for one in found]
        for found in (explanation.findings, explanation.keys)
    ]
    return shapes.ExplanationShown(
        hook=explanation.hook,
        fires=explanation.fires,
        reason=explanation.reason,
        detail=explanation.detail,
        findings=findings,
        keys=keys,
    )
