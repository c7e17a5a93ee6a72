"""What is asked of jobs and of the live view over HTTP, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookrt.config.destinations import Rate
from hookrt.web.api.moment import Moment
from hookrt.web.api.shapes import DeliveryShown, EventShown, RequestShown, Shape


class Asked(BaseModel):
    """What every job is asked; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    hook: str | None = Field(default=None, description="Only of this hook.")
    since: Moment | None = Field(default=None, description="Not before this time, or so long ago.")
    until: Moment | None = Field(default=None, description="Before this time, or longer ago.")
    rate: Rate | None = Field(
        default=None, description="Most deliveries in a time, like 50/s; else as fast as it goes."
    )
    dry_run: bool = Field(default=False, description="Change nothing: answer with what would be done.")
    limit: int = Field(default=20, ge=0, le=100, description="How many a dry run shows.")


class DeliveriesAsked(Asked):
    """Which deliveries; at least one filter must be given, so that a forgotten body does not mean all."""

    reason: str | None = Field(default=None, description="Only those that ended, or wait, for this reason.")

    @model_validator(mode="after")
    def _some_filter(self) -> Self:
        if not self.model_fields_set & {"hook", "status", "reason", "since", "until"}:
            raise ValueError("name at least one of hook, status, reason, since and until")
        return self


class ReplayAsked(DeliveriesAsked):
    """Which deliveries to replay, and how."""

    status: list[Literal["dead", "cancelled", "succeeded"]] = Field(default=["dead"], min_length=1)
    start: Literal["start"] | None = Field(
        default=None, alias="from", description="`start`: all steps again, also those that were done."
    )
    new_message_id: bool = Field(default=False, description="Other message ids, so that receivers take it as new.")
    again: bool = Field(default=False, description="Also those that have been replayed already.")


class CancelAsked(DeliveriesAsked):
    """Which deliveries to cancel; without a status all that are not final."""

    status: list[Literal["pending", "running", "waiting", "held"]] = Field(
        default=["pending", "running", "waiting", "held"], min_length=1
    )


class EventsReplayAsked(Asked):
    """Which events to run through which hook, as it is now."""

    hook: str = Field(description="The hook.")
    type: str | None = Field(default=None, description="Only events of this type.")
    source: str | None = Field(default=None, description="Only events of this source.")
    new_message_id: bool = Field(default=False, description="Other message ids, so that receivers take it as new.")
    again: bool = Field(default=False, description="Also events that have a delivery for this hook already.")


class JobErrorShown(Shape):
    """What a job could not do; `of` is the delivery, null where it is the job as a whole."""

    of: str | None
    message: str


class JobShown(Shape):
    """Long work, and how far it is: `done`, `skipped` and `failed` together reach `total`."""

    id: str
    kind: str = Field(description="deliveries.replay, deliveries.cancel or events.replay")
    status: str = Field(description="queued, running, done, cancelled or failed")
    total: int = Field(description="How many deliveries (of events.replay: events) matched when it was made.")
    done: int = Field(description="Deliveries that it made or cancelled.")
    skipped: int = Field(description="What needed nothing: it fires no hook, has ended, or is gone.")
    failed: int
    errors: list[JobErrorShown] = Field(description="The first 20.")
    request: Mapping[str, Any] = Field(description="What was asked for.")
    created: str
    updated: str


class DeliveriesDryRun(Shape):
    """How many deliveries would be touched, and the first of them."""

    total: int
    items: list[DeliveryShown]


class StepRehearsed(Shape):
    """What a step would do: the request that it would send or, of other actions, their settings. Secrets are masked."""

    step: str
    action: str
    request: RequestShown | None = None
    settings: Any = None
    note: str | None = Field(default=None, description="Why neither is known, or what is wrong.")


class EventRehearsed(Shape):
    """An event that would fire the hook, and what would be sent."""

    event: EventShown
    steps: list[StepRehearsed]


class EventsDryRun(Shape):
    """What a replay of events would do now."""

    total: int = Field(description="Events that match the filter.")
    delivered: int = Field(description="Of these, those that have a delivery for the hook already.")
    looked_at: int = Field(description="Of the others, those that were evaluated: at most 10,000.")
    fires: int = Field(description="Of these, those for which the hook fires.")
    reasons: Mapping[str, int] = Field(
        description="The rest by reason: type, source, condition, unanswerable, disabled, decide"
    )
    items: list[EventRehearsed]


class HappeningShown(Shape):
    """An attempt, or the end of a delivery without one (then `step` is null)."""

    time: str
    delivery: str
    hook: str
    status: str = Field(description="Where the delivery stands now.")
    step: str | None = None
    attempt: int | None = None
    outcome: str | None = None
    reason: str | None = None
    message: str | None = None
    duration_ms: float | None = None


class NewsShown(Shape):
    """What happened since `after`. Ask again with `next`; `missed` are too long ago to be told."""

    items: list[HappeningShown]
    next: str
    missed: int = 0
