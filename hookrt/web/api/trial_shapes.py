"""What the answers of tests of hooks look like, and what such a test is asked with."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from hookrt.web.api.shapes import AttemptShown, EventShown, ResponseShown, Shape


class TrialAsked(BaseModel):
    """The event that a hook is tested with; both may be left out."""

    model_config = ConfigDict(extra="forbid")

    type: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="The event's type, also one that the hook does not listen to. Without one, it is the hook's first "
        "type, or the first known one that its patterns match.",
    )
    data: Any = Field(default=None, description="The event's data. Without it, the sample of that type is taken.")


class TrialStepShown(Shape):
    """What became of a step in a test."""

    id: str
    action: str
    status: str = Field(description="succeeded, failed, skipped (its `when` is false), not-run (one before it failed)")
    error: str | None = Field(default=None, description="Why it failed, or why its `when` has no answer.")
    emitted: list[str] = Field(description="The types of events that it would have emitted; a test emits none.")
    attempt: AttemptShown | None = None


class TrialShown(Shape):
    """A test that is over. Nothing of it is stored, counted or tried again."""

    test: bool = True
    hook: str
    succeeded: bool
    reason: str | None = Field(default=None, description="Why it failed, one word: status, timeout, dns, template, ...")
    message: str | None = None
    response: ResponseShown | None = Field(
        default=None, description="What the endpoint answered: that of the step that failed, else of the last one."
    )
    event: EventShown
    sample: str | None = Field(description="The source whose sample it was, or `generic`; null where data was given.")
    fires: bool = Field(description="Whether such an event would fire the hook.")
    why_not: str | None = None
    steps: list[TrialStepShown]


class SampleShown(Shape):
    """What an event of this type looks like."""

    type: str
    source: str | None = Field(description="The source plugin that sends such events.")
    subject: str | None = None
    data: Any


class SampleName(Shape):
    """A type of which there is a sample."""

    type: str
    source: str | None
