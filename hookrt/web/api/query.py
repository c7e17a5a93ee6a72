"""What the API's routes have in common: the runtime behind them, filters, and errors of their own."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import Annotated, Self, TypeVar, cast

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hookrt.errors import UsageError
from hookrt.model.delivery import Status
from hookrt.store.contract import DeliveryQuery, EventQuery, Page
from hookrt.web.api.moment import Moment
from hookrt.web.problem import ProblemDocument, Refusal
from hookrt.web.service import Service

T = TypeVar("T")

_JOB_ID = re.compile(r"job_[0-9a-z]+")

MAX_PAGE = 500
"""Most items of one page."""


def get_service(request: Request) -> Service:
    """The runtime that this application serves."""
    return cast(Service, request.app.state.service)


Runtime = Annotated[Service, Depends(get_service)]
"""A route's parameter that is the runtime."""


class Filters(BaseModel):
    """What every list can be asked; an unknown parameter is an error."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(default=None, max_length=500, description="`next` of the page before.")


class JobFilters(Filters):
    """Which jobs to list; the cursor is the id of a job."""

    @field_validator("cursor")
    @classmethod
    def _check_cursor(cls, cursor: str | None) -> str | None:
        if cursor is not None and not _JOB_ID.fullmatch(cursor):
            raise ValueError(f"{cursor[:40]!r} is no cursor: take the `next` of the page before, unchanged")
        return cursor


class TimeFilters(Filters):
    """A list that time orders."""

    since: Moment | None = Field(default=None, description="Not before this time, or so long ago.")
    until: Moment | None = Field(default=None, description="Before this time, or longer ago.")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise ValueError("`since` lies after `until`: nothing can be between them")
        return self


class EventFilters(TimeFilters):
    """Which events to list."""

    type: str | None = None
    source: str | None = None
    id: str | None = None

    def query(self) -> EventQuery:
        """The same for the store."""
        return EventQuery(self.type, self.source, self.id, self.since, self.until, self.limit, self.cursor)


class DeliveryFilters(TimeFilters):
    """Which deliveries to list."""

    hook: str | None = None
    status: list[Status] = Field(default=[], description="One status, or several by repeating the parameter.")
    event: str | None = Field(default=None, description="The event's id.")
    source: str | None = Field(default=None, description="The event's source.")
    reason: str | None = None

    def query(self) -> DeliveryQuery:
        """The same for the store."""
        return DeliveryQuery(
            hook=self.hook,
            statuses=tuple(self.status),
            event_source=self.source,
            event_id=self.event,
            since_us=self.since,
            until_us=self.until,
            reason=self.reason,
            limit=self.limit,
            cursor=self.cursor,
        )


async def read_page(asked: Awaitable[Page[T]]) -> Page[T]:
    """The page that the store gives; a cursor that it does not know is a Refusal."""
    try:
        return await asked
    except UsageError as error:
        raise Refusal(ProblemDocument(400, "request-invalid", f"cursor: {error}")) from None


def not_found(what: str) -> Refusal:
    """The answer to a request for what does not exist."""
    return Refusal(ProblemDocument(404, "not-found", what))
