"""What the API's answers look like; the OpenAPI document is made from these models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class Shape(BaseModel):
    """An answer, or a part of one. Times are ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True)


class Listed(Shape, Generic[T]):
    """One page of a list, newest first where time orders it."""

    items: list[T]
    next: str | None = Field(default=None, description="The cursor of the following page; null at the end.")


class StepShown(Shape):
    """A step of a delivery."""

    id: str
    status: str = Field(description="pending, succeeded, skipped or failed")
    output: Any = Field(default=None, description="Kept only where a later step mentions it.")
    error: str | None = None


class DeliveryShown(Shape):
    """One event for one hook."""

    id: str
    event: str = Field(description="The event's id.")
    event_source: str
    hook: str
    status: str = Field(description="pending, running, waiting, held, succeeded, dead or cancelled")
    reason: str | None = Field(
        default=None, description="Why it is waiting, held, dead or cancelled; in a decision, what it said."
    )
    steps: list[StepShown]
    attempt_count: int
    failed_steps: int
    lane: str
    created: str
    due: str
    expires: str
    updated: str | None = None
    order_key: str | None = Field(default=None, description="Deliveries of one key run one at a time, in order.")
    replay_of: str | None = Field(default=None, description="The delivery that it repeats, or the job that made it.")


class RequestShown(Shape):
    """A request as sent, secrets masked, its body cut at 16 KiB."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None = None
    address: str | None = Field(default=None, description="The address that the socket connected to.")


class ResponseShown(Shape):
    """The answer to it, secrets masked, its body cut at 16 KiB."""

    status: int
    headers: Mapping[str, str]
    body: str | None = None


class AttemptShown(Shape):
    """One try of one step."""

    number: int
    step: str
    started: str
    duration_ms: float
    outcome: str = Field(description="done, retry or reject")
    reason: str | None = None
    message: str | None = None
    logs: list[str]
    request: RequestShown | None = None
    response: ResponseShown | None = None


class DeliveryDetail(DeliveryShown):
    """A delivery with every attempt, first to last."""

    event_type: str
    payload_dropped: bool = Field(
        default=False, description="Retention has dropped what was sent and answered, and the event's data."
    )
    attempts: list[AttemptShown]
    waits_for: str | None = Field(default=None, description="The delivery of its order key whose turn it is.")
    breaker: str | None = Field(
        default=None,
        description="The breaker of its lane at this moment, as far as it is not final: closed, open or half-open.",
    )


class EventShown(Shape):
    """A stored event."""

    id: str
    type: str
    source: str
    subject: str | None = None
    time: str
    received: str | None = None
    data: Any = None
    data_base64: str | None = Field(default=None, description="Data that is not JSON.")
    data_omitted: bool = Field(default=False, description="The data is too large for a list: ask for the event itself.")
    payload_dropped: bool = Field(default=False, description="Retention has dropped the data; `data` is null then.")
    size: int = Field(description="Bytes of the data.")
    content_type: str | None = None
    attributes: Mapping[str, str | int | bool]
    cause: str | None = Field(default=None, description="The delivery whose step emitted it.")
    depth: int = 0


class EventDetail(EventShown):
    """An event with its deliveries, oldest first."""

    deliveries: list[DeliveryShown]


class StatsShown(Shape):
    """What happened to a hook's deliveries in the last 24 hours; `pending` are open now, `held` are held now."""

    since: str
    count: int = Field(description="Those that ended, well or not: succeeded and dead.")
    success_rate: float | None = Field(description="The share of `count` that succeeded, from 0 to 1; null of none.")
    succeeded: int
    dead: int
    pending: int
    held: int
    attempts: int
    last_success: str | None = None
    last_failure: str | None = None


class AttemptTimeShown(Shape):
    """When an attempt is made if all before it fail at once; times count from the step's first attempt."""

    attempt: int
    wait: str = Field(description="How long after the attempt before it, without jitter.")
    after: str = Field(description="How long after the first attempt, without jitter.")
    earliest: str = Field(description="The same with all jitter one way,")
    latest: str = Field(description="and the other way.")
    expired: bool = Field(description="Whether the delivery has expired by then, so that the attempt is not made.")


class RetryShown(Shape):
    """When a step is tried again; where `only_after` has reasons, only an attempt that failed for one of them is."""

    name: str
    attempts: int
    delays: list[str]
    jitter: float = Field(description="The share by which each wait varies, both ways.")
    max_retry_after: str = Field(description="The longest wait that an endpoint can ask for.")
    times: list[AttemptTimeShown]
    only_after: list[str] | None = None


class HookStepShown(Shape):
    """A step as a hook defines it."""

    id: str
    action: str
    lane: str
    when: str | None = None
    timeout: str
    retry: RetryShown
    settings: Mapping[str, Any] = Field(description="Settings that belong to the policy, as they are written.")
    continue_on_error: bool


class DisabledShown(Shape):
    """Why a hook is disabled, and since when where that is known."""

    reason: str = Field(
        description="`file` (it says `enabled: false`, so that nothing matches), or, where what matches is held: "
        "`by-hand`, `endpoint` (it wants no more) or `failing` (for too long)."
    )
    since: str | None = None
    message: str | None = None


class HookShown(Shape):
    """A hook and its last 24 hours."""

    name: str
    enabled: bool
    disabled: DisabledShown | None = Field(default=None, description="Null for an enabled hook.")
    description: str
    origin: str = Field(description="Where it is defined: file, code or store.")
    place: str | None = Field(default=None, description="File, line and column.")
    on: list[str]
    source: str | None = Field(
        default=None, serialization_alias="from", description="The only source whose events count."
    )
    when: str | None = None
    mode: str = Field(default="deliver", description="deliver, or decide: only decisions ask it.")
    on_error: str | None = Field(default=None, description="With `mode: decide`: its answer where it cannot give one.")
    expires: str
    order: Mapping[str, str] | None = Field(default=None, description="`by` and `blocked`.")
    dedupe: Mapping[str, str] | None = Field(default=None, description="`by` and `within`.")
    debounce: Mapping[str, str] | None = Field(default=None, description="`by`, `wait` and `max`.")
    throttle: Mapping[str, str] | None = Field(default=None, description="`by` and `every`.")
    steps: list[HookStepShown]
    stats: StatsShown


class FindingShown(Shape):
    """A part of a condition and its value."""

    expression: str
    value: str
    problem: str | None = None


class ExplanationShown(Shape):
    """Whether a hook fires on an event, and if not why."""

    hook: str
    fires: bool
    reason: str = Field(description="fires, disabled, type, source, condition, unanswerable or decide")
    detail: str
    findings: list[FindingShown]
    keys: list[FindingShown] = Field(default=[], description="Where it fires: the event's keys for `order` and so on.")


class Explained(Listed[ExplanationShown]):
    """For every hook whether it fires on this event."""

    event: EventShown


class PluginShown(Shape):
    """A plugin: what it brought, or why it did not."""

    entry_point: str
    distribution: str
    version: str
    module: str
    actions: list[str]
    sources: list[str]
    errors: list[str]


class SourceShown(Shape):
    """A declared source; `types` are what it sends, null when that may be anything."""

    name: str
    plugin: str
    path: str | None = Field(default=None, description="Where senders reach it; null if it brings events by itself.")
    types: list[str] | None = None
    place: str | None = None
    requests: dict[str, int] = Field(
        default_factory=dict,
        description="What became of the requests since this process started: accepted, duplicate, bad-signature, ...",
    )
    last_accepted: str | None = Field(default=None, description="When its last event came, new or not.")
    last_refused: str | None = None
    last_refusal: str | None = Field(default=None, description="Why something was refused the last time.")
    away: str | None = Field(default=None, description="Why nothing comes in now; null if it does, as far as is known.")


class SourceDetail(SourceShown):
    """A declared source with its settings, secrets masked."""

    description: str
    methods: list[str] = Field(description="The HTTP methods that it takes.")
    max_body: int | None = Field(default=None, description="Bytes of the largest body that it takes.")
    upcoming: list[str] = Field(default=[], description="When it will send next, as far as it can know.")
    settings: dict[str, Any]


class Replayed(Shape):
    """The new delivery that a replay made."""

    id: str
    replay_of: str


class Greeting(Shape):
    """What answers here."""

    service: str = "hookrt"
    openapi: str = "/openapi.json"
    health: str = "/healthz"
    ready: str = "/readyz"


class Health(Shape):
    """The process answers."""

    status: str = "ok"


class AcceptedEvent(Shape):
    """An event that is stored, and the deliveries that it led to."""

    id: str
    deliveries: list[str]
    duplicate: bool = Field(description="It had been accepted before; the deliveries are the first one's.")


class AcceptedBatch(Shape):
    """The events of a batch, in its order; empty for an empty array."""

    events: list[AcceptedEvent]


class EventPosted(Shape):
    """An event in hookrt's own form. `data` goes out byte for byte as it came in."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(min_length=1, max_length=255, examples=["User.Created"])
    data: Any = None
    id: str | None = Field(default=None, description="Makes repeating a post safe: the second one is a duplicate.")
    source: str | None = Field(default=None, description="`http` where none is given.")
    subject: str | None = None
    time: str | None = Field(default=None, json_schema_extra={"format": "date-time"})
    attributes: Mapping[str, str | int | bool] | None = Field(default=None, description="CloudEvents extensions.")


class Problem(Shape):
    """An error, by RFC 9457. Further members say more: position, line, column, index, errors, error_id."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:hookrt:problem:event-invalid"])
    title: str
    status: int
    detail: str
