"""The settings of a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from hookrt.plugin import Duration, Event, EventError, Settings, check_event
from hookrt.sources.schedule_ticks import CronTicks, EvenTicks, Ticks, read_cron, read_zone

_SHORTEST = timedelta(seconds=1)
_OWN = ("scheduled", "late_s", "missed")


def _check_zone(name: str) -> str:
    read_zone(name)
    return name


def _check_type(text: str) -> str:
    if text.partition(".")[0] == "hookrt":
        raise ValueError("types that begin with `hookrt.` are for hookrt itself")
    _check_names(text)
    return text


def _check_subject(text: str) -> str:
    _check_names("Tick", text)
    return text


def _check_names(type: str, subject: str | None = None) -> None:
    """Raise ValueError for what no event can have."""
    try:
        check_event(Event("tick", type, "schedule", datetime(2000, 1, 1, tzinfo=UTC), subject))
    except EventError as error:
        raise ValueError(str(error)) from None


def _check_data(data: dict[str, Any]) -> dict[str, Any]:
    if taken := [name for name in _OWN if name in data]:
        raise ValueError(f"`{taken[0]}` is what the schedule itself tells: give it another name")
    return data


class ScheduleSettings(Settings):
    """When events come, and what they are."""

    model_config = ConfigDict(
        defer_build=True, json_schema_extra={"examples": [{"cron": "0 3 * * *", "type": "Nightly.Report"}]}
    )

    cron: Annotated[str, AfterValidator(read_cron)] | None = Field(
        default=None,
        description="When, as cron has it: minute, hour, day of the month, month, day of the week; or @daily and such",
        examples=["0 3 * * *", "*/15 8-18 * * MON-FRI", "@hourly"],
    )
    every: Duration | None = Field(
        default=None,
        description="Instead of cron: so often, a second at least; counted from 1970, not from the start",
    )
    timezone: Annotated[str, AfterValidator(_check_zone)] = Field(
        default="UTC", description="The time zone of cron, and of the times in the events", examples=["Europe/Berlin"]
    )
    type: Annotated[str, AfterValidator(_check_type)] = Field(description="The type of the events")
    subject: Annotated[str, AfterValidator(_check_subject)] | None = Field(
        default=None, description="The subject of the events"
    )
    data: Annotated[dict[str, Any], AfterValidator(_check_data)] = Field(
        default_factory=dict, description="What else the events' data have, beside `scheduled`"
    )
    misfire: Literal["skip", "once", "all"] = Field(
        default="once",
        description="What becomes of ticks that were missed while nothing ran: none of them, one event for all "
        "of them, or one each (the newest 1,000 at most)",
    )

    @field_validator("every")
    @classmethod
    def _check_every(cls, every: timedelta | None, info: ValidationInfo) -> timedelta | None:
        if every is not None and every < _SHORTEST:
            raise ValueError("a schedule ticks once in a second at most")
        if every is not None and info.data.get("cron") is not None:
            raise ValueError("there is `cron` already: a schedule has one of `cron` and `every`")
        return every

    @model_validator(mode="after")
    def _check_when(self) -> Self:
        if self.cron is None and self.every is None:
            raise ValueError("say when, by `cron` or by `every`")
        return self

    @property
    def ticks(self) -> Ticks:
        """The moments that it names."""
        return CronTicks(self.cron, self.zone) if self.cron is not None else EvenTicks(self.every or _SHORTEST)

    @property
    def zone(self) -> tzinfo:
        """The time zone."""
        return read_zone(self.timezone)

    @property
    def fingerprint(self) -> str:
        """What tells this schedule from another."""
        return f"{self.cron} {self.timezone}" if self.cron is not None else f"every {self.every}"
